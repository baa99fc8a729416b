/* interior_aligned.c - a pointer into the middle of an aligned block, freed.
 * expect-signal: ABRT
 * args: 64 16
 * expect-sentence: invalid free({p}): the pointer lies 16 bytes inside a block of * bytes that
 *     starts at {s}
 * args: 4096 64
 * expect-sentence: invalid free({p}): the pointer lies 64 bytes inside a block of * bytes that
 *     starts at {s}
 * args: 65536 4096
 * expect-sentence: invalid free({p}): the pointer lies 4096 bytes inside a block of * bytes that
 *     starts at {s}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t align = size_argument(argc, argv, 64);
    void  *s = NULL;

    if (posix_memalign(&s, align, 2 * align) != 0)
        return 1;
    say("s", s);
    free(say("p", (char *)s + size_argument(argc - 1, argv + 1, 16)));
    return survived();
}
