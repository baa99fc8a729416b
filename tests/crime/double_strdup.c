/* double_strdup.c - what strdup returned, freed twice: blocks made inside the C library are ours
 *     too.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: free({p}), a block of 32 bytes that is free already{by}
 */
#include "crime.h"

int main(void)
{
    void *keep = among(30);
    char *p = say("p", strdup("a string of twenty-nine bytes"));

    free(p);
    free(hide(p));
    hide(keep);
    return survived();
}
