/* off_by_one.c - one byte behind the start, and other odd pointers.
 * expect-signal: ABRT
 * args: 48 1
 * expect-sentence: invalid free({p}): the pointer lies 1 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 48 47
 * expect-sentence: invalid free({p}): the pointer lies 47 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 1000 7
 * expect-sentence: invalid free({p}): the pointer lies 7 bytes inside a block of 1024 bytes that
 *     starts at {s}
 * args: 10000 8
 * expect-sentence: invalid free({p}): the pointer lies 8 bytes inside a block of 10240 bytes that
 *     starts at {s}
 * args: 300000 1
 * expect-sentence: invalid free({p}): the pointer lies 1 bytes inside a block of 303104 bytes that
 *     starts at {s}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    char *s = say("s", among(size_argument(argc, argv, 48)));

    free(say("p", s + size_argument(argc - 1, argv + 1, 1)));
    return survived();
}
