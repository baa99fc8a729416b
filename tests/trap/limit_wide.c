/* limit_wide.c - limits on address space that are wide, but not wide enough to reserve all at the
 *      start: memory that is freed goes back there as well.
 */
#include "tap.h"

#include <sys/resource.h>

enum { BLOCKS = 24, BYTES = 5 << 20, ROUNDS = 3 };

/* As the replaced program: 0, if what was taken and freed can be taken again. */
static int run(void)
{
    char *block[BLOCKS];

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = calloc(1, BYTES);
            if (!block[i] || !is_zero(block[i], 100))
                return 2;
            memset(block[i], 1, BYTES);
        }
        for (int i = 0; i < BLOCKS; i++)
            free(block[i]);
        malloc_trim(0);
    }
    return status_value("VmRSS:") < 64 << 10 ? 0 : 3;
}

static void point(size_t gib)
{
    struct rlimit wide = { gib << 30, gib << 30 };
    int           status = -1;
    pid_t         child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_AS, &wide);
        execl("/proc/self/exe", "limit_wide", "run", (char *)NULL);
        _exit(9);
    }
    waitpid(child, &status, 0);
    check(status == 0, "%zu GiB: status %d", gib, status);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return run();
    for (size_t gib = 1; gib <= 1024; gib *= 2)
        point(gib);
    return done();
}
