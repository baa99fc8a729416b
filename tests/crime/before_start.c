/* before_start.c - a pointer to the end of the block before: a program that wrote a header of its
 *     own there.
 * expect-signal: ABRT
 * args: 48 16
 * expect-sentence: invalid free({p}): the pointer lies 32 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 48 1
 * expect-sentence: invalid free({p}): the pointer lies 47 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 1000 8
 * expect-sentence: invalid free({p}): the pointer lies 1016 bytes inside a block of 1024 bytes
 *     that starts at {s}
 * args: 10000 16
 * expect-sentence: invalid free({p}): the pointer lies 10224 bytes inside a block of 10240 bytes
 *     that starts at {s}
 */
#include "crime.h"

/* A block whose neighbour below is in use as well. */
static char *with_neighbour(size_t bytes, size_t block)
{
    char *last = malloc(bytes);

    for (int i = 0; i < 1000; i++) {
        char *next = malloc(bytes);

        if (next == last + block)
            return next;
        last = next;
    }
    _exit(SKIP);
}

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48), back = size_argument(argc - 1, argv + 1, 16);
    size_t block = bytes == 1000 ? 1024 : bytes == 10000 ? 10240 : bytes;
    char  *p = with_neighbour(bytes, block);

    say("s", p - block);
    free(say("p", p - back));
    return survived();
}
