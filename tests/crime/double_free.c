/* double_free.c - the same pointer freed twice in a row.
 * expect-signal: ABRT
 * expect-by: this
 * args: 1
 * expect-sentence: double free: free({p}), a block of 16 bytes that is free already{by}
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 256
 * expect-sentence: double free: free({p}), a block of 256 bytes that is free already{by}
 * args: 300
 * expect-sentence: double free: free({p}), a block of 320 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 2000
 * expect-sentence: double free: free({p}), a block of 2048 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 * args: 100000
 * expect-sentence: double free: free({p}), a block of 106496 bytes that is free already{by}
 * args: 262144
 * expect-sentence: double free: free({p}), a block of 262144 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * args: 5000000
 * expect-sentence: double free: free({p}), a block of 5001216 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    void *p = say("p", among(size_argument(argc, argv, 48)));

    free(p);
    free(hide(p));
    return survived();
}
