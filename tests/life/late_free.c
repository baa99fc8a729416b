/* late_free.c - destructors of thread-specific data allocate and free in all their rounds; the C
 *      library frees after them.
 *      Keys are made before main, and so many that the later ones need memory of their own in each
 *      thread.
 */
#include "../trap/tap.h"

enum { KEYS = 60, THREADS = 60 };

static pthread_key_t key[KEYS];
static int           rounds, bad;

struct item {
    int   left;                                  /* rounds to go */
    int   which;
    char *block;
};

static struct item *item_make(int which, int left)
{
    struct item *item = malloc(sizeof *item);

    item->left = left;
    item->which = which;
    item->block = calloc(1, (size_t)(which * 100 + 1));
    return item;
}

static void destroy(void *arg)
{
    struct item *item = arg;

    __atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
    if (!is_zero(item->block, (size_t)(item->which * 100 + 1)))
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
    free(item->block);
    if (churn((unsigned)item->which, 20) != 0)
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
    if (item->left > 0)
        pthread_setspecific(key[item->which], item_make(item->which, item->left - 1));
    free(item);
}

__attribute__((constructor(101))) static void early(void)
{
    for (int i = 0; i < KEYS / 2; i++)
        pthread_key_create(&key[i], destroy);
}

static void *run(void *unused)
{
    for (int i = 0; i < KEYS; i++)
        pthread_setspecific(key[i], item_make(i, PTHREAD_DESTRUCTOR_ITERATIONS - 1));
    strerror(123456);
    return unused;
}

int main(void)
{
    long before;

    for (int i = KEYS / 2; i < KEYS; i++)
        pthread_key_create(&key[i], destroy);
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;

        if (i == THREADS / 2)
            before = status_value("VmRSS:");
        pthread_create(&thread, NULL, run, NULL);
        pthread_join(thread, NULL);
    }
    check(rounds == THREADS * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS,
        "destructors ran in all rounds");
    check(bad == 0, "and found their blocks as they were left");
    check(status_value("VmRSS:") - before < 4096, "nothing is stranded by what they allocate late");
    return done();
}
