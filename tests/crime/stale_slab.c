/* stale_slab.c - a small block freed again after its whole slab was given back.
 * expect-signal: ABRT
 * expect-by: this
 * args: 64
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: double free: free({p}), a block of 64 bytes that is free already{by}
 * args: 2048
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: double free: free({p}), a block of 2048 bytes that is free already{by}
 * args: 32768
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: double free: free({p}), a block of 32768 bytes that is free already{by}
 */
#include "crime.h"

#include <malloc.h>

enum { COUNT = 4000 };
static void *block[COUNT];

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 64);

    for (int i = 0; i < COUNT; i++)
        block[i] = malloc(bytes);
    say("p", block[COUNT / 2]);
    for (int i = 0; i < COUNT; i++)
        free(block[i]);
    malloc_trim(0);
    free(hide(block[COUNT / 2]));
    return survived();
}
