/* static_zero.c - a static array that starts as zero, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in static data of *static_zero
 */
#include "crime.h"

static char block[65536] __attribute__((aligned(4096)));

int main(void)
{
    free(say("p", block + 4096));
    return survived();
}
