/* wrapper.c - a library in front that wraps malloc: it finds the next one by dlsym at its first
 *      call, and calls it for all.
 * part: yes
 */
#include <dlfcn.h>
#include <stddef.h>

static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void (*next_free)(void *);
int wrapped_calls;

/* dlsym itself may allocate: then there is nothing to answer yet. */
static int find(void)
{
    static int looking;

    wrapped_calls++;
    if (next_free)
        return 1;
    if (looking)
        return 0;
    looking = 1;
    next_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    next_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    return 1;
}

void *malloc(size_t bytes)
{
    return find() ? next_malloc(bytes) : NULL;
}

void *calloc(size_t count, size_t bytes)
{
    return find() ? next_calloc(count, bytes) : NULL;
}

void free(void *p)
{
    if (find())
        next_free(p);
}
