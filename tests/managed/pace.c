/* pace.c - more threads than processors make garbage as fast as they can: one of them collects, and
 *      the others do not run away from it.
 * shrunken: no
 * seconds: 60
 */
#include "check.h"

enum { THREADS = 8, SECONDS = 3, MOST_MIB = 256 };

static volatile int stop;
static long         rings;

static void *counted(void *unused)
{
    long made = 0;

    for (; !stop; made++)
        midden_release(ring(5));
    __atomic_add_fetch(&rings, made, __ATOMIC_RELAXED);
    return NULL;
}

static void *mixed(void *unused)
{
    long made = 0;

    for (; !stop; made++) {
        midden_release(ring(5));
        *(void **)midden_alloc(100) = midden_alloc_leaf(200);
    }
    __atomic_add_fetch(&rings, made, __ATOMIC_RELAXED);
    return NULL;
}

static void bounded(void *(*body)(void *), const char *what)
{
    pthread_t thread[THREADS];
    long      most = 0;

    stop = rings = 0;
    for (int i = 0; i < THREADS; i++)
        thread[i] = start(body, NULL);
    for (int i = 0; i < (every_count() ? 100 : SECONDS * 100); i++) {
        long now = status_value("VmRSS:") / 1024;

        most = now > most ? now : most;
        pause_ms(10);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    check(most <= MOST_MIB, "%ld rings%s of %d threads, none of them kept, took %ld MiB", rings,
        what, THREADS, most);
    midden_collect(MIDDEN_FULL);
    check(ends() == rings * 5, "and all are gone in the end");
}

int main(void)
{
    bounded(counted, "");
    bounded(mixed, " and uncounted objects");
    return done();
}
