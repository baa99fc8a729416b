/* raw_fork_held.c - _Fork, of which no handler is told, while another thread stands anywhere inside
 *      a free of a large block, perhaps with a lock in hand: the child frees, resizes and
 *      allocates all the same.
 * seconds: 120
 */
#include "../trap/tap.h"

#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>

#if defined(__x86_64__)

enum { BYTES = 300000, MORE = 9000000, STRIDE = 5, MOST = 4000, TRAP_FLAG = 0x100 };

extern pid_t _Fork(void) __attribute__((weak));

static sem_t        stands, goes_on;
static volatile int step, stop_at, stopped, ended;

/* int3 begins and ends the steps. */
static void trapped(int number, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

    if (info->si_code != TRAP_TRACE) {
        *flags ^= TRAP_FLAG;
        return;
    }
    step += number == SIGTRAP;
    if (step != stop_at)
        return;
    stopped = 1;
    sem_post(&stands);
    while (sem_wait(&goes_on) != 0)
        ;
}

/* One free, stopped at `stop_at`, until none is so long. */
static void *stepped(void *unused)
{
    do {
        void *block = malloc(BYTES);

        step = stopped = 0;
        __asm__ volatile("int3" : : : "memory");
        free(block);
        __asm__ volatile("int3" : : : "memory");
        stop_at += STRIDE;
    } while (stopped && stop_at < MOST);
    ended = 1;
    sem_post(&stands);
    return unused;
}

/* The status of a child that does one thing with a block of ours. */
static int child(int what, void *block)
{
    int   status = -1;
    pid_t made = _Fork();

    if (made == 0) {
        alarm(2);
        if (what == 0)
            free(block);
        else if (what == 1)
            block = realloc(block, MORE);
        else
            block = malloc(BYTES);
        _exit(block ? 0 : 1);
    }
    return waitpid(made, &status, 0) == made ? status : -1;
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };
    pthread_t        thread;
    void            *block = malloc(BYTES);
    int              bad[3] = { 0, 0, 0 }, times = 0;

    if (!_Fork)
        skip_all("this C library has no _Fork");
    stop_at = 1;
    sigaction(SIGTRAP, &action, NULL);
    sem_init(&stands, 0, 0);
    sem_init(&goes_on, 0, 0);
    pthread_create(&thread, NULL, stepped, NULL);
    for (; sem_wait(&stands) == 0 && !ended; times++) {
        for (int what = 0; what < 3; what++)
            bad[what] += bad[what] < 3 && child(what, block) != 0;
        sem_post(&goes_on);
    }
    pthread_join(thread, NULL);
    check(times > 20, "a free was stopped at %d places", times);
    check(bad[0] == 0, "a child frees");
    check(bad[1] == 0, "a child resizes");
    check(bad[2] == 0, "a child allocates");
    free(block);
    return done();
}

#else

int main(void)
{
    skip_all("no single steps on this processor");
}

#endif
