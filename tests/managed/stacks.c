/* stacks.c - threads that wait in the kernel, in many ways, hold objects on their stacks, and do
 *      not notice that they were stopped.
 * seconds: 120
 */
#define CRADLE 1024                          /* 14 batches of 32, and two more */
#include "check.h"

#include <linux/futex.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

enum { BATCH = 32, STACK = 256 * 1024 };

struct waiter {
    const char *name;
    void      (*wait)(struct waiter *self);
    int         pipe[2], tid;
    uint32_t    word;
    long        interrupted;                 /* returns that no one asked for */
    uintptr_t   object[BATCH];               /* hidden */
    int         bad, held;
    sem_t       semaphore;
    pthread_mutex_t mutex;
    pthread_cond_t  condition;
    pthread_t   thread;
};

static volatile int over;

/* -- ways to wait ------------------------------------------------------------------------------ */

static void in_read(struct waiter *self)
{
    char byte;

    while (read(self->pipe[0], &byte, 1) != 1)
        self->interrupted++;
}

static void in_poll(struct waiter *self)
{
    struct pollfd at = { self->pipe[0], POLLIN, 0 };

    while (poll(&at, 1, -1) != 1)
        self->interrupted++;
}

static void in_epoll(struct waiter *self)
{
    struct epoll_event event = { EPOLLIN, { .ptr = NULL } };
    int                file = epoll_create1(EPOLL_CLOEXEC);

    epoll_ctl(file, EPOLL_CTL_ADD, self->pipe[0], &event);
    while (epoll_wait(file, &event, 1, -1) != 1)
        self->interrupted++;
    close(file);
}

static void in_select(struct waiter *self)
{
    fd_set set;

    do {
        FD_ZERO(&set);
        FD_SET(self->pipe[0], &set);
    } while (select(self->pipe[0] + 1, &set, NULL, NULL, NULL) != 1 && ++self->interrupted);
}

static void in_sleep(struct waiter *self)
{
    struct timespec at = { 0, 200 * 1000000 };

    while (!over)
        self->interrupted += nanosleep(&at, NULL) != 0;
}

static void in_futex(struct waiter *self)
{
    while (__atomic_load_n(&self->word, __ATOMIC_ACQUIRE) == 0)
        if (syscall(SYS_futex, &self->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) != 0)
            self->interrupted++;
}

static void in_mutex(struct waiter *self)
{
    pthread_mutex_lock(&self->mutex);
    pthread_mutex_unlock(&self->mutex);
}

static void in_condition(struct waiter *self)
{
    pthread_mutex_lock(&self->mutex);
    while (self->word == 0)
        pthread_cond_wait(&self->condition, &self->mutex);
    pthread_mutex_unlock(&self->mutex);
}

static void in_semaphore(struct waiter *self)
{
    while (sem_wait(&self->semaphore) != 0)
        self->interrupted++;
}

static void in_sigwait(struct waiter *self)
{
    sigset_t set;
    int      number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    while (sigwait(&set, &number) != 0 || number != SIGUSR2)
        self->interrupted++;
}

static void in_pause(struct waiter *self)
{
    while (!over)
        pause();
}

static void in_join(struct waiter *self)
{
    pthread_join((self - 1)->thread, NULL);
}

static void in_loop(struct waiter *self)
{
    while (!over)
        __asm__ volatile("" ::: "memory");
}

static void in_malloc(struct waiter *self)
{
    unsigned seed = 7;

    while (!over) {
        char *block = malloc(next_random(&seed) % 3000);

        block[0] = 1;
        free(block);
    }
}

/* -- threads ----------------------------------------------------------------------------------- */

/* Makes a batch on its stack, waits, looks whether it is whole. */
static NOINLINE void hold(struct waiter *self)
{
    uintptr_t *volatile here[BATCH];

    for (int i = 0; i < BATCH; i++) {
        here[i] = midden_alloc(64);
        here[i][5] = self->object[i] = hidden((void *)here[i]);
    }
    __atomic_store_n(&self->held, 1, __ATOMIC_RELEASE);
    self->wait(self);
    for (int i = 0; i < BATCH; i++)
        self->bad += here[i][5] != hidden((void *)here[i]) || !in_use(self->object[i]);
}

static void *body(void *arg)
{
    struct waiter *self = arg;

    self->tid = (int)syscall(SYS_gettid);
    hold(self);
    __atomic_store_n(&self->held, 2, __ATOMIC_RELEASE);
    return NULL;
}

