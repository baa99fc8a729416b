/* semantics.c - what each function does in the corners that programs rely on; as glibc unless
 *      said. */
#include "tap.h"

static void zero_point(void)
{
    char *a = malloc(0), *b = malloc(0), *c = calloc(0, 5), *d = calloc(5, 0),
        *e = realloc(NULL, 0);

    check(a && b && c && d && e, "zero bytes are not NULL");
    check(a != b && b != c && c != d && d != e && a != e, "and each time another block");
    free(a);
    free(b);
    free(c);
    free(d);
    free(e);
    free(NULL);
    check(aligned_alloc(64, 0) != NULL && memalign(64, 0) != NULL && valloc(0) != NULL,
        "aligned zero bytes too");
}

static void realloc_point(void)
{
    char *p = realloc(NULL, 100), *q;

    check(p && malloc_usable_size(p) >= 100, "realloc(NULL, n) is malloc(n)");
    fill(p, 100, 1);
    errno = 5;
    check(realloc(p, 0) == NULL && errno == 5,
        "realloc(p, 0) frees, returns NULL and leaves errno");
    p = malloc(1000);
    fill(p, 1000, 2);
    q = realloc(p, 1000);
    check(q == p, "realloc to the same size stays");
    q = realloc(q, 990);
    check(q == p && holds(q, 990, 2), "a little less stays");
    q = realloc(q, 10);
    check(q && holds(q, 10, 2), "much less keeps what fits");
    q = realloc(q, 100000);
    check(q && holds(q, 10, 2), "much more keeps what was");
    free(q);
}

static void reallocarray_point(void)
{
    char *p = reallocarray(NULL, 10, 10);

    check(p && malloc_usable_size(p) >= 100, "reallocarray(NULL, ...) allocates");
    fill(p, 100, 1);
    p = reallocarray(p, 100, 100);
    check(p && holds(p, 100, 1) && malloc_usable_size(p) >= 10000, "and grows");
    check(reallocarray(p, 0, 7) == NULL, "reallocarray(p, 0, n) is realloc(p, 0)");
}

static void posix_memalign_point(void)
{
    static const size_t bad[] = { 0, 1, 2, 3, 4, 7, 9, 12, 24, 48, 100, (size_t)1 << 63 | 8 };
    void *p = &p;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 77;
        check(posix_memalign(&p, bad[i], 100) == EINVAL && p == &p && errno == 77,
            "posix_memalign with alignment %#zx: EINVAL, pointer and errno untouched", bad[i]);
    }
    errno = 77;
    check(posix_memalign(&p, 8, 100) == 0 && p != &p && errno == 77, "an alignment of 8 is good");
    free(p);
    check(posix_memalign(&p, 64, 0) == 0, "zero bytes are no error");
    free(p);
}

static void aligned_point(void)
{
    static const size_t bad[] = { 0, 3, 12, 100 };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        errno = 0;
        check(aligned_alloc(bad[i], 100) == NULL && errno == EINVAL,
            "aligned_alloc(%zu, ...): EINVAL", bad[i]);
    }
    for (size_t align = 1; align <= 64; align *= 2) {
        char *p = aligned_alloc(align, align * 3 + 1);

        check(p && ((uintptr_t)p & (align - 1)) == 0,
            "aligned_alloc(%zu) of a size that is no multiple", align);
        free(p);
    }
    for (size_t align = 0; align < 300; align += 37) {
        char  *p = memalign(align, 100);
        size_t up = 16;

        while (up < align)
            up *= 2;
        check(p && ((uintptr_t)p & (up - 1)) == 0, "memalign(%zu) rounds up to %zu", align, up);
        free(p);
    }
}

static void pages_point(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char  *a = valloc(10), *b = pvalloc(0), *c = pvalloc(page + 1);

    check(((uintptr_t)a & (page - 1)) == 0, "valloc starts on a page");
    check(((uintptr_t)b & (page - 1)) == 0 && malloc_usable_size(b) >= page,
        "pvalloc(0) is one page");
    check(((uintptr_t)c & (page - 1)) == 0 && malloc_usable_size(c) >= 2 * page,
        "pvalloc rounds the size up");
    fill(c, 2 * page, 1);
    free(a);
    free(b);
    free(c);
}

extern void free_sized(void *p, size_t bytes) __attribute__((weak));
extern void free_aligned_sized(void *p, size_t align, size_t bytes) __attribute__((weak));

/* A block that realloc left where it was is freed with the size that was asked for last. */
static void sized_point(void)
{
    if (!free_sized || !free_aligned_sized)
        return;
    free_sized(NULL, 100);
    free_aligned_sized(NULL, 64, 100);
    for (size_t n = 0; n < 400000; n = n * 5 / 4 + 1) {
        free_sized(malloc(n), n);
        free_sized(calloc(1, n), n);
        free_sized(realloc(malloc(2 * n + 1), n + 1), n + 1);
        free_sized(realloc(malloc(n / 2 + 1), n + 1), n + 1);
    }
    for (size_t align = 16; align <= 1 << 20; align *= 2)
        for (size_t n = 1; n < 4 * align; n = n * 3 + 7)
            free_aligned_sized(aligned_alloc(align, n), align, n);
    check(1, "sized frees take the size that was asked for");
}

int main(void)
{
    zero_point();
    realloc_point();
    reallocarray_point();
    posix_memalign_point();
    aligned_point();
    pages_point();
    sized_point();
    return done();
}
