/* fork_handlers.c - fork handlers registered early and late, that allocate, while other threads
 *      allocate.
 * library: hooks
 * preload-before: hooks
 */
#include "../trap/tap.h"

enum { FORKS = 50, THREADS = 4 };

static int   stop, handled;
static char *mine;

static void prepare(void)
{
    handled++;
    mine = malloc(3000);
    fill(mine, 3000, 1);
}

static void after(void)
{
    handled += holds(mine, 3000, 1);
    free(mine);
    mine = NULL;
    if (churn(3, 100) != 0)
        handled = -1000;
}

static void *work(void *seed)
{
    long bad = 0;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        bad += churn((unsigned)(uintptr_t)seed, 1000);
    return (void *)bad;
}

static void *one_churn(void *seed)
{
    return (void *)(long)churn((unsigned)(uintptr_t)seed, 500);
}

static int grandchild(void *unused)
{
    hide(unused);
    return churn(8, 500) != 0;
}

/* In the child: churn, a thread, another fork. */
static int child(void *unused)
{
    pthread_t thread;
    void     *bad = unused;

    if (churn(5, 1000) != 0)
        return 1;
    if (pthread_create(&thread, NULL, one_churn, (void *)6) != 0 || pthread_join(thread, &bad) != 0
        || bad)
        return 2;
    return in_child(grandchild, NULL) == 0 ? 0 : 3;
}

int main(void)
{
    pthread_t thread[THREADS];
    long      bad = 0;
    int       good = 0;

    pthread_atfork(prepare, after, after);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, (void *)i);
    for (int i = 0; i < FORKS; i++)
        good += in_child(child, NULL) == 0;
    stop = 1;
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(thread[i], &result);
        bad += (long)result;
    }
    check(good == FORKS, "%d of %d children churned, started a thread and forked", good, FORKS);
    check(handled == 2 * FORKS, "the handlers found their block whole");
    check(bad == 0, "the threads of the parent were not disturbed");
    return done();
}
