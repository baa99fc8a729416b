/* double_free_many.c - the first of a hundred freed blocks, freed again after all the others.
 * expect-signal: ABRT
 * expect-by: this
 * args: 32
 * expect-sentence: double free: free({p}), a block of 32 bytes that is free already{by}
 * args: 512
 * expect-sentence: double free: free({p}), a block of 512 bytes that is free already{by}
 * args: 4096
 * expect-sentence: double free: free({p}), a block of 4096 bytes that is free already{by}
 * args: 65536
 * expect-sentence: double free: free({p}), a block of 65536 bytes that is free already{by}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 32);
    void  *keep = among(bytes), *block[100];

    for (int i = 0; i < 100; i++)
        block[i] = hide(malloc(bytes));
    hide(keep);
    for (int i = 0; i < 100; i++)
        free(block[i]);
    free(say("p", block[0]));
    return survived();
}
