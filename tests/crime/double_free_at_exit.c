/* double_free_at_exit.c - a destructor frees what an atexit handler freed.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

static void *p;

static void at_exit(void)
{
    free(p);
}

__attribute__((destructor)) static void at_end(void)
{
    free(hide(p));
}

int main(void)
{
    p = say("p", among(48));
    atexit(at_exit);
    return survived();
}
