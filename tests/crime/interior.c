/* interior.c - a pointer into the middle of a block, freed.
 * expect-signal: ABRT
 * args: 48 16
 * expect-sentence: invalid free({p}): the pointer lies 16 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 48 32
 * expect-sentence: invalid free({p}): the pointer lies 32 bytes inside a block of 48 bytes that
 *     starts at {s}
 * args: 1000 512
 * expect-sentence: invalid free({p}): the pointer lies 512 bytes inside a block of 1024 bytes that
 *     starts at {s}
 * args: 10000 4096
 * expect-sentence: invalid free({p}): the pointer lies 4096 bytes inside a block of 10240 bytes
 *     that starts at {s}
 * args: 100000 65536
 * expect-sentence: invalid free({p}): the pointer lies 65536 bytes inside a block of 106496 bytes
 *     that starts at {s}
 * args: 300000 16
 * expect-sentence: invalid free({p}): the pointer lies 16 bytes inside a block of 303104 bytes
 *     that starts at {s}
 * args: 300000 65536
 * expect-sentence: invalid free({p}): the pointer lies 65536 bytes inside a block of 303104 bytes
 *     that starts at {s}
 * args: 5000000 4194304
 * expect-sentence: invalid free({p}): the pointer lies 4194304 bytes inside a block of 5001216
 *     bytes that starts at {s}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    char *s = say("s", among(size_argument(argc, argv, 48)));

    free(say("p", s + size_argument(argc - 1, argv + 1, 16)));
    return survived();
}
