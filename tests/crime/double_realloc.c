/* double_realloc.c - a freed block given to realloc.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: realloc({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: realloc({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: realloc({p}), a block of 10240 bytes that is free already{by}
 * args: 100000
 * expect-sentence: double free: realloc({p}), a block of 106496 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: realloc({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid realloc({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 * args: 5000000
 * expect-sentence: double free: realloc({p}), a block of 5001216 bytes that is free already{by}
 * expect-sentence: invalid realloc({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    free(p);
    hide(realloc(hide(p), 2 * bytes));
    return survived();
}
