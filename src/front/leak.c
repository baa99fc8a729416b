/* leak.c - leak.h in a library that does not look for leaks yet.
 * Job         Check arguments as the header says, then answer ENOSYS.
 * Locking     none.
 */
#include <midden/leak.h>

#include "base/base.h"

#include <errno.h>

static int refuse(int error)
{
    errno = error;
    return -1;
}

EXPORT long midden_leak_check(midden_leak_visitor *visit, void *arg)
{
    (void)visit;
    (void)arg;
    return refuse(ENOSYS);
}

EXPORT int midden_leak_ignore(const void *pointer)
{
    return refuse(pointer == NULL ? ENOENT : ENOSYS);
}

EXPORT int midden_leak_baseline(void)
{
    return refuse(ENOSYS);
}
