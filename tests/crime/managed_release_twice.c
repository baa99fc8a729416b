/* managed_release_twice.c - one release too many.
 * expect-signal: ABRT
 * args: 48
 * expect-sentence: invalid midden_release({p}): the object is gone, its last handle was released
 *     before
 * args: 5000
 * expect-sentence: invalid midden_release({p}): the object is gone, its last handle was released
 *     before
 * args: 3000000
 * expect-sentence: invalid midden_release({p}): the object is gone, its last handle was released
 *     before
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 */
#include "managed.h"

int main(int argc, char **argv)
{
    void *p = say("p", counted(size_argument(argc, argv, 48)));

    release(p);
    release(p);
    return managed_survived();
}
