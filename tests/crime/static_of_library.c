/* static_of_library.c - static data of the C library, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies in static data of *libc.so*
 */
#include "crime.h"

int main(void)
{
    free(say("p", stdout));
    return survived();
}
