/* exit_race.c - the process ends in several ways while its threads allocate.
 * flags: -O0
 */
#include "../trap/tap.h"

enum { THREADS = 3, TIMES = 10 };

static char *kept[100];
static int   handlers;

static void *work(void *seed)
{
    for (;;)
        if (churn((unsigned)(uintptr_t)seed, 500) != 0)
            _exit(3);
    return NULL;
}

static void release(void)
{
    for (int i = 0; i < 100; i++)
        free(kept[i]);
    if (churn(2, 1000) != 0)
        _exit(4);
}

__attribute__((destructor)) static void last(void)
{
    if (handlers && churn(3, 1000) != 0)
        _exit(5);
}

static void start(int threads)
{
    pthread_t thread;

    handlers = 1;
    atexit(release);
    at_quick_exit(release);
    for (int i = 0; i < 100; i++)
        kept[i] = malloc((size_t)i * 300);
    for (long i = 0; i < threads; i++)
        pthread_create(&thread, NULL, work, (void *)i);
    usleep(2000);
}

static int by_exit(void *unused)
{
    start(THREADS);
    exit(unused ? 1 : 7);
}

static int by_quick_exit(void *unused)
{
    start(THREADS);
    quick_exit(unused ? 1 : 7);
}

static int by_underscore_exit(void *unused)
{
    start(THREADS);
    _exit(unused ? 1 : 7);
}

static void *exit_soon(void *unused)
{
    usleep(2000);
    exit(unused ? 1 : 7);
}

static int by_another_thread(void *unused)
{
    pthread_t thread;

    start(THREADS);
    pthread_create(&thread, NULL, exit_soon, NULL);
    hide(unused);
    for (;;)
        churn(1, 100);
}

static void *free_and_end(void *unused)
{
    release();
    return unused;
}

/* The first thread is gone; the last one to end makes the process end with 0. */
static int by_pthread_exit(void *unused)
{
    pthread_t thread;

    for (int i = 0; i < 100; i++)
        kept[i] = malloc((size_t)i * 300);
    for (int i = 0; i < 100; i++)
        if (i > 0)
            kept[i] = realloc(kept[i], (size_t)i * 700);
    pthread_create(&thread, NULL, free_and_end, NULL);
    pthread_exit(unused);
}

static void times(int (*body)(void *), int wanted, const char *how)
{
    int good = 0, status = 0;

    for (int i = 0; i < TIMES; i++) {
        status = in_child(body, NULL);
        good += WIFEXITED(status) && WEXITSTATUS(status) == wanted;
    }
    check(good == TIMES, "%s: %d of %d end as they should (last status %#x)", how, good, TIMES,
        (unsigned)status);
}

int main(void)
{
    times(by_exit, 7, "exit while threads allocate");
    times(by_quick_exit, 7, "quick_exit while threads allocate");
    times(by_underscore_exit, 7, "_exit while threads allocate");
    times(by_another_thread, 7, "exit by another thread");
    times(by_pthread_exit, 0, "the first thread ends before the others");
    return done();
}
