/* limit_later.c - a running program limits its own address space: the heap's reservation must not
 *      be what uses it up.
 * shrunken: no
 */
#include "tap.h"

#include <sys/mman.h>
#include <sys/resource.h>

static void *idle(void *unused)
{
    return unused;
}

/* Children, so that each limits itself alone. 0: well. */
static int limited(void *bytes)
{
    struct rlimit limit = { (rlim_t)bytes, RLIM_INFINITY };
    size_t        total = 0;
    pthread_t     thread;
    void         *page;

    churn(1, 5000);
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
    page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 2;
    if (pthread_create(&thread, NULL, idle, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 3;
    while (malloc(100000))
        total += 100000;
    if (total < (size_t)bytes / 2)
        return 4;
    return total > (size_t)bytes ? 5 : 0;
}

static int by_prlimit(void *bytes)
{
    struct rlimit limit = { (rlim_t)bytes, RLIM_INFINITY };

    churn(1, 5000);
    if (prlimit(0, RLIMIT_AS, &limit, NULL) != 0)
        return 1;
    return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
        0) == MAP_FAILED ? 2 : 0;
}

int main(void)
{
    static const size_t limits[] = { (size_t)128 << 20, (size_t)512 << 20 };

    for (int i = 0; i < 2; i++) {
        int status = in_child(limited, (void *)limits[i]);

        check(status == 0, "setrlimit to %zu MiB leaves room for mmap, threads and malloc "
            "(status %#x)", limits[i] >> 20,
            (unsigned)status);
    }
    check(in_child(by_prlimit, (void *)limits[0]) == 0, "prlimit leaves room");
    check(churn(2, 5000) == 0, "the parent is not limited");
    return done();
}
