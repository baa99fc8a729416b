/* fork_signals.c - a signal handler that allocates comes while its thread forks, and holds every
 *      lock of the heap.
 * seconds: 120
 */
#include "../trap/tap.h"

#include <signal.h>
#include <sys/time.h>

enum { FORKS = 400, HELD = 3 };

static volatile long handled, refused, bad;

/* Sizes whose slabs have few blocks: most of these need the heap's locks. */
static void handler(int number)
{
    static unsigned seed = 5;
    char           *block[HELD];

    (void)number;
    for (int i = 0; i < HELD; i++) {
        size_t bytes = 20000 + next_random(&seed) % 40000;

        block[i] = malloc(bytes);
        refused += block[i] == NULL;
        if (block[i])
            fill(block[i], 300, (unsigned)i);
    }
    for (int i = 0; i < HELD; i++) {
        bad += block[i] && !holds(block[i], 300, (unsigned)i);
        free(block[i]);
    }
    handled++;
}

int main(void)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
    long             failed = 0;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < FORKS; i++) {
        int   status = -1;
        pid_t child = fork();

        if (child == 0)
            _exit(churn((unsigned)i, 20) != 0);
        failed += waitpid(child, &status, 0) != child || status != 0;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    check(failed == 0, "%d children forked under a handler that allocates: %ld failed", FORKS,
        failed);
    check(handled > 50 && refused == 0 && bad == 0,
        "it came %ld times: %ld blocks refused, %ld written over", handled, refused, bad);
    return done();
}
