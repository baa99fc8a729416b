/* double_free_remote_later.c - freed by another thread; the owner allocates and frees other sizes,
 *     then frees it again.
 * expect-signal: ABRT
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 */
#include "crime.h"

static void churn(size_t but)
{
    for (size_t i = 0; i < 10000; i++)
        free(hide(malloc(but / 4 + i % 8)));
}

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    in_thread(thread_free, p);
    churn(bytes);
    free(hide(p));
    return survived();
}
