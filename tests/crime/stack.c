/* stack.c - an array on the stack, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies on this thread's stack
 */
#include "crime.h"

int main(void)
{
    char block[256] __attribute__((aligned(16)));

    memset(hide(block), 0, sizeof block);
    free(say("p", block + 64));
    return survived();
}
