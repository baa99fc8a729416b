/* double_realloc_remote.c - a block freed by another thread, given to realloc by its owner.
 * expect-signal: ABRT
 * expect-by: another
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
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    in_thread(thread_free, p);
    hide(realloc(hide(p), bytes));
    return survived();
}
