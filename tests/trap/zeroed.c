/* zeroed.c - calloc gives zeroes whatever the memory held before: reused, purged, locked, resized,
 *      of other threads. */
#include "tap.h"

#include <sys/mman.h>

enum { COUNT = 300 };
static char *block[COUNT];

/* Dirty memory of many sizes, then gone. */
static void soil(size_t scale)
{
    for (unsigned i = 0; i < COUNT; i++) {
        block[i] = malloc(i * scale + 1);
        memset(block[i], 0xee, malloc_usable_size(block[i]));
    }
    for (unsigned i = 0; i < COUNT; i++)
        free(block[i]);
}

static int all_zero(size_t scale)
{
    int bad = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        block[i] = calloc(1, i * scale + 1);
        bad += !block[i] || !is_zero(block[i], i * scale + 1);
        memset(block[i], 0xdd, i * scale + 1);
    }
    for (unsigned i = 0; i < COUNT; i++)
        free(block[i]);
    return bad;
}

static int scales(int trim)
{
    static const size_t scale[] = { 1, 16, 300, 1500 };
    int                 bad = 0;

    for (size_t i = 0; i < 4; i++) {
        soil(scale[i]);
        if (trim)
            malloc_trim(0);
        bad += all_zero(scale[i]);
        bad += all_zero(scale[3 - i]);
    }
    return bad;
}

/* A large block shrinks, what it left is taken again. */
static int shrunk(void)
{
    int bad = 0;

    for (size_t n = 1 << 20; n < (size_t)1 << 26; n *= 2) {
        char *p = malloc(n), *q;

        memset(p, 0x77, n);
        p = realloc(p, n / 4);
        q = calloc(1, n / 2);
        bad += !is_zero(q, n / 2);
        free(q);
        p = realloc(p, n);
        memset(p, 0x66, n);
        free(p);
        q = calloc(1, n);
        bad += !is_zero(q, n);
        free(q);
    }
    return bad;
}

static void *in_thread(void *trim)
{
    return (void *)(long)scales(trim != NULL);
}

int main(void)
{
    pthread_t thread;
    void     *bad = NULL;

    check(scales(0) == 0, "memory used before");
    check(scales(1) == 0, "memory given back by malloc_trim");
    check(shrunk() == 0, "behind a large block that shrank");
    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, in_thread, i ? &bad : NULL);
        pthread_join(thread, &bad);
        check(!bad, "in a thread that takes what another left");
    }
    if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
        check(scales(1) == 0 && shrunk() == 0, "under mlockall, where pages cannot be given back");
        munlockall();
    }
    return done();
}
