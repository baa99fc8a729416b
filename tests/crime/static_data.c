/* static_data.c - a static array of the program, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in static data of *static_data
 */
#include "crime.h"

static char block[256] __attribute__((aligned(16))) = "not from malloc";

int main(void)
{
    free(say("p", block));
    return survived();
}
