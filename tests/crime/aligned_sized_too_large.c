/* aligned_sized_too_large.c - free_aligned_sized with more bytes than the block has.
 * expect-signal: ABRT
 * expect-sentence: invalid free_aligned_sized({p}): 100000 bytes were claimed, but the block has *
 */
#include "crime.h"

extern void free_aligned_sized(void *p, size_t align, size_t bytes) __attribute__((weak));

int main(void)
{
    void *p = say("p", aligned_alloc(64, 128));

    if (!free_aligned_sized)
        return SKIP;
    free_aligned_sized(p, 64, 100000);
    return survived();
}
