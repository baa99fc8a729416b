/* managed_free_gone.c - free() of a managed object that has died.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * expect-sentence: invalid free({p}): the pointer lies * bytes inside a free block of * bytes that
 *     starts at *
 */
#include "managed.h"

int main(void)
{
    void *p = say("p", counted(48));

    release(p);
    free(p);
    return managed_survived();
}
