/* residency.c - see residency.h. */
#include "residency.h"

#include "base/bits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* linux/fs.h has these since 6.7; older headers are built with, newer kernels are run on. */
struct scan_region {
    uint64_t lo, hi, categories;
};
struct scan_request {
    uint64_t size, flags, lo, hi, walked, regions, region_count, max_pages;
    uint64_t inverted, all_of, any_of, told;
};
#define SCAN_CALL _IOWR('f', 16, struct scan_request)
enum { SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4, SCAN_ZEROS = 1 << 5, SCAN_REGIONS = 1024 };

#define MAP_PRESENT   ((uint64_t)1 << 63)
#define MAP_SWAPPED   ((uint64_t)1 << 62)
#define MAP_EXCLUSIVE ((uint64_t)1 << 56)
enum { MAP_ENTRIES = 4096 };

/* -- bits -------------------------------------------------------------------------------------- */

static void mark(uint64_t *map, size_t from, size_t to)
{
    while (from < to) {
        size_t in_word = 64 - from % 64, count = in_word < to - from ? in_word : to - from;
        map[from / 64] |= bits_below((unsigned)count) << from % 64;
        from += count;
    }
}

static size_t count_marked(const uint64_t *map, size_t from, size_t to)
{
    size_t marked = 0;
    while (from < to) {
        size_t in_word = 64 - from % 64, count = in_word < to - from ? in_word : to - from;
        marked += bit_count(map[from / 64] >> from % 64 & bits_below((unsigned)count));
        from += count;
    }
    return marked;
}

static void clear(struct residency *residency)
{
    for (size_t i = 0; i < (residency->pages + 63) / 64; i++)
        residency->present[i] = residency->stored[i] = 0;
    residency->swapped = 0;
}

/* -- ways -------------------------------------------------------------------------------------- */

static void note_region(struct residency *residency, const struct scan_region *region)
{
    size_t from = (region->lo - residency->lo) / residency->page_bytes;
    size_t to = (region->hi - residency->lo) / residency->page_bytes;
    if (region->categories & SCAN_ZEROS)
        return;
    mark(residency->stored, from, to);
    if (region->categories & SCAN_PRESENT)
        mark(residency->present, from, to);
    else
        residency->swapped += region->hi - region->lo;
}

static bool scan(struct residency *residency, int fd)
{
    static struct scan_region regions[SCAN_REGIONS];
    struct scan_request request = {
        .size = sizeof request, .lo = residency->lo,
        .hi = residency->lo + residency->pages * residency->page_bytes,
        .regions = (uintptr_t)regions, .region_count = SCAN_REGIONS,
        .any_of = SCAN_PRESENT | SCAN_SWAPPED, .told = SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZEROS,
    };
    while (request.lo < request.hi) {
        int count = ioctl(fd, SCAN_CALL, &request);
        if (count < 0 || request.walked <= request.lo)
            return false;
        for (int i = 0; i < count; i++)
            note_region(residency, &regions[i]);
        request.lo = request.walked;
    }
    return true;
}

/* A page of zeros is present and nobody's own; so are pages shared with a forked child. */
static void note_page(struct residency *residency, size_t page, uint64_t entry, bool common)
{
    bool present = (entry & MAP_PRESENT) && (common || (entry & MAP_EXCLUSIVE));
    bool swapped = (entry & MAP_SWAPPED) != 0;
    if (present)
        mark(residency->present, page, page + 1);
    if (present || swapped)
        mark(residency->stored, page, page + 1);
    residency->swapped += swapped ? residency->page_bytes : 0;
}

static bool read_map(struct residency *residency, int fd, bool common)
{
    static uint64_t entries[MAP_ENTRIES];
    for (size_t page = 0; page < residency->pages;) {
        size_t left = residency->pages - page, wanted = left < MAP_ENTRIES ? left : MAP_ENTRIES;
        off_t at = (off_t)((residency->lo / residency->page_bytes + page) * sizeof *entries);
        ssize_t got = pread(fd, entries, wanted * sizeof *entries, at);
        if (got < (ssize_t)sizeof *entries)
            return false;
        for (size_t i = 0; i < (size_t)got / sizeof *entries; i++)
            note_page(residency, page + i, entries[i], common);
        page += (size_t)got / sizeof *entries;
    }
    return true;
}

static enum residency_way read_open(struct residency *residency, int fd, enum residency_way way,
                                    bool common)
{
    if (way == RESIDENCY_SCAN && scan(residency, fd))
        return RESIDENCY_SCAN;
    clear(residency);
    return way != RESIDENCY_REFUSED && read_map(residency, fd, common) ? RESIDENCY_MAP
                                                                       : RESIDENCY_REFUSED;
}

/* -- the whole --------------------------------------------------------------------------------- */

bool residency_init(struct residency *residency, word lo, word hi)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (hi - lo) / page, words = pages / 64 + 1;
    *residency = (struct residency){ .lo = lo, .page_bytes = page, .pages = pages };
    residency->present = calloc(words, sizeof(uint64_t));
    residency->stored = calloc(words, sizeof(uint64_t));
    return residency->present && residency->stored;
}

enum residency_way residency_read(struct residency *residency, int pid, enum residency_way way,
                                  bool common)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    clear(residency);
    enum residency_way answer = RESIDENCY_REFUSED;
    if (fd >= 0) {
        answer = read_open(residency, fd, way, common);
        close(fd);
    }
    if (answer == RESIDENCY_REFUSED) {
        clear(residency);
        mark(residency->present, 0, residency->pages);
        mark(residency->stored, 0, residency->pages);
    }
    return answer;
}

void residency_fini(struct residency *residency)
{
    free(residency->present);
    free(residency->stored);
    *residency = (struct residency){ 0 };
}

bool residency_page(const struct residency *residency, word address)
{
    size_t page = (address - residency->lo) / residency->page_bytes;
    return page < residency->pages && (residency->present[page / 64] >> page % 64 & 1);
}

/* Whole pages by the bit, the two at the ends by what of them lies in the range. */
size_t residency_bytes(const struct residency *residency, word lo, word hi)
{
    size_t page = residency->page_bytes;
    if (lo >= hi)
        return 0;
    size_t from = (lo - residency->lo) / page, to = (hi - residency->lo + page - 1) / page;
    size_t bytes = count_marked(residency->present, from, to) * page;
    if (residency_page(residency, lo))
        bytes -= (lo - residency->lo) % page;
    if (residency_page(residency, hi - 1))
        bytes -= (page - (hi - residency->lo) % page) % page;
    return bytes;
}
