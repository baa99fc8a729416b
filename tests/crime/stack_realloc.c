/* stack_realloc.c - an array on the stack, given to realloc.
 * expect-signal: ABRT
 * expect-sentence: invalid realloc({p}): the address lies on this thread's stack
 */
#include "crime.h"

int main(void)
{
    char block[256] __attribute__((aligned(16)));

    memset(hide(block), 0, sizeof block);
    hide(realloc(say("p", block + 64), 512));
    return survived();
}
