/* opened_late.c - the library is opened by dlopen in a process that runs on another heap; threads
 *      are there already.
 * preload: no
 */
#include "tap.h"

#include <dlfcn.h>

static pthread_barrier_t gate;
static void *(*our_malloc)(size_t);
static void (*our_free)(void *);
static int bad;

static void *run(void *unused)
{
    pthread_barrier_wait(&gate);
    for (unsigned i = 0; i < 5000; i++) {
        size_t bytes = i * 7 % 30000 + 1;
        char  *p = our_malloc(bytes), *q = malloc(bytes);

        fill(p, bytes, i);
        fill(q, bytes, i + 1);
        if (!holds(p, bytes, i) || !holds(q, bytes, i + 1))
            __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
        our_free(p);
        free(q);
    }
    return unused;
}

int main(void)
{
    const char *path = getenv("MIDDEN_LIBRARY");
    pthread_t   thread[3];
    void       *library;

    if (!path || path[0] != '/')
        skip_all("no library to open");
    pthread_barrier_init(&gate, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, run, NULL);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!check(library != NULL, "opened: %s", library ? "" : dlerror()))
        _exit(1);
    our_malloc = (void *(*)(size_t))dlsym(library, "malloc");
    our_free = (void (*)(void *))dlsym(library, "free");
    pthread_barrier_wait(&gate);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    check(bad == 0, "both heaps work side by side, in threads that were there before");
    our_free(malloc(100));
    check(churn(1, 5000) == 0, "a block of the other heap is taken back by its own");
    dlclose(library);
    check(churn(2, 5000) == 0, "closing it does no harm");
    return done();
}
