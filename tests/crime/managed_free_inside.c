/* managed_free_inside.c - free() of a pointer to the inside of a managed object.
 * expect-signal: ABRT
 * args: counted
 * expect-sentence: invalid free({p}): the pointer lies * bytes inside a block of * bytes that
 *     starts at *
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: uncounted
 * expect-sentence: invalid free({p}): the pointer lies 24 bytes inside a block of 96 bytes that
 *     starts at {s}
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 */
#include "managed.h"

int main(int argc, char **argv)
{
    char *s = (char *)say("s", argv[1][0] == 'c' ? counted(96) : LIBRARY(midden_alloc)(96));

    free(say("p", s + 24));
    return managed_survived();
}
