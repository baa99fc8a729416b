/* interior_of_free.c - a pointer into the middle of a block that was freed.
 * expect-signal: ABRT
 * args: 48 16
 * expect-sentence: invalid free({p}): the pointer lies 16 bytes inside a free block of 48 bytes
 *     that starts at {s}
 * args: 1000 1
 * expect-sentence: invalid free({p}): the pointer lies 1 bytes inside a free block of 1024 bytes
 *     that starts at {s}
 * args: 10000 4096
 * expect-sentence: invalid free({p}): the pointer lies 4096 bytes inside a free block of 10240
 *     bytes that starts at {s}
 * args: 300000 65536
 * expect-sentence: invalid free({p}): the pointer lies 65536 bytes inside a free block of 303104
 *     bytes that starts at {s}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    char *s = say("s", among(size_argument(argc, argv, 48)));

    free(s);
    free(say("p", s + size_argument(argc - 1, argv + 1, 16)));
    return survived();
}
