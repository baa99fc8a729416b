/* too_large.c - sizes no memory has, of every entry point: NULL and ENOMEM, nothing touched. */
#include "tap.h"

static const size_t sizes[] = {
    (size_t)1 << 62, (size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX, SIZE_MAX - 1,
        SIZE_MAX - 15, SIZE_MAX - 4095,
    SIZE_MAX - 65535, SIZE_MAX / 2 + 4096, (size_t)1 << 48,
};

static int refused(void *p)
{
    int is = !p && errno == ENOMEM;

    errno = 0;
    return is;
}

static void sizes_point(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = (size_t)hide((void *)sizes[i]);

        errno = 0;
        check(refused(malloc(n)), "malloc(%#zx)", n);
        check(refused(calloc(1, n)), "calloc(1, %#zx)", n);
        check(refused(calloc(n, 1)), "calloc(%#zx, 1)", n);
        check(refused(realloc(NULL, n)), "realloc(NULL, %#zx)", n);
        check(refused(aligned_alloc(64, n)), "aligned_alloc(64, %#zx)", n);
        check(refused(memalign(4096, n)), "memalign(4096, %#zx)", n);
        check(refused(valloc(n)), "valloc(%#zx)", n);
        check(refused(pvalloc(n)), "pvalloc(%#zx)", n);
    }
}

static void realloc_point(void)
{
    static const size_t from[] = { 10, 5000, 100000, 1000000 };

    for (size_t k = 0; k < 4; k++) {
        char *p = malloc(from[k]);
        int   good = 1;

        fill(p, from[k], 3);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            good &= refused(realloc(p, (size_t)hide((void *)sizes[i]))) && holds(p, from[k], 3);
        check(good, "realloc of %zu bytes fails and leaves the block", from[k]);
        good = refused(reallocarray(p, SIZE_MAX / 2, 3))
            && refused(reallocarray(p, (size_t)1 << 33, (size_t)1 << 33));
        check(good && holds(p, from[k], 3),
            "reallocarray that wraps fails and leaves the block of %zu", from[k]);
        free(p);
    }
}

static void calloc_point(void)
{
    size_t half = (size_t)hide((void *)((size_t)1 << 32));

    errno = 0;
    check(refused(calloc(half, half)), "calloc(2^32, 2^32) wraps to 0");
    check(refused(calloc(half, half + 1)), "calloc(2^32, 2^32 + 1) wraps to a little");
    check(refused(calloc(SIZE_MAX / 16 + 2, 16)), "calloc that wraps to 16");
    check(refused(calloc(3, SIZE_MAX / 3 + 1)), "calloc by three");
}

static void posix_memalign_point(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = &p;
        int   result;

        errno = 77;
        result = posix_memalign(&p, 64, (size_t)hide((void *)sizes[i]));
        check(result == ENOMEM && p == &p, "posix_memalign(64, %#zx) returns ENOMEM", sizes[i]);
        result = posix_memalign(&p, 1 << 21, (size_t)hide((void *)sizes[i]));
        check(result == ENOMEM && p == &p, "posix_memalign(2 MiB, %#zx) too", sizes[i]);
    }
}

static void alignment_point(void)
{
    size_t most = (size_t)hide((void *)((size_t)1 << 62));
    void  *p = &p;

    errno = 0;
    check(refused(aligned_alloc(most, 100)), "an alignment of 2^62");
    check(refused(aligned_alloc(most, most)), "of as many bytes");
    check(!memalign((size_t)1 << 63, 1) && (errno == ENOMEM || errno == EINVAL),
        "an alignment of 2^63");
    check(!memalign(SIZE_MAX, 1), "an alignment of SIZE_MAX");
    check(posix_memalign(&p, most, 100) == ENOMEM && p == &p, "posix_memalign of such");
}

int main(void)
{
    sizes_point();
    realloc_point();
    calloc_point();
    posix_memalign_point();
    alignment_point();
    check(churn(1, 20000) == 0, "the heap works after all of them");
    return done();
}
