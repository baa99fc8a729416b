/* wrapped.c - another library wraps malloc and reaches ours by dlsym.
 * library: wrapper -ldl
 * preload-before: wrapper
 */
#include "tap.h"

#include <dlfcn.h>

extern int wrapped_calls __attribute__((weak));

static void *run(void *seed)
{
    dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere");
    dlerror();
    return (void *)(long)churn((unsigned)(uintptr_t)seed, 3000);
}

int main(void)
{
    pthread_t thread[4];
    long      bad = 0;

    free(hide(malloc(10)));
    check(&wrapped_calls && wrapped_calls > 0, "the wrapper is in front");
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
