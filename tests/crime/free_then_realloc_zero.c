/* free_then_realloc_zero.c - realloc(p, 0) of a freed block is a second free.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: realloc({p}), a block of 48 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: realloc({p}), a block of 10240 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: realloc({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid realloc({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    void *p = say("p", among(size_argument(argc, argv, 48)));

    free(p);
    hide(realloc(hide(p), 0));
    return survived();
}
