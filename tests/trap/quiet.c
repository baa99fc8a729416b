/* quiet.c - what the library must not do unasked: threads, signal handlers, masks, brk,
 *      process-wide switches, mappings
 *      without number.
 */
#include "tap.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static int lines_of(const char *path, const char *with)
{
    static char line[4096];
    FILE       *from = fopen(path, "r");
    int         count = 0;

    while (from && fgets(line, sizeof line, from))
        count += !with || strstr(line, with) != NULL;
    if (from)
        fclose(from);
    return count;
}

static int handlers(void)
{
    int count = 0;

    for (int i = 1; i < 65; i++) {
        struct sigaction is;

        count += sigaction(i, NULL, &is) == 0 && is.sa_handler != SIG_DFL
            && is.sa_handler != SIG_IGN;
    }
    return count;
}

/* Two hundred thousand blocks of mixed sizes, every other freed, the rest at last. */
static void fragment(void)
{
    enum { COUNT = 200000 };
    static char *block[COUNT];
    unsigned     state = 5;

    for (int i = 0; i < COUNT; i++)
        block[i] = malloc(next_random(&state) % (i % 100 ? 600 : 300000));
    for (int i = 0; i < COUNT; i += 2)
        free(block[i]);
    malloc_trim(0);
    check(lines_of("/proc/self/maps", NULL) < 200, "a fragmented heap has few mappings: %d",
        lines_of("/proc/self/maps", NULL));
    for (int i = 1; i < COUNT; i += 2)
        free(block[i]);
}

int main(void)
{
    void    *end = sbrk(0);
    sigset_t mask;
    long     data = status_value("VmData:"), resident = status_value("VmRSS:");

    check(data < 65536, "a small program has little writable memory: %ld KiB", data);
    check(resident < 6000, "and little resident: %ld KiB", resident);
    check(churn(1, 50000) == 0, "work");
    fragment();
    check(sbrk(0) == end || !getenv("LD_PRELOAD"), "the break did not move");
    check(lines_of("/proc/self/status", "Threads:\t1\n") == 1, "there is one thread");
    check(handlers() == 0, "no signal has a handler");
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i < 65; i++)
        if (sigismember(&mask, i) == 1)
            check(0, "signal %d is blocked", i);
    check(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 0,
        "huge pages are not switched off for the process");
    check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0, "nor privileges");
    check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, "nor core dumps");
    return done();
}
