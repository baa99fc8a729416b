/* descriptors.c - the library holds no file descriptor: programs close all, or start without the
 *      first three. */
#include "tap.h"

static int work(void)
{
    void *p = malloc((size_t)40 << 20);

    memset(p, 1, (size_t)40 << 20);
    free(p);
    malloc_trim(0);
    return churn(1, 20000);
}

static void *run(void *unused)
{
    return (void *)(long)(work() + (unused != NULL));
}

static int threads(void)
{
    pthread_t thread;
    void     *bad = NULL;

    if (pthread_create(&thread, NULL, run, NULL) != 0 || pthread_join(thread, &bad) != 0)
        return 1;
    return bad != NULL;
}

/* Without stdin, stdout, stderr: whatever the library opened would come to lie there. */
static int start_without(void *unused)
{
    close(0);
    close(1);
    close(2);
    execl("/proc/self/exe", "descriptors", "bare", (char *)NULL);
    return unused ? 1 : 9;
}

static int bare(void)
{
    for (int i = 0; i < 20; i++)
        if (fcntl(i, F_GETFD) != -1)
            return 1;
    if (work() != 0 || threads() != 0)
        return 2;
    for (int i = 0; i < 20; i++)
        if (fcntl(i, F_GETFD) != -1)
            return 3;
    return 0;
}

int main(int argc, char **argv)
{
    int first;

    if (argc > 1)
        return bare();
    hide(argv);
    first = open("/dev/null", O_RDONLY);
    close(first);
    check(work() == 0, "work before");
    check(open("/dev/null", O_RDONLY | O_CLOEXEC) == first, "no descriptor was taken");
    for (int i = 3; i < 1000; i++)
        close(i);
    check(work() == 0 && threads() == 0, "work after all but the first three are closed");
    check(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3, "and none was taken");
    check(in_child(start_without, NULL) == 0,
        "a program that starts without the first three has none afterwards");
    return done();
}
