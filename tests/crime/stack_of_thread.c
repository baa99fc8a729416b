/* stack_of_thread.c - an array on the stack of a thread that is not the first, freed by it.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies on this thread's stack
 */
#include "crime.h"

static void *free_local(void *unused)
{
    char block[256] __attribute__((aligned(16)));

    memset(hide(block), 0, sizeof block);
    free(say("p", block + 64));
    return unused;
}

int main(void)
{
    in_thread(free_local, NULL);
    return survived();
}
