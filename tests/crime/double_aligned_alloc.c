/* double_aligned_alloc.c - an aligned_alloc'd block freed twice.
 * expect-signal: ABRT
 * expect-by: this
 * args: 32
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * args: 64
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * args: 4096
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * args: 65536
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * args: 2097152
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t align = size_argument(argc, argv, 64);
    void  *keep = aligned_alloc(align, 3 * align), *p = say("p", aligned_alloc(align, 3 * align));

    if (!keep || ((uintptr_t)p & (align - 1)) != 0)
        return 1;
    free(p);
    free(hide(p));
    hide(keep);
    return survived();
}
