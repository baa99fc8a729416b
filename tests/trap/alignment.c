/* alignment.c - every entry point times alignments and sizes: aligned, large enough, apart from
 *      each other, freed. */
#include "tap.h"

enum { ENTRIES = 8, LIVE = 24 };

static const char *const names[ENTRIES] = {
    "malloc", "calloc", "realloc", "aligned_alloc", "memalign", "posix_memalign", "valloc",
        "pvalloc",
};

static void *take(int entry, size_t align, size_t bytes)
{
    void *p = NULL;

    switch (entry) {
    case 0: return malloc(bytes);
    case 1: return calloc(1, bytes);
    case 2: return realloc(malloc(bytes / 2 + 1), bytes ? bytes : 1);
    case 3: return aligned_alloc(align, bytes);
    case 4: return memalign(align, bytes);
    case 5: return posix_memalign(&p, align, bytes) == 0 ? p : NULL;
    case 6: return valloc(bytes);
    default: return pvalloc(bytes);
    }
}

/* What the entry promises when asked for align. */
static size_t promise(int entry, size_t align)
{
    if (entry < 3)
        return 16;
    return entry < 6 ? align : 4096;
}

/* LIVE blocks at once of one entry, alignment and size; the faults found. */
static int try(int entry, size_t align, size_t bytes)
{
    char  *block[LIVE];
    size_t count = bytes > 100000 ? 4 : LIVE;
    int    bad = 0;

    for (size_t i = 0; i < count; i++) {
        block[i] = take(entry, align, bytes);
        if (!block[i])
            return 1;
        bad += ((uintptr_t)block[i] & (promise(entry, align) - 1)) != 0;
        bad += malloc_usable_size(block[i]) < bytes;
        fill(block[i], bytes, (unsigned)i);
    }
    for (size_t i = 0; i < count; i++) {
        bad += !holds(block[i], bytes, (unsigned)i);
        if (i % 3 == 0) {
            block[i] = realloc(block[i], bytes * 2 + 1);
            bad += !block[i] || !holds(block[i], bytes, (unsigned)i);
        }
        free(block[i]);
    }
    return bad;
}

int main(void)
{
    static const size_t sizes[] = { 0, 1, 8, 15, 16, 17, 24, 48, 100, 128, 1000, 1024, 4000, 4096,
        5000, 30000, 65536, 70000,
        262144, 300000, 2000000 };

    for (int entry = 0; entry < ENTRIES; entry++) {
        int bad = 0;

        for (size_t align = 8; align <= (entry < 3 || entry > 5 ? 8 : (size_t)1 << 21); align *= 2)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                bad += try(entry, align, sizes[i]);
        check(bad == 0, "%s: alignments from 8 to 2 MiB, sizes from 0 to 2,000,000 (%d faults)",
            names[entry], bad);
    }
    for (size_t n = 0; n <= 64; n++) {
        void *p = malloc(n);

        if (((uintptr_t)p & 15) != 0)
            check(0, "malloc(%zu) is not aligned to 16", n);
        hide(p);
    }
    check(1, "small blocks are aligned to 16, even of one byte");
    return done();
}
