/* exec.c - a process replaces itself, from its first thread and from another, while threads
 *      allocate. */
#include "../trap/tap.h"

static void *work(void *seed)
{
    for (;;)
        churn((unsigned)(uintptr_t)seed, 500);
    return NULL;
}

static void *replace(void *unused)
{
    char *words[] = { strdup("sh"), strdup("-c"), strdup("exit 8"), NULL };

    execv("/bin/sh", words);
    return unused;
}

static int child(void *by_thread)
{
    pthread_t thread;

    for (long i = 0; i < 3; i++)
        pthread_create(&thread, NULL, work, (void *)i);
    usleep(1000);
    if (by_thread)
        pthread_create(&thread, NULL, replace, NULL);
    else
        replace(NULL);
    for (;;)
        pause();
}

int main(void)
{
    int good = 0;

    for (long i = 0; i < 20; i++) {
        int status = in_child(child, (void *)(i & 1));

        good += WIFEXITED(status) && WEXITSTATUS(status) == 8;
    }
    check(good == 20, "exec ends the old heap and its threads: %d of 20", good);
    return done();
}
