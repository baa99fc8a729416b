/* stale_shrunk.c - the tail of a large block that realloc made small, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: invalid free({p}): the address lies in the heap, but no block was ever given
 *     out there
 * expect-sentence: invalid free({p}): the pointer lies * bytes inside a free block of * bytes that
 *     starts at {s}
 * expect-sentence: invalid free({p}): the address belongs to no block of midden, and no other
 *     allocator is there to take it
 */
#include "crime.h"

int main(void)
{
    char *p = malloc(64 << 20), *q = realloc(p, 1 << 20);

    if (!q)
        return 1;
    say("s", q);
    free(say("p", q + (32 << 20)));
    return survived();
}
