/* double_free_zero.c - malloc(0) gives a block like any other: it cannot be freed twice.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: free({p}), a block of 16 bytes that is free already{by}
 */
#include "crime.h"

int main(void)
{
    void *p = say("p", among(0));

    free(p);
    free(hide(p));
    return survived();
}
