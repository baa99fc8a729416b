/* plugins.c - libraries come and go while threads work; their thread-locals are the loader's to
 *      allocate.
 * library: plugin
 */
#include "../trap/tap.h"

#include <dlfcn.h>

static char path[4096];
static int  stop;

static void *work(void *seed)
{
    long bad = 0;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        bad += churn((unsigned)(uintptr_t)seed, 2000);
    return (void *)bad;
}

/* Load, use, unload; what the library allocated outlives it. */
static int visit(int n)
{
    void *plugin = dlopen(path, n % 2 ? RTLD_NOW : RTLD_LAZY);
    char *(*use)(int) = plugin ? (char *(*)(int))dlsym(plugin, "plugin_work") : NULL;
    char *p = use ? use(n % 100) : NULL;
    int   good = p != NULL;

    if (plugin)
        dlclose(plugin);
    good = good && p[0] == n % 100 && p[99] == n % 100;
    free(p);
    return good;
}

static void *visit_often(void *unused)
{
    long bad = 0;

    for (int n = 0; n < 50; n++)
        bad += !visit(n);
    hide(unused);
    return (void *)bad;
}

static long join(pthread_t thread)
{
    void *bad = NULL;

    pthread_join(thread, &bad);
    return (long)bad;
}

int main(void)
{
    pthread_t worker[2], visitor[2];
    long      bad = 0;

    snprintf(path, sizeof path, "%s/libplugin.so", getenv("MIDDEN_PROGRAMS"));
    for (int n = 0; n < 200; n++)
        bad += !visit(n);
    check(bad == 0, "loaded and unloaded two hundred times");
    check(!dlopen("/no/such/library.so", RTLD_NOW) && dlerror(),
        "a library that is not there is told by dlerror");
    for (int i = 0; i < 2; i++)
        pthread_create(&worker[i], NULL, work, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < 2; i++)
        pthread_create(&visitor[i], NULL, visit_often, NULL);
    bad = join(visitor[0]) + join(visitor[1]);
    stop = 1;
    check(bad == 0, "loaded and unloaded by two threads at once");
    check(join(worker[0]) + join(worker[1]) == 0, "while two others churn");
    return done();
}
