/* remote.c - blocks made by some threads and freed by others: whole, and with bounded memory. Whole
 *      huge pages under slabs of four blocks would be counted as theirs.
 * options: huge=never
 */
#include "tap.h"

#include <sched.h>

enum { QUEUE = 1024, PAIRS = 3, EACH = 400000 };

struct queue {
    void    *slot[QUEUE];
    unsigned head __attribute__((aligned(64)));
    unsigned tail __attribute__((aligned(64)));
};

static struct queue queue[PAIRS];
static int          bad;

static size_t bytes_of(unsigned i)
{
    return 24 + i * 13 % (i % 512 ? 300 : 20000);
}

static void *produce(void *arg)
{
    struct queue *to = arg;

    for (unsigned i = 0; i < EACH; i++) {
        unsigned *p = malloc(bytes_of(i));

        p[0] = i;
        p[bytes_of(i) / 4 - 1] = ~i;
        while (i - __atomic_load_n(&to->tail, __ATOMIC_ACQUIRE) >= QUEUE)
            sched_yield();
        to->slot[i % QUEUE] = p;
        __atomic_store_n(&to->head, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *consume(void *arg)
{
    struct queue *from = arg;

    for (unsigned i = 0; i < EACH; i++) {
        unsigned *p;

        while (__atomic_load_n(&from->head, __ATOMIC_ACQUIRE) <= i)
            sched_yield();
        p = from->slot[i % QUEUE];
        __atomic_store_n(&from->tail, i + 1, __ATOMIC_RELEASE);
        if (p[0] != i || p[bytes_of(i) / 4 - 1] != ~i)
            __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        free(p);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[2 * PAIRS];
    long      before = status_value("VmRSS:"), most;

    for (int i = 0; i < PAIRS; i++) {
        pthread_create(&thread[2 * i], NULL, produce, &queue[i]);
        pthread_create(&thread[2 * i + 1], NULL, consume, &queue[i]);
    }
    for (int i = 0; i < 2 * PAIRS; i++)
        pthread_join(thread[i], NULL);
    most = status_value("VmHWM:");
    check(bad == 0, "every block arrived whole");
    check(most - before < 32768,
        "memory stayed bounded: %ld KiB at most for 1,024 blocks under way", most - before);
    return done();
}
