/* threads_at_once.c - five hundred threads that all allocate, then all free what their neighbour
 *      allocated. */
#include "../trap/tap.h"

enum { COUNT = 500, BLOCKS = 50 };

static pthread_barrier_t gate;
static char             *block[COUNT][BLOCKS];
static int               bad;

static void *run(void *number)
{
    unsigned me = (unsigned)(uintptr_t)number, other = (me + 1) % COUNT;

    pthread_barrier_wait(&gate);
    for (unsigned i = 0; i < BLOCKS; i++) {
        block[me][i] = malloc(16 + i * 40);
        fill(block[me][i], 16 + i * 40, me + i);
    }
    pthread_barrier_wait(&gate);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (!holds(block[other][i], 16 + i * 40, other + i))
            __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        free(block[other][i]);
    }
    pthread_barrier_wait(&gate);
    if (churn(me, 500) != 0)
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    pthread_t      thread[COUNT];
    pthread_attr_t attr;
    unsigned       made = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 1 << 18);
    pthread_barrier_init(&gate, NULL, COUNT);
    while (made < COUNT && pthread_create(&thread[made], &attr, run, (void *)(uintptr_t)made) == 0)
        made++;
    if (made < COUNT)
        skip_all("only %u threads can be made", made);
    for (unsigned i = 0; i < COUNT; i++)
        pthread_join(thread[i], NULL);
    check(bad == 0, "five hundred threads free each other's blocks");
    check(churn(1, 20000) == 0, "and the first churns after them");
    return done();
}
