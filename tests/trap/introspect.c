/* introspect.c - the calls that ask the heap about itself answer for this heap, not for an empty
 *      one behind it.
 * stderr: any
 */
#include "tap.h"

#if __GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 33)
static void mallinfo2_point(void)
{
    enum { COUNT = 1000, BYTES = 20000 };
    static char      *block[COUNT];
    struct mallinfo2  before = mallinfo2(), full, after;

    for (int i = 0; i < COUNT; i++) {
        block[i] = malloc(BYTES);
        memset(block[i], 1, BYTES);
    }
    full = mallinfo2();
    for (int i = 0; i < COUNT; i++)
        free(block[i]);
    after = mallinfo2();
    check(full.uordblks + full.hblkhd >= before.uordblks + before.hblkhd + (size_t)COUNT * BYTES,
        "mallinfo2 sees 20 MB taken");
    check(after.uordblks + after.hblkhd + (size_t)COUNT * BYTES / 2 < full.uordblks + full.hblkhd,
        "and given back");
}
#else
static void mallinfo2_point(void) { }
#endif

static void mallinfo_point(void)
{
    struct mallinfo all = mallinfo();

    check(all.uordblks >= 0 && all.arena + all.hblkhd > 0, "mallinfo answers");
}

static void malloc_info_point(void)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *to = open_memstream(&text, &bytes);

    check(malloc_info(0, to) == 0, "malloc_info(0, file)");
    fclose(to);
    check(text && !strncmp(text, "<malloc version=\"1\">", 20), "writes XML of version 1");
    check(text && strstr(text, "</malloc>"), "to its end");
    free(text);
    errno = 0;
    check(malloc_info(1, stdout) == EINVAL || malloc_info(1, stdout) == -1,
        "malloc_info knows no other option");
}

static void trim_point(void)
{
    enum { BYTES = 64 << 20 };
    char *p[64];
    long  full, trimmed;

    for (int i = 0; i < 64; i++) {
        p[i] = malloc(BYTES / 64);
        memset(p[i], 1, BYTES / 64);
    }
    full = status_value("VmRSS:");
    for (int i = 0; i < 64; i++)
        free(p[i]);
    check(malloc_trim(0) >= 0, "malloc_trim(0) answers");
    trimmed = status_value("VmRSS:");
    check(full - trimmed > 50000,
        "and 64 MiB that were freed are no longer resident: %ld KiB, then %ld", full, trimmed);
    check(malloc_trim(0) == 0 || malloc_trim(0) == 1, "again");
}

static void mallopt_point(void)
{
    check(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1 || mallopt(M_MMAP_THRESHOLD, 1 << 20) == 0,
        "mallopt(M_MMAP_THRESHOLD)");
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
    mallopt(M_PERTURB, 0);
    mallopt(-12345, 7);
    check(churn(3, 5000) == 0, "the heap works after mallopt");
}

int main(void)
{
    mallinfo2_point();
    mallinfo_point();
    malloc_info_point();
    trim_point();
    mallopt_point();
    malloc_stats();
    check(1, "malloc_stats returns");
    return done();
}
