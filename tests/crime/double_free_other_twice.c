/* double_free_other_twice.c - freed twice by one thread that did not allocate it.
 * expect-signal: ABRT
 * args: 48
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 * args: 10000
 * expect-sentence: double free: free({p}), a block of 10240 bytes that is free already{by}
 * args: 300000
 * expect-sentence: double free: free({p}), a block of 303104 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

static void *free_twice(void *p)
{
    free(p);
    free(hide(p));
    return NULL;
}

int main(int argc, char **argv)
{
    void *p = say("p", among(size_argument(argc, argv, 48)));

    in_thread(free_twice, p);
    return survived();
}
