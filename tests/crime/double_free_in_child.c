/* double_free_in_child.c - a forked child frees a block of its parent's twice.
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

int main(int argc, char **argv)
{
    void *p = say("p", among(size_argument(argc, argv, 48)));
    pid_t child = fork();

    if (child != 0)
        return end_like(child);
    free(p);
    free(hide(p));
    _exit(survived());
}
