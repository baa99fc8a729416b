/* before_main.c - the heap is used before main and after it.
 * library: early
 */
#include "../trap/tap.h"

#include <dlfcn.h>

static char *from_preinit, *from_constructor, *from_late, *for_exit;

static void preinit(void)
{
    from_preinit = malloc(200);
    fill(from_preinit, 200, 1);
    free(NULL);
    free(malloc(1 << 20));
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit_entry)(void) = preinit;

__attribute__((constructor(101))) static void constructor(void)
{
    from_constructor = calloc(3, 70000);
    fill(from_constructor, 210000, 2);
}

__attribute__((constructor)) static void late(void)
{
    from_late = aligned_alloc(4096, 100);
    fill(from_late, 100, 3);
}

static void at_exit(void)
{
    check(holds(for_exit, 5000, 4), "an atexit handler finds the block it was left");
    free(for_exit);
    check(churn(5, 20000) == 0, "an atexit handler churns");
}

__attribute__((destructor)) static void destructor(void)
{
    check(churn(6, 20000) == 0, "a destructor churns");
    if (tap_failures)
        _exit(1);
}

static void library_point(void)
{
    char  path[4096];
    void *early;
    char *(*block)(void);

    snprintf(path, sizeof path, "%s/libearly.so", getenv("MIDDEN_PROGRAMS"));
    early = dlopen(path, RTLD_NOW);
    block = early ? (char *(*)(void))dlsym(early, "early_block") : NULL;
    check(block && block()[0] == 7 && block()[999] == 7,
        "a library's constructor of priority 101 allocates");
}

int main(void)
{
    check(from_preinit && holds(from_preinit, 200, 1), "a block from preinit_array");
    check(from_constructor && holds(from_constructor, 210000, 2),
        "a block from a constructor of priority 101");
    check(from_late && holds(from_late, 100, 3), "a block from a plain constructor");
    free(from_preinit);
    from_constructor = realloc(from_constructor, 10);
    check(holds(from_constructor, 10, 2), "a constructor's block is resized in main");
    free(from_constructor);
    free(from_late);
    library_point();
    for_exit = malloc(5000);
    fill(for_exit, 5000, 4);
    atexit(at_exit);
    return done();
}
