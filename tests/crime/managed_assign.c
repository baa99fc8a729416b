/* managed_assign.c - an owned field is given what is no counted object, or holds what is none.
 * expect-signal: ABRT
 * args: new
 * expect-sentence: invalid midden_assign({p}): no counted object begins there
 * args: old
 * expect-sentence: invalid midden_assign({p}): no counted object begins there
 */
#include "managed.h"

int main(int argc, char **argv)
{
    void *p = say("p", malloc(100)), *field = argv[1][0] == 'o' ? p : NULL;

    LIBRARY(midden_assign)(&field, argv[1][0] == 'o' ? NULL : p);
    free(p);
    return managed_survived();
}
