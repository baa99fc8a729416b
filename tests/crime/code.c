/* code.c - the address of a function, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in static data of *code
 * expect-sentence: invalid free({p}): the address belongs to no block of midden, and no other
 *     allocator is there to take it
 */
#include "crime.h"

int main(void)
{
    free(say("p", (void *)(uintptr_t)main));
    return survived();
}
