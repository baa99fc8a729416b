/* raw_clone.c - children made behind the C library's back: the clone system call, and _Fork. No
 *      handler runs in them. */
#include "../trap/tap.h"

#include <signal.h>
#include <sys/syscall.h>

enum { CHILDREN = 80, THREADS = 3 };

static int stop;

static void *work(void *seed)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        if (churn((unsigned)(uintptr_t)seed, 500) != 0)
            _exit(3);
    return NULL;
}

static pid_t by_clone(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

extern pid_t _Fork(void) __attribute__((weak));

/* How many children churned to their end. */
static int storm(pid_t (*make)(void))
{
    int good = 0;

    for (unsigned i = 0; i < CHILDREN; i++) {
        int   status = -1;
        pid_t child = make();

        if (child == 0) {
            alarm(20);
            _exit(churn(i, 1000) != 0);
        }
        good += waitpid(child, &status, 0) == child && status == 0;
    }
    return good;
}

int main(void)
{
    pthread_t thread[THREADS];
    int       good;

    good = storm(by_clone);
    check(good == CHILDREN, "%d of %d children by clone churn", good, CHILDREN);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, (void *)i);
    good = storm(by_clone);
    check(good == CHILDREN, "%d of %d while threads allocate", good, CHILDREN);
    if (_Fork) {
        good = storm(_Fork);
        check(good == CHILDREN, "%d of %d by _Fork", good, CHILDREN);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return done();
}
