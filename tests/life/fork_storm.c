/* fork_storm.c - several threads fork at once while others allocate and free each other's
 *      blocks. */
#include "../trap/tap.h"

enum { FORKERS = 3, WORKERS = 3, FORKS = 60, RING = 256 };

static int   stop, good;
static void *ring[RING];

/* Blocks go round: each is freed by whoever draws it. */
static void *work(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        size_t bytes = random_bytes(&state);
        char  *p = malloc(bytes ? bytes : 1);

        *p = 1;
        free(__atomic_exchange_n(&ring[next_random(&state) % RING], p, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

/* The child frees what its parent's threads left in the ring, too. */
static int child(void *seed)
{
    for (int i = 0; i < RING; i++)
        free(__atomic_exchange_n(&ring[i], NULL, __ATOMIC_ACQ_REL));
    return churn((unsigned)(uintptr_t)seed, 2000) != 0;
}

static void *forker(void *seed)
{
    for (int i = 0; i < FORKS; i++)
        if (in_child(child, seed) == 0)
            __atomic_add_fetch(&good, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    pthread_t worker[WORKERS], forking[FORKERS];

    for (long i = 0; i < WORKERS; i++)
        pthread_create(&worker[i], NULL, work, (void *)(i + 1));
    for (long i = 0; i < FORKERS; i++)
        pthread_create(&forking[i], NULL, forker, (void *)(i + 9));
    for (int i = 0; i < FORKERS; i++)
        pthread_join(forking[i], NULL);
    stop = 1;
    for (int i = 0; i < WORKERS; i++)
        pthread_join(worker[i], NULL);
    check(good == FORKERS * FORKS, "%d of %d children freed and allocated", good, FORKERS * FORKS);
    return done();
}
