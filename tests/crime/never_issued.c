/* never_issued.c - a place in a slab where no block was ever given out.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in the heap, but no block was ever given
 *     out there
 * expect-sentence: double free: free({p}), a block of 1792 bytes that is free already{by}
 */
#include "crime.h"

/* A slab knows which blocks are free, not which of those were never in use: it may say so too.
 * 1792 is a class that nothing else here uses, so that its slab has given out three blocks. */
int main(void)
{
    char *p = among(1792);

    free(say("p", p + 8 * 1792));
    return survived();
}
