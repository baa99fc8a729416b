/* cancelled.c - threads that are cancelled between allocations clean up with free. */
#include "../trap/tap.h"

static void clean(void *p)
{
    free(*(void **)p);
}

static void *run(void *seed)
{
    void *block = NULL;

    pthread_cleanup_push(clean, &block);
    for (;;) {
        block = malloc(1000);
        if (churn((unsigned)(uintptr_t)seed, 100) != 0)
            _exit(3);
        pthread_testcancel();
        free(block);
        block = NULL;
    }
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    int cancelled = 0;

    for (unsigned i = 0; i < 200; i++) {
        pthread_t thread;
        void     *result = NULL;

        pthread_create(&thread, NULL, run, (void *)(uintptr_t)i);
        usleep(500);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    check(cancelled == 200, "two hundred threads were cancelled");
    check(churn(9, 20000) == 0, "and the heap works");
    return done();
}
