/* interior_realloc.c - a pointer into the middle of a block, given to realloc.
 * expect-signal: ABRT
 * args: 48 16
 * expect-sentence: invalid realloc({p}): the pointer lies 16 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 10000 1
 * expect-sentence: invalid realloc({p}): the pointer lies 1 bytes inside a block of 10240 bytes
 *     that starts at {s}
 * args: 300000 65536
 * expect-sentence: invalid realloc({p}): the pointer lies 65536 bytes inside a block of 303104
 *     bytes that starts at {s}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    char *s = say("s", among(size_argument(argc, argv, 48)));

    hide(realloc(say("p", s + size_argument(argc - 1, argv + 1, 16)), 1000));
    return survived();
}