static void wake(struct waiter *self)
{
    ssize_t unused = write(self->pipe[1], "x", 1);

    (void)unused;
    sem_post(&self->semaphore);
    if (self->wait == in_sigwait)
        pthread_kill(self->thread, SIGUSR2);
    if (self->wait == in_condition)
        pthread_mutex_lock(&self->mutex);
    __atomic_store_n(&self->word, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&self->condition);
    if (self->wait == in_condition || self->wait == in_mutex)
        pthread_mutex_unlock(&self->mutex);
    while (self->wait == in_pause && __atomic_load_n(&self->held, __ATOMIC_ACQUIRE) != 2)
        syscall(SYS_tgkill, getpid(), self->tid, SIGUSR1);
    syscall(SYS_futex, &self->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static struct waiter *waiter;

static struct waiter all[] = {
    { "read", in_read },           { "poll", in_poll },       { "epoll_wait", in_epoll },
    { "select", in_select },       { "nanosleep", in_sleep }, { "a futex", in_futex },
    { "a mutex", in_mutex },       { "a condition", in_condition },
    { "a semaphore", in_semaphore }, { "sigwait", in_sigwait }, { "pause", in_pause },
    { "pthread_join", in_join },   { "a loop", in_loop },     { "malloc", in_malloc },
};

enum { WAITERS = sizeof all / sizeof *all };

static void launch(struct waiter *self)
{
    if (pipe(self->pipe) != 0)
        _exit(86);
    sem_init(&self->semaphore, 0, 0);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->condition, NULL);
    if (self->wait == in_mutex)
        pthread_mutex_lock(&self->mutex);
    self->thread = start(body, self);
    while (!__atomic_load_n(&self->held, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void no_action(int number)
{
    (void)number;
}

static void waiting(void)
{
    long failed = 0, used;

    for (int i = 0; i < WAITERS; i++)
        launch(&waiter[i]);
    pause_ms(20);
    wipe();
    for (int i = 0; i < 30; i++)
        failed += midden_collect(MIDDEN_FULL) < 0;
    check(failed == 0, "%d threads that wait are stopped: %ld of 30 collections failed", WAITERS,
        failed);
    for (int i = 0; i < WAITERS; i++) {
        used = 0;
        for (int j = 0; j < BATCH; j++)
            used += in_use(waiter[i].object[j]);
        check(used == BATCH, "the stack of a thread in %s keeps objects: %ld of %d", waiter[i].name,
            used, BATCH);
    }
    over = 1;
    for (int i = 0; i < WAITERS; i++) {
        wake(&waiter[i]);
        if (waiter[i].wait != in_pause)      /* that one the next has joined */
            pthread_join(waiter[i].thread, NULL);
    }
    for (int i = 0; i < WAITERS; i++)
        check(waiter[i].bad == 0, "a thread in %s finds them whole; %ld calls came back early",
            waiter[i].name, waiter[i].interrupted);
}

static void stacks_of_the_dead(void)
{
    long used = 0, before = 0;

    wipe();
    midden_collect(MIDDEN_FULL);
    for (int i = 0; i < WAITERS; i++, before = used) {
        for (int j = 0; j < BATCH; j++)
            used += in_use(waiter[i].object[j]);
        if (used > before + 2)
            printf("# of the thread in %s: %ld\n", waiter[i].name, used - before);
    }
    fflush(stdout);
    check(used <= 30, "stacks of threads that ended keep nothing: %ld of %d stay", used,
        WAITERS * BATCH);
}

/* -- an alternate signal stack ----------------------------------------------------------------- */

static int       alternate_pipe[2], alternate_ready, alternate_bad;
static uintptr_t *beneath, *above;               /* hidden, shared mappings */

static NOINLINE void hold_words(uintptr_t *word, int file)
{
    uintptr_t *volatile here[BATCH];
    char                byte;

    for (int i = 0; i < BATCH; i++)
        here[i] = shown(word[i]);
    __atomic_add_fetch(&alternate_ready, 1, __ATOMIC_RELEASE);
    if (file >= 0)
        while (read(file, &byte, 1) != 1)
            ;
    else
        raise(SIGUSR1);
    for (int i = 0; i < BATCH; i++)
        alternate_bad += here[i][2] != word[i];
}

static NOINLINE void make_words(uintptr_t *word)
{
    for (int i = 0; i < BATCH; i++) {
        uintptr_t *object = midden_alloc(64);

        object[2] = word[i] = hidden(object);
    }
}

static void handler(int number)
{
    (void)number;
    hold_words(above, alternate_pipe[0]);
}

static void *alternate(void *unused)
{
    stack_t stack = { .ss_size = STACK };

    stack.ss_sp = malloc(STACK);
    sigaltstack(&stack, NULL);
    midden_disable();
    make_words(beneath);
    make_words(above);
    hold_words(beneath, -1);
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    free(stack.ss_sp);
    return NULL;
}

static void alternate_stack(void)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART };
    pthread_t        thread;
    long             on_alternate, on_normal;

    beneath = table(4096);
    above = table(4096);
    if (pipe(alternate_pipe) != 0)
        return;
    sigaction(SIGUSR1, &action, NULL);
    thread = start(alternate, NULL);
    while (__atomic_load_n(&alternate_ready, __ATOMIC_ACQUIRE) < 2)
        sched_yield();
    pause_ms(10);
    wipe();
    midden_collect(MIDDEN_FULL);
    midden_collect(MIDDEN_FULL);
    on_normal = count_in_use(beneath, BATCH);
    on_alternate = count_in_use(above, BATCH);
    check(on_alternate == BATCH, "a handler's stack keeps objects: %ld of %d", on_alternate, BATCH);
    check(on_normal == BATCH, "and so does the one it interrupted: %ld of %d", on_normal, BATCH);
    alternate_bad += write(alternate_pipe[1], "x", 1) != 1;
    pthread_join(thread, NULL);
    check(alternate_bad == 0, "they are whole");
}

int main(void)
{
    signal(SIGUSR1, no_action);
    waiter = mmap(NULL, sizeof all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(waiter, all, sizeof all);
    {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGUSR2);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    midden_disable();
    waiting();
    stacks_of_the_dead();
    alternate_stack();
    return done();
}
