/* mapped_calls.c - another library wraps mmap, open, getenv and the like, and allocates inside of
 *      them.
 * library: mapper -ldl
 * preload-before: mapper
 */
#include "tap.h"

extern int mapped_calls __attribute__((weak));

static void *run(void *seed)
{
    return (void *)(long)churn((unsigned)(uintptr_t)seed, 3000);
}

int main(void)
{
    pthread_t thread[4];
    long      bad = 0;

    getenv("HOME");
    check(&mapped_calls && mapped_calls > 0, "the wrapper is in front");
    for (long i = 0; i < 4; i++)
        pthread_create(&thread[i], NULL, run, (void *)i);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;

        pthread_join(thread[i], &result);
        bad += (long)result;
    }
    check(bad == 0 && churn(9, 20000) == 0, "the heap works behind it");
    return done();
}
