/* double_posix_memalign.c - a posix_memalign'd block freed twice.
 * expect-signal: ABRT
 * expect-by: this
 * args: 64
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 * args: 4096
 * expect-sentence: double free: free({p}), a block of * bytes that is free already{by}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t align = size_argument(argc, argv, 64);
    void  *keep = NULL, *p = NULL;

    if (posix_memalign(&keep, align, 100) != 0 || posix_memalign(&p, align, 100) != 0)
        return 1;
    say("p", p);
    free(p);
    free(hide(p));
    hide(keep);
    return survived();
}
