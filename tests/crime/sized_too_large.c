/* sized_too_large.c - free_sized with more bytes than the block has.
 * expect-signal: ABRT
 * args: 48 49
 * expect-sentence: invalid free_sized({p}): 49 bytes were claimed, but the block has 48
 * args: 48 4096
 * expect-sentence: invalid free_sized({p}): 4096 bytes were claimed, but the block has 48
 * args: 10000 20000
 * expect-sentence: invalid free_sized({p}): 20000 bytes were claimed, but the block has 10240
 * args: 300000 400000
 * expect-sentence: invalid free_sized({p}): 400000 bytes were claimed, but the block has 303104
 */
#include "crime.h"

extern void free_sized(void *p, size_t bytes) __attribute__((weak));

int main(int argc, char **argv)
{
    void *p = say("p", among(size_argument(argc, argv, 48)));

    if (!free_sized)
        return SKIP;
    free_sized(p, size_argument(argc - 1, argv + 1, 4096));
    return survived();
}
