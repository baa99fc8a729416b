/* managed_retain.c - retained what is no counted object, or one that is gone.
 * expect-signal: ABRT
 * args: gone
 * expect-sentence: invalid midden_retain({p}): the object is gone, its last handle was released
 *     before
 * args: block
 * expect-sentence: invalid midden_retain({p}): no counted object begins there
 * args: uncounted
 * expect-sentence: invalid midden_retain({p}): no counted object begins there
 * args: inside
 * expect-sentence: invalid midden_retain({p}): no counted object begins there
 */
#include "managed.h"

static void *culprit(const char *kind)
{
    char *object = (char *)counted(200);

    if (!strcmp(kind, "inside"))
        return object + 32;
    if (!strcmp(kind, "block"))
        return malloc(200);
    if (!strcmp(kind, "uncounted"))
        return LIBRARY(midden_alloc)(200);
    release(object);
    return object;
}

int main(int argc, char **argv)
{
    retain(say("p", culprit(argv[1])));
    return managed_survived();
}
