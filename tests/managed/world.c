/* world.c - threads that cannot be stopped, and signals that are the program's own.
 * seconds: 120
 */
#include "check.h"

#include <sys/wait.h>

static uint64_t given_up(void)
{
    struct midden_gc_stats stats = { .size = sizeof stats };
    uint64_t               sum = 0;

    for (int i = 0; i < 3; i++)
        sum += midden_get_stats(i, &stats) ? 0 : stats.given_up;
    return sum;
}

/* -- all signals blocked ----------------------------------------------------------------------- */

static volatile int blocked, let_go;

static void *block_all(void *unused)
{
    uint64_t all = ~(uint64_t)0, old = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &old, sizeof all);
    blocked = 1;
    while (!let_go)
        usleep(1000);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
    blocked = 0;
    while (let_go != 2)
        usleep(1000);
    return NULL;
}

/* A thread that no signal reaches: the collection is given up, soon, and nothing is lost. */
static void deaf(void)
{
    pthread_t thread;
    uint64_t  before;
    double    begin, took;
    long      found;

    wipe();
    midden_collect(MIDDEN_FULL);
    ends();
    before = given_up();
    thread = start(block_all, NULL);
    while (!blocked)
        sched_yield();
    midden_release(ring(5));
    begin = now_ms();
    errno = 0;
    found = midden_collect(MIDDEN_FULL);
    took = now_ms() - begin;
    check(found == -1 && errno == EAGAIN, "a thread that blocks all signals: EAGAIN");
    check(took >= 20 && took < 2500, "after %.0f ms", took);
    check_alone(given_up() == before + 1, "the collection is counted as given up");
    check(ends() == 0, "and nothing was freed");
    errno = 0;
    check(midden_freeze() == -1 && errno == EAGAIN, "freeze says so, too");
    midden_release(node(1));
    check(ends() == 1 && malloc(10) != NULL, "counted objects die at zero all the same");
    let_go = 1;
    while (blocked)
        sched_yield();
    found = midden_collect(MIDDEN_FULL);
    check(found == 5 && ends() == 5, "when it answers again all is found: %ld", found);
    let_go = 2;
    pthread_join(thread, NULL);
}

/* A deaf thread does not make allocation slow: automatic collections back off. */
static void backing_off(void)
{
    pthread_t thread;
    double    begin, took;
    long      count = every_count() ? 1 : 100000;

    let_go = 0;
    thread = start(block_all, NULL);
    while (!blocked)
        sched_yield();
    midden_enable();
    begin = now_ms();
    for (long i = 0; i < count; i++)
        midden_release(ring(3));
    took = now_ms() - begin;
    midden_disable();
    check_alone(took < 5000, "%ld objects are made beside it in %.0f ms", 3 * count, took);
    let_go = 2;
    pthread_join(thread, NULL);
    midden_collect(MIDDEN_FULL);
    midden_collect(MIDDEN_FULL);
    check(ends() == 3 * count, "and all go in the end");
}

/* -- vfork ------------------------------------------------------------------------------------- */

static volatile int in_vfork;

static void *vforking(void *unused)
{
    pid_t child;

    in_vfork = 1;
    child = vfork();
    if (child == 0) {
        struct timespec at = { 0, 300000000 };

        syscall(SYS_nanosleep, &at, NULL);
        _exit(0);
    }
    in_vfork = 2;
    waitpid(child, NULL, 0);
    return NULL;
}

static void vforked(void)
{
    struct node *garbage = ring(4);
    pthread_t    thread = start(vforking, NULL);
    long         found;
    int          error, early;

    while (!in_vfork)
        sched_yield();
    pause_ms(30);
    midden_release(garbage);
    ends();
    errno = 0;
    found = midden_collect(MIDDEN_FULL);
    error = errno;
    early = in_vfork == 1;
    check(!early || (found == -1 && error == EAGAIN), "a thread that waits in vfork: EAGAIN");
    pthread_join(thread, NULL);
    check(early, "the answer came before the child ended");
    found = midden_collect(MIDDEN_FULL);
    check(found == 4 && ends() == 4, "after it collections work again: %ld", found);
}

/* -- signals of the program -------------------------------------------------------------------- */

enum { SENT = 20000 };

static volatile int stop;
static long         received, handled_bad;
static uintptr_t    checksum;

static void queued(int number, siginfo_t *info, void *context)
{
    char *block = malloc(100 + (size_t)info->si_value.sival_int % 1000);

    (void)number, (void)context;
    if (!block)
        __atomic_add_fetch(&handled_bad, 1, __ATOMIC_RELAXED);
    else
        block[0] = 1;
    free(block);
    __atomic_add_fetch(&received, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&checksum, (uintptr_t)info->si_value.sival_int, __ATOMIC_RELAXED);
}

static void *collect_often(void *unused)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    while (!stop) {
        midden_collect(stop + 1);
        midden_collect(MIDDEN_FULL);
    }
    return NULL;
}

static void *work(void *arg)
{
    long bad = 0;

    while (!stop)
        bad += churn((unsigned)(uintptr_t)arg, 500);
    __atomic_add_fetch(&handled_bad, bad, __ATOMIC_RELAXED);
    return NULL;
}

static void send(union sigval value)
{
    while (sigqueue(getpid(), SIGRTMIN + 1, value) != 0 && errno == EAGAIN)
        sched_yield();
}

