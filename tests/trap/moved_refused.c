/* moved_refused.c - a large block grows after the process has limited its address space to less
 *      than it has: it grows, or stays as it was; never is it lost.
 */
#include "tap.h"

#include <sys/resource.h>
#include <sys/syscall.h>

enum { BLOCKS = 8, BYTES = 3 << 20, MORE = 5 << 20 };

static int limit_by_library(const struct rlimit *limit)
{
    return setrlimit(RLIMIT_AS, limit);
}

static int limit_by_kernel(const struct rlimit *limit)
{
    return (int)syscall(SYS_prlimit64, 0, RLIMIT_AS, limit, NULL);
}

/* Two blocks are free, neighbours and warm; the others are in use. */
static int child(void *set_limit)
{
    struct rlimit low = { 1 << 20, 1 << 20 };
    char         *block[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++) {
        block[i] = malloc(BYTES);
        fill(block[i], BYTES, i);
    }
    free(block[0]);
    free(block[1]);
    if (((int (*)(const struct rlimit *))set_limit)(&low) != 0)
        return 3;
    for (unsigned i = 2; i < BLOCKS; i++) {
        char *grown = realloc(block[i], MORE);

        if (!holds(grown ? grown : block[i], BYTES, i))
            return 1;
        if (grown)
            memset(grown, 1, MORE);
    }
    return 0;
}

int main(void)
{
    int status;

    status = in_child(child, (void *)limit_by_library);
    check(status == 0, "a limit set through the C library: status %d", status);
    status = in_child(child, (void *)limit_by_kernel);
    check(status == 0, "a limit set behind its back: status %d", status);
    return done();
}
