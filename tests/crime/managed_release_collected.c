/* managed_release_collected.c - a borrowed pointer to an object that a collection has freed.
 * expect-signal: ABRT
 * args: release
 * expect-sentence: invalid midden_release({p}): the object is gone, its last handle was released
 *     before
 * args: retain
 * expect-sentence: invalid midden_retain({p}): the object is gone, its last handle was released
 *     before
 */
#include "managed.h"

int main(int argc, char **argv)
{
    static const size_t             owned[] = { 0, MIDDEN_END };
    static const struct midden_type type = { sizeof type, "ring", 16, owned, NULL, NULL, 0 };
    void                           *kept = LIBRARY(midden_new)(&type, 0);
    void                          **p = (void **)LIBRARY(midden_new)(&type, 0);

    hide(kept);
    say("p", p);
    LIBRARY(midden_assign)(p, p);
    release(p);
    LIBRARY(midden_collect)(MIDDEN_FULL);
    if (argv[1][2] == 'l')
        release(p);
    else
        retain(p);
    return managed_survived();
}
