/* double_free_owner_other.c - freed by the thread that allocated it, then by another.
 * expect-signal: ABRT
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
 * args: 5000000
 * expect-sentence: double free: free({p}), a block of 5001216 bytes that is free already{by}
 * expect-sentence: invalid free({p}): the address lies in heap memory that was given back; its
 *     block was freed before
 */
#include "crime.h"

#include <semaphore.h>

static sem_t freed;

/* The thread is there before the first free: what its making allocates must not take the block's
 * place. */
static void *free_too(void *p)
{
    while (sem_wait(&freed) != 0)
        ;
    free(hide(p));
    return NULL;
}

int main(int argc, char **argv)
{
    void     *p = say("p", among(size_argument(argc, argv, 48)));
    pthread_t thread;

    sem_init(&freed, 0, 0);
    if (pthread_create(&thread, NULL, free_too, p) != 0)
        return 1;
    free(p);
    sem_post(&freed);
    pthread_join(thread, NULL);
    return survived();
}
