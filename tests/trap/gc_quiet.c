/* gc_quiet.c - a program that makes no managed object has no thread, no handler and no signal of
 *      the collector's, whatever it does with malloc.
 */
#include "tap.h"

#include <signal.h>

static uint64_t caught(void)
{
    char        text[8192];
    const char *at;
    int         file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t     bytes = read(file, text, sizeof text - 1);

    close(file);
    text[bytes > 0 ? bytes : 0] = 0;
    at = strstr(text, "SigCgt:");
    return at ? strtoull(at + 7, NULL, 16) : ~(uint64_t)0;
}

static void *body(void *seed)
{
    return (void *)(long)churn((unsigned)(uintptr_t)seed, 20000);
}

int main(void)
{
    pthread_t thread[4];
    void     *result;
    long      bad = 0;

    for (long i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, body, (void *)i);
    check((caught() >> 33) == 0, "no real-time signal is caught while threads allocate");
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], &result);
        bad += (long)result;
    }
    for (int n = 1; n <= SIGRTMAX; n++) {
        struct sigaction now;

        if (n != SIGKILL && n != SIGSTOP && sigaction(n, NULL, &now) == 0)
            bad += now.sa_handler != SIG_DFL && n != SIGPIPE && n != SIGINT && n != SIGQUIT;
    }
    check(bad == 0, "nor any other");
    check(status_value("Threads:") == 1, "and no thread was left");
    return done();
}
