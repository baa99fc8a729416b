/* plugin.c - a library to be loaded and unloaded: constructor, destructor, a large thread-local.
 * part: yes
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char *kept;
static __thread char local[20000];
static pthread_key_t key;

__attribute__((constructor)) static void start(void)
{
    kept = malloc(3000);
    memset(kept, 1, 3000);
    pthread_key_create(&key, free);
}

__attribute__((destructor)) static void end(void)
{
    pthread_key_delete(key);
    free(kept);
    free(malloc(10));
}

char *plugin_work(int n)
{
    char *p = malloc(100 + (size_t)n);

    memset(local, n, sizeof local);
    memset(p, local[19999], 100 + (size_t)n);
    return p;
}
