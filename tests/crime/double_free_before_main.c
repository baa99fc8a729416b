/* double_free_before_main.c - a constructor frees twice, before main.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

__attribute__((constructor(101))) static void early(void)
{
    void *p = say("p", among(48));

    free(p);
    free(hide(p));
}

int main(void)
{
    return survived();
}
