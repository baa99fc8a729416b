/* signals.c - a handler that allocates and frees interrupts malloc and free of its own thread,
 *      very often.
 *      Blocks go both ways: the handler frees what the program allocated, the program what the
 *      handler did. A handler that
 *      interrupted the very middle of the heap may be refused a large block, rarely; never a small
 *      one.
 * seconds: 60
 */
#include "tap.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

enum { RING = 64, THREADS = 3, SECONDS = 2 };

static void          *ring[RING];
static volatile int   running = 1;
static int            bad, calls, refused;
static __thread int   depth;
static __thread unsigned state_of_handler;

static void fault(int is)
{
    if (is)
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
}

/* A block whose first word tells its size. */
static void *labelled(size_t bytes, int zeroed)
{
    size_t *p = zeroed ? calloc(1, bytes + 16) : malloc(bytes + 16);

    if (!p) {
        fault(depth == 0 || bytes < 65536);
        __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    fault(zeroed && !is_zero(p, bytes + 16));
    p[0] = bytes;
    fill(p + 2, bytes, (unsigned)bytes);
    return p;
}

static void dispose(void *block)
{
    size_t *p = block;

    if (!p)
        return;
    fault(!holds(p + 2, p[0], (unsigned)p[0]));
    free(p);
}

static void exchange(unsigned *state)
{
    size_t bytes = next_random(state) % 40 ? next_random(state) % 400 : next_random(state) % 400000;
    void  *p = labelled(bytes, next_random(state) % 3 == 0);

    if (next_random(state) % 4 == 0 && p) {
        size_t less = ((size_t *)p)[0] / 2;

        void *q = realloc(p, less + 16);

        fault(!q && (depth == 0 || bytes < 65536));
        p = q ? q : p;
        fault(!holds((size_t *)p + 2, less, (unsigned)bytes));
        if (q)
            ((size_t *)q)[0] = 0;
    }
    dispose(__atomic_exchange_n(&ring[next_random(state) % RING], p, __ATOMIC_ACQ_REL));
}

static void handler(int number)
{
    int kept = errno;

    if (depth++ == 0) {
        if (state_of_handler == 0)
            state_of_handler = (unsigned)(uintptr_t)&depth;
        for (int i = 0; i < 3; i++)
            exchange(&state_of_handler);
        __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    }
    depth--;
    errno = kept + 0 * number;
}

static void *work(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed + 1;

    while (running) {
        for (int i = 0; i < 200; i++)
            exchange(&state);
        fault(churn(next_random(&state), 200) != 0);
    }
    return NULL;
}

/* The signal goes to each thread in turn, as fast as it can. */
static void *pester(void *threads)
{
    struct timespec moment = { 0, 20000 };

    while (running)
        for (int i = 0; i < THREADS; i++) {
            pthread_kill(((pthread_t *)threads)[i], SIGUSR1);
            nanosleep(&moment, NULL);
        }
    return NULL;
}

int main(void)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
    pthread_t        thread[THREADS], pesterer;
    sigset_t         ours;
    unsigned         mine = 12345;

    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (time_t end = time(NULL) + SECONDS; time(NULL) < end;)
        for (int i = 0; i < 1000; i++)
            exchange(&mine);
    setitimer(ITIMER_REAL, &never, NULL);
    check(calls > 1000, "a timer interrupted the first thread %d times", calls);
    check(bad == 0, "and no block was given out twice or lost its contents");
    calls = 0;
    for (long i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, (void *)i);
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    pthread_create(&pesterer, NULL, pester, thread);
    sleep(SECONDS);
    running = 0;
    pthread_join(pesterer, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    check(calls > 1000, "three threads were interrupted %d times", calls);
    check(bad == 0, "and no block was given out twice or lost its contents");
    for (int i = 0; i < RING; i++)
        dispose(ring[i]);
    check(refused * 100 < calls, "large blocks were refused only %d times", refused);
    check(bad == 0 && churn(1, 20000) == 0, "the heap works afterwards");
    return done();
}
