/* thread_stacks.c - threads whose stacks are blocks of the heap. */
#include "../trap/tap.h"

enum { STACK = 1 << 17, ROUNDS = 100, AT_ONCE = 4 };

static void *run(void *seed)
{
    char deep[40000];

    fill(hide(deep), sizeof deep, 5);
    if (churn((unsigned)(uintptr_t)seed, 300) != 0)
        return (void *)1;
    return (void *)(long)!holds(hide(deep), sizeof deep, 5);
}

int main(void)
{
    long bad = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t thread[AT_ONCE];
        void     *stack[AT_ONCE];

        for (unsigned i = 0; i < AT_ONCE; i++) {
            pthread_attr_t attr;

            stack[i] = aligned_alloc(4096, STACK + 4096 * (round % 5));
            pthread_attr_init(&attr);
            bad += pthread_attr_setstack(&attr, stack[i], STACK) != 0;
            bad += pthread_create(&thread[i], &attr, run, (void *)(uintptr_t)(round + i)) != 0;
            pthread_attr_destroy(&attr);
        }
        for (unsigned i = 0; i < AT_ONCE; i++) {
            void *result = NULL;

            pthread_join(thread[i], &result);
            bad += (long)result;
            free(stack[i]);
        }
    }
    check(bad == 0, "threads on stacks from aligned_alloc");
    return done();
}
