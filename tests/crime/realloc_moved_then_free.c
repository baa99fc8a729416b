/* realloc_moved_then_free.c - realloc moved the block; the old pointer is freed.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes)), *q = realloc(p, 32 * bytes);

    if (!q || q == hide(p))
        return 1;
    free(hide(p));
    return survived();
}
