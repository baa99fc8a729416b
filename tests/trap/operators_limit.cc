/* operators_limit.cc - a new handler that frees memory lets new succeed.
 * options: limit=96M
 */
#include "tap.h"

#include <new>
#include <sys/resource.h>

static void *reserve[60];
static int   released;

static void release()
{
    if (released == 60)
        std::set_new_handler(nullptr);
    else
        free(reserve[released++]);
}

int main()
{
    struct rlimit limit = { 192 << 20, RLIM_INFINITY };
    int           threw = 0;

    if (!getenv("LD_PRELOAD"))
        setrlimit(RLIMIT_AS, &limit);
    for (void *&p : reserve) {
        p = malloc(1 << 20);
        if (p)
            memset(p, 1, 1 << 20);
    }
    std::set_new_handler(release);
    try {
        for (int i = 0; i < 1000; i++)
            memset(hide(::operator new(1 << 20)), 1, 1 << 20);
    } catch (const std::bad_alloc &) {
        threw = 1;
    }
    check(released == 60, "the handler gave up all its blocks, one after another: %d", released);
    check(threw, "and then new threw");
    return done();
}
