/* aligned_sized_wrong_alignment.c - free_aligned_sized claims an alignment that the block does not
 *     have.
 * expect-signal: ABRT
 * expect-sentence: invalid free_aligned_sized({p}): an alignment of 4096 was claimed, but the
 *     block does not have it
 */
#include "crime.h"

extern void free_aligned_sized(void *p, size_t align, size_t bytes) __attribute__((weak));

/* A block of 64 bytes that starts on no page. */
static void *on_no_page(void)
{
    void *p = among(64);

    while (((uintptr_t)p & 4095) == 0)
        p = among(64);
    return p;
}

int main(void)
{
    void *p = say("p", on_no_page());

    if (!free_aligned_sized)
        return SKIP;
    free_aligned_sized(p, 4096, 64);
    return survived();
}
