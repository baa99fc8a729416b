/* stepped.c - a handler comes at every instruction of a free: it uses up the slab that the block
 *      lies in, and another thread takes the slab over; at a later instruction that thread takes
 *      blocks from it. No block is given out twice, and no free is called a crime.
 * seconds: 120
 */
#include "tap.h"

#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>

#if defined(__x86_64__)

enum { BYTES = 1008, LEAST = 80, MOST = 300, BATCH = 70, STEPS = 80, TRAP_FLAG = 0x100 };

static sem_t       asked, answered;
static void      (*job)(void);
static void       *before[MOST], *mine[BATCH], *theirs[2 * BATCH];
static int         befores, theirs_now;
static void       *victim, *beside;
static volatile int step, first_at, second_at, first_came, second_came;

static void take_over(void)
{
    free(beside);
}

static void take_theirs(void)
{
    for (int i = 0; i < BATCH; i++)
        theirs[theirs_now++] = malloc(BYTES);
}

static void *other(void *unused)
{
    for (;;) {
        sem_wait(&asked);
        if (!job)
            return unused;
        job();
        sem_post(&answered);
    }
}

static void ask(void (*what)(void))
{
    job = what;
    sem_post(&asked);
    while (what && sem_wait(&answered) != 0)
        ;
}

static void at_first(void)
{
    for (int i = 0; i < BATCH; i++)
        mine[i] = malloc(BYTES);
    ask(take_over);
    first_came = 1;
}

/* int3 begins and ends the steps. */
static void trapped(int number, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

    if (info->si_code != TRAP_TRACE) {
        *flags ^= TRAP_FLAG;
        return;
    }
    step += number == SIGTRAP;
    if (step == first_at)
        at_first();
    if (step == second_at) {
        ask(take_theirs);
        second_came = 1;
    }
}

/* `victim` and `beside` are the first blocks of a slab. */
static void prepare(void)
{
    befores = theirs_now = step = first_came = second_came = 0;
    do
        before[befores++] = malloc(BYTES);
    while (befores < LEAST || (befores < MOST && (uintptr_t)before[befores - 1] >> 16
                                                 == (uintptr_t)before[befores - 2] >> 16));
    victim = before[--befores];
    beside = malloc(BYTES);
}

static int twice(void)
{
    int found = 0;

    for (int i = 0; i < theirs_now; i++) {
        for (int j = 0; j < i; j++)
            found += theirs[i] == theirs[j];
        for (int j = 0; j < BATCH && first_came; j++)
            found += theirs[i] == mine[j];
    }
    return found;
}

static void clear_up(void)
{
    for (int i = 0; i < theirs_now; i++)
        free(theirs[i]);
    for (int i = 0; i < BATCH && first_came; i++)
        free(mine[i]);
    for (int i = 0; i < befores; i++)
        free(before[i]);
    if (!first_came)
        free(beside);
}

static int blocks_twice(int first, int second)
{
    int found;

    first_at = first;
    second_at = second;
    prepare();
    __asm__ volatile("int3" : : : "memory");
    free(victim);
    __asm__ volatile("int3" : : : "memory");
    ask(take_theirs);
    found = twice();
    clear_up();
    return found;
}

int main(void)
{
    struct sigaction action = { .sa_sigaction = trapped, .sa_flags = SA_SIGINFO };
    pthread_t        thread;
    int              found = 0, cases = 0, first = 0;

    sigaction(SIGTRAP, &action, NULL);
    sem_init(&asked, 0, 0);
    sem_init(&answered, 0, 0);
    pthread_create(&thread, NULL, other, NULL);
    do {
        int second = ++first;

        do
            found += blocks_twice(first, ++second);
        while (second_came && second < STEPS && ++cases);
    } while (first_came && first < STEPS);
    check(cases > 50, "a free was interrupted at %d pairs of instructions", cases);
    check(found == 0, "%d blocks were given out twice", found);
    ask(NULL);
    pthread_join(thread, NULL);
    return done();
}

#else

int main(void)
{
    skip_all("no single steps on this processor");
}

#endif
