/* layout.c - other layouts of the address space: not random, upwards, with an endless stack,
 *      executable, an empty environment. */
#include "tap.h"

#include <sys/personality.h>
#include <sys/resource.h>

/* This program again. */
static int again(void)
{
    execl("/proc/self/exe", "layout", "again", (char *)NULL);
    return 9;
}

static int with_personality(void *flags)
{
    if (personality((unsigned long)flags) == -1)
        return 77;
    return again();
}

static int with_endless_stack(void *unused)
{
    struct rlimit limit;

    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_STACK, &limit);
    return unused ? 1 : again();
}

static int with_no_environment(void *unused)
{
    char *preload = getenv("LD_PRELOAD"), entry[5000], *environment[] = { entry, NULL };
    char *words[] = { "layout", "again", NULL };

    snprintf(entry, sizeof entry, "LD_PRELOAD=%s", preload ? preload : "");
    execve("/proc/self/exe", words, environment);
    return unused ? 1 : 9;
}

static void *run(void *unused)
{
    return (void *)(long)(churn(7, 5000) + (unused != NULL));
}

static int work(void)
{
    pthread_t thread;
    void     *bad = NULL, *p = malloc((size_t)1 << 30);

    if (!p || churn(5, 20000) != 0)
        return 1;
    free(p);
    return pthread_create(&thread, NULL, run, NULL) != 0 || pthread_join(thread, &bad) != 0 || bad;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return work() + 0 * (argv == NULL);
    check(in_child(with_personality, (void *)ADDR_NO_RANDOMIZE) == 0, "without randomisation");
    check(in_child(with_personality, (void *)ADDR_COMPAT_LAYOUT) == 0, "with mappings from below");
    check(in_child(with_personality, (void *)READ_IMPLIES_EXEC) == 0, "with everything executable");
    check(in_child(with_endless_stack, NULL) == 0, "with an endless stack");
    check(in_child(with_no_environment, NULL) == 0, "with no environment but LD_PRELOAD");
    return done();
}
