/* double_free_later.c - freed again after a thousand blocks of other sizes came and went.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 * args: 100000
 * expect-sentence: double free: free({p}), a block of 106496 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

static void churn(size_t but)
{
    void *block[100];

    for (int round = 0; round < 10; round++) {
        for (size_t i = 0; i < 100; i++)
            block[i] = hide(malloc(but / 4 + i % 8));
        for (size_t i = 0; i < 100; i++)
            free(block[i]);
    }
}

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    free(p);
    churn(bytes);
    free(hide(p));
    return survived();
}
