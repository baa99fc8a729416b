/* double_calloc.c - a calloc'd block freed twice.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *keep = among(bytes), *p = say("p", calloc(1, bytes)), *too = among(bytes);

    free(p);
    free(hide(p));
    hide(keep);
    hide(too);
    return survived();
}
