/* hooks.c - a library that registers fork handlers in its first constructor; all of them allocate.
 * part: yes
 */
#include <pthread.h>
#include <stdlib.h>

static char *block;

static void prepare(void)
{
    block = malloc(12345);
    free(malloc(77));
}

static void after(void)
{
    block = realloc(block, 54321);
    free(block);
    free(calloc(10, 10));
}

__attribute__((constructor(101))) static void start(void)
{
    pthread_atfork(prepare, after, after);
}
