/* foreign.c - blocks of the C library's own malloc arrive at our free, realloc and
 *      malloc_usable_size.
 * library: deep
 */
#include "tap.h"

#include <dlfcn.h>

static void *symbol(void *library, const char *name)
{
    void *found = library ? dlsym(library, name) : NULL;

    if (!found)
        check(0, "no %s: %s", name, dlerror());
    return found;
}

static int is_filled(const char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (p[i] != 0x3c)
            return 0;
    return 1;
}

static void deep_point(void)
{
    char  path[4096];
    void *deep;
    char *(*copy)(const char *);
    char *(*block)(size_t);
    int   bad = 0;

    snprintf(path, sizeof path, "%s/libdeep.so", getenv("MIDDEN_PROGRAMS"));
    deep = dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    copy = (char *(*)(const char *))symbol(deep, "deep_copy");
    block = (char *(*)(size_t))symbol(deep, "deep_block");
    if (!copy || !block)
        return;
    for (int i = 0; i < 10000; i++) {
        char *p = copy("a string made behind our back");

        bad += strcmp(p, "a string made behind our back") != 0;
        free(p);
    }
    check(bad == 0, "strings from a library bound deeply are freed");
    for (size_t n = 1; n < 3000000; n = n * 3 + 1) {
        char *p = block(n);

        bad += malloc_usable_size(p) < n;
        p = realloc(p, n + n / 2 + 1);
        bad += !p || !is_filled(p, n);
        p = realloc(p, n / 3 + 1);
        bad += !p || !is_filled(p, n / 3 + 1);
        free(p);
        p = realloc(block(n), 0);
        bad += p != NULL;
    }
    check(bad == 0, "its blocks are resized, too");
}

/* The C library's malloc, asked for by name. */
static void direct_point(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    void *(*theirs)(size_t) = (void *(*)(size_t))symbol(libc, "malloc");
    void *(*aligned)(size_t, size_t) = (void *(*)(size_t, size_t))symbol(libc, "memalign");

    if (!theirs || !aligned)
        return;
    for (size_t n = 0; n < 2000000; n = n * 2 + 1) {
        free(theirs(n));
        free(aligned(4096, n));
    }
    check(1, "blocks of the C library's malloc and memalign are freed");
}

static void *free_here(void *p)
{
    free(p);
    return NULL;
}

static void thread_point(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    void *(*theirs)(size_t) = (void *(*)(size_t))symbol(libc, "malloc");

    for (int i = 0; i < 100 && theirs; i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, free_here, theirs((size_t)i * 100));
        pthread_join(thread, NULL);
    }
    check(1, "by a thread whose first call that is");
}

int main(void)
{
    deep_point();
    direct_point();
    thread_point();
    check(churn(1, 20000) == 0, "the heap works");
    return done();
}
