/* static_realloc.c - a static array given to realloc.
 * expect-signal: ABRT
 * expect-sentence: invalid realloc({p}): the address lies in static data of *static_realloc
 */
#include "crime.h"

static char block[256] __attribute__((aligned(16))) = "not from malloc";

int main(void)
{
    hide(realloc(say("p", block), 512));
    return survived();
}