static void not_lost(void)
{
    struct sigaction action = { .sa_sigaction = queued, .sa_flags = SA_SIGINFO | SA_RESTART };
    pthread_t        thread[3];
    uintptr_t        sum = 0;
    uint64_t         before = collections(2);
    sigset_t         set, old;

    sigaction(SIGRTMIN + 1, &action, NULL);
    thread[0] = start(collect_often, NULL);
    for (long i = 1; i < 3; i++)
        thread[i] = start(work, (void *)i);
    for (int i = 0; i < SENT; i++) {
        union sigval value = { .sival_int = i };

        sum += (uintptr_t)i;
        send(value);
        if (i % 64 == 0)
            usleep(100);
    }
    for (int i = 0; i < 500 && __atomic_load_n(&received, __ATOMIC_RELAXED) < SENT; i++)
        pause_ms(10);
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    check(received == SENT && checksum == sum,
        "of %d queued signals %ld arrived, while %lu collections ran", SENT, received,
        (unsigned long)(collections(2) - before));
    check(handled_bad == 0, "their handler allocates, and so do the threads it interrupts");
}

static void allocate_in_handler(int number)
{
    (void)number;
    if (churn(3, 20) != 0)
        handled_bad++;
    received++;
}

static void own_handler(void)
{
    struct sigaction action = { .sa_handler = allocate_in_handler, .sa_flags = 0 }, now;
    pthread_t        thread;
    double           end = now_ms() + 500;
    long             sent = 0, bad = 0;

    received = handled_bad = stop = 0;
    sigaction(SIGUSR1, &action, NULL);
    thread = start(collect_often, NULL);
    while (now_ms() < end) {
        bad += churn((unsigned)sent, 200);
        raise(SIGUSR1);
        sent++;
    }
    stop = 1;
    pthread_join(thread, NULL);
    sigaction(SIGUSR1, NULL, &now);
    check(received == sent && now.sa_handler == allocate_in_handler,
        "a handler for SIGUSR1 is called %ld times of %ld", received, sent);
    check(bad == 0 && handled_bad == 0, "and may allocate");
}

/* The signal mask of a thread is what it was after it has been stopped. */
static volatile int masks_bad;

static void *keep_mask(void *unused)
{
    sigset_t set, now;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
    while (!stop) {
        pthread_sigmask(SIG_SETMASK, NULL, &now);
        for (int i = 1; i < SIGRTMAX; i++)
            masks_bad += sigismember(&now, i) == 1 && i != SIGUSR2;
        masks_bad += sigismember(&now, SIGUSR2) != 1;
    }
    return NULL;
}

static void masks(void)
{
    pthread_t thread;

    stop = 0;
    thread = start(keep_mask, NULL);
    for (int i = 0; i < 300; i++)
        midden_collect(MIDDEN_FULL);
    stop = 1;
    pthread_join(thread, NULL);
    check(masks_bad == 0, "a thread's signal mask is its own");
}

/* -- many threads ------------------------------------------------------------------------------ */

enum { CROWD = 200 };

static pthread_barrier_t gate;

static void *stand(void *unused)
{
    void *volatile object = midden_alloc(100);
    uintptr_t      word = hidden(object);

    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    return (void *)(uintptr_t)!in_use(word);
}

static void crowd(void)
{
    static pthread_t thread[CROWD];
    double           begin;
    long             failed = 0, lost = 0;
    void            *result;

    pthread_barrier_init(&gate, NULL, CROWD + 1);
    for (int i = 0; i < CROWD; i++)
        thread[i] = start(stand, NULL);
    pthread_barrier_wait(&gate);
    begin = now_ms();
    for (int i = 0; i < 20; i++)
        failed += midden_collect(MIDDEN_FULL) < 0;
    begin = (now_ms() - begin) / 20;
    pthread_barrier_wait(&gate);
    for (int i = 0; i < CROWD; i++) {
        pthread_join(thread[i], &result);
        lost += (long)(uintptr_t)result;
    }
    check(failed == 0 && lost == 0, "%d threads are stopped, %.1f ms a collection", CROWD, begin);
}

/* Threads are born and die while collections run. */
static void *be_born(void *arg)
{
    void **volatile object = midden_alloc(64);

    object[1] = arg;
    usleep(50);
    return (void *)(uintptr_t)(object[1] != arg);
}

static void births_and_deaths(void)
{
    pthread_t collector, thread[8];
    double    end = now_ms() + 700;
    long      born = 0, bad = 0;
    uint64_t  before = collections(2), failed = given_up();
    void     *result;

    stop = 0;
    collector = start(collect_often, NULL);
    while (now_ms() < end) {
        for (int i = 0; i < 8; i++)
            thread[i] = start(be_born, &thread[i]);
        for (int i = 0; i < 8; i++, born++) {
            pthread_join(thread[i], &result);
            bad += result != NULL;
        }
    }
    stop = 1;
    pthread_join(collector, NULL);
    failed = given_up() - failed;
    check(bad == 0 && failed == 0, "%ld threads come and go in %lu collections, %lu given up", born,
        (unsigned long)(collections(2) - before), (unsigned long)failed);
}

int main(void)
{
    midden_disable();
    crowd();
    births_and_deaths();
    not_lost();
    own_handler();
    masks();
    deaf();
    vforked();
    backing_off();
    return done();
}
