/* double_free_orphan.c - a block of a thread that has ended, freed twice.
 * expect-signal: ABRT
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 1000
 * expect-sentence: double free: free({p}), a block of 1024 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", in_thread(thread_malloc, (void *)bytes));

    free(p);
    free(hide(p));
    return survived();
}
