/* managed_release_elsewhere.c - released by another thread, then by the one that made it.
 * expect-signal: ABRT
 * expect-sentence: invalid midden_release({p}): the object is gone, its last handle was released
 *     before
 */
#include "managed.h"

static void *thread_release(void *object)
{
    release(object);
    return NULL;
}

int main(void)
{
    void *p = say("p", counted(48));

    in_thread(thread_release, p);
    release(p);
    return managed_survived();
}
