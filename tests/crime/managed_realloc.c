/* managed_realloc.c - realloc() of a managed object.
 * expect-signal: ABRT
 * args: 100
 * expect-sentence: invalid realloc({p}): the block is a managed object; release its handle instead
 * args: 0
 * expect-sentence: invalid realloc({p}): the block is a managed object; release its handle instead
 * args: 1000000
 * expect-sentence: invalid realloc({p}): the block is a managed object; release its handle instead
 */
#include "managed.h"

int main(int argc, char **argv)
{
    void *p = say("p", LIBRARY(midden_alloc)(64));

    hide(realloc(p, size_argument(argc, argv, 100)));
    return managed_survived();
}
