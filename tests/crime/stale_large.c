/* stale_large.c - a large block freed again after its memory was given back and other large blocks
 *     came and went elsewhere.
 * expect-signal: ABRT
 * expect-by: this
 * args: 1000000
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: double free: free({p}), a block of 1003520 bytes that is free already{by}
 * args: 20000000
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * expect-sentence: double free: free({p}), a block of 20000768 bytes that is free already{by}
 */
#include "crime.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 1000000);
    char  *p = say("p", among(bytes));

    memset(p, 1, bytes);
    free(p);
    malloc_trim(0);
    free(hide(p));
    return survived();
}
