/* double_free_sized.c - free_sized of a freed block.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: free_sized({p}), a block of 48 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free_sized({p}), a block of 10240 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free_sized({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free_sized({p}): the address lies in heap memory that was given back;
 *     its block was freed before
 */
#include "crime.h"

extern void free_sized(void *p, size_t bytes) __attribute__((weak));

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    if (!free_sized)
        return SKIP;
    free_sized(p, bytes);
    free_sized(hide(p), bytes);
    return survived();
}
