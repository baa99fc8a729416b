/* never_issued_realloc.c - a place in a slab where no block was ever given out, given to realloc.
 * expect-signal: ABRT
 * expect-sentence: invalid realloc({p}): the address lies in the heap, but no block was ever given
 *     out there
 * expect-sentence: double free: realloc({p}), a block of 1792 bytes that is free already{by}
 */
#include "crime.h"

int main(void)
{
    char *p = among(1792);

    hide(realloc(say("p", p + 8 * 1792), 100));
    return survived();
}
