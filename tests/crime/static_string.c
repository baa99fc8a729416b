/* static_string.c - a string literal, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in static data of *static_string
 */
#include "crime.h"

int main(void)
{
    free(say("p", "a string that no malloc made"));
    return survived();
}
