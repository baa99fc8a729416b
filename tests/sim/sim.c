/* sim.c - seeded streams of operations over a ground of its own.
 * Use  sim                 a fixed set of seeds, a process each; more of them with MIDDEN_LONG set
 *      sim SEED [STEPS [AUDIT]]    that one again, audited after so many steps
 * Job  Every run draws a machine (page size, limits, refusals) and a stream of operations of
 *      several threads; after each few the heap is audited. The seed alone brings a run back.
 */
#include "os_fake.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 1500, STEPS_REFUSAL = 500, SECONDS = 30, SHOWN = 5 };

static int passed;

/* The calls of a run; SIZE_MAX: it failed, and has said how. */
static size_t run_apart(struct plan plan, size_t steps)
{
    int pipe_ends[2], status = -1;
    size_t calls = SIZE_MAX;
    fflush(stdout);
    if (pipe(pipe_ends) != 0)
        return SIZE_MAX;
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        calls = stream_run(plan, steps);
        _exit(write(pipe_ends[1], &calls, sizeof calls) != sizeof calls);
    }
    close(pipe_ends[1]);
    if (read(pipe_ends[0], &calls, sizeof calls) != sizeof calls)
        calls = SIZE_MAX;
    close(pipe_ends[0]);
    waitpid(child, &status, 0);
    if (calls != SIZE_MAX && status == 0)
        return calls;
    printf("# again: sim %#llx %zu (status %#x)\n", (unsigned long long)plan_seed(plan), steps,
           (unsigned)status);
    return SIZE_MAX;
}

static void tell(size_t runs, size_t failed, const char *what)
{
    printf("%s %d - %zu runs: %s\n", failed == 0 ? "ok" : "not ok", ++passed, runs, what);
}

static void run_suite(enum suite suite, uint64_t first, size_t count, const char *what)
{
    size_t failed = 0;
    for (uint64_t number = first; number < first + count && failed < SHOWN; number++)
        failed += run_apart((struct plan){ suite, 0, number }, STEPS) == SIZE_MAX;
    tell(count, failed, what);
}

/* Counts the calls of a run in which none is refused, then has each of them refused in turn. */
static void run_refusals(uint64_t first, size_t count, size_t stride, const char *what)
{
    size_t failed = 0, runs = 0;
    for (uint64_t number = first; number < first + count && failed < SHOWN; number++) {
        struct plan plan = { SUITE_REFUSAL, 0, number };
        size_t calls = run_apart(plan, STEPS_REFUSAL);
        failed += calls == SIZE_MAX;
        if (calls == SIZE_MAX)
            continue;
        for (plan.refused_call = 1; plan.refused_call <= calls; plan.refused_call += stride, runs++)
            failed += run_apart(plan, STEPS_REFUSAL) == SIZE_MAX;
    }
    tell(runs, failed, what);
}

int main(int count, char **words)
{
    if (count > 1) {
        size_t steps = count > 2 ? strtoull(words[2], NULL, 0) : STEPS;
        struct plan plan = plan_of(strtoull(words[1], NULL, 0));
        stream_audit_steps = count > 3 ? strtoull(words[3], NULL, 0) : stream_audit_steps;
        printf("%zu calls to the system\n", stream_run(plan, steps));
        return 0;
    }
    bool more = getenv("MIDDEN_LONG") != NULL;
    uint64_t first = more ? (uint64_t)time(NULL) << 12 : 1;
    printf("1..3\n# numbers from %llu on\n", (unsigned long long)first);
    run_suite(SUITE_STEADY, first, more ? 1500 : 100, "threads, forks and limits");
    run_suite(SUITE_SIGNAL, first, more ? 1000 : 50, "a signal handler inside locks and calls");
    run_refusals(first, more ? 20 : 8, more ? 1 : 3, "each call to the system refused in turn");
    return 0;
}
