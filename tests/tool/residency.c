/* residency.c - tests of tools/midden/residency.h: every way tells the same of pages we know. */
#include "residency.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 300 };

static char *area;
static size_t page;

/* Every third page written, every fifth of the others read, the rest never touched. */
static void make_area(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    area = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(area, MAP_FAILED);
    madvise(area, PAGES * page, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < PAGES; i++) {
        if (i % 3 == 0)
            area[i * page] = 1;
        else if (i % 5 == 0)
            (void)*(volatile char *)&area[i * page];
    }
}

static void check_way(enum residency_way way)
{
    struct residency residency;
    make_area();
    cr_assert(residency_init(&residency, (word)area, (word)area + PAGES * page));
    cr_assert_leq(residency_read(&residency, getpid(), way, false), RESIDENCY_MAP);
    for (size_t i = 0; i < PAGES; i++)
        cr_expect_eq(residency_page(&residency, (word)area + i * page), i % 3 == 0, "page %zu", i);
    cr_expect_eq(residency_bytes(&residency, (word)area, (word)area + PAGES * page),
                 PAGES / 3 * page);
    cr_expect_eq(residency.swapped, 0);
    residency_fini(&residency);
}

Test(residency, the_best_way_tells_pages_of_zeros_from_pages)
{
    check_way(RESIDENCY_SCAN);
}

Test(residency, pagemap_tells_the_same)
{
    check_way(RESIDENCY_MAP);
}

Test(residency, where_all_is_refused_every_page_is_marked)
{
    struct residency residency;
    make_area();
    cr_assert(residency_init(&residency, (word)area, (word)area + PAGES * page));
    cr_expect_eq(residency_read(&residency, getpid(), RESIDENCY_REFUSED, false),
                 RESIDENCY_REFUSED);
    cr_expect_eq(residency_bytes(&residency, (word)area, (word)area + PAGES * page),
                 PAGES * page);
    residency_fini(&residency);
}

Test(residency, a_part_of_a_page_counts_as_such)
{
    struct residency residency;
    make_area();
    word lo = (word)area;
    cr_assert(residency_init(&residency, lo, lo + PAGES * page));
    residency_read(&residency, getpid(), RESIDENCY_SCAN, false);
    cr_expect_eq(residency_bytes(&residency, lo + 10, lo + 30), 20);
    cr_expect_eq(residency_bytes(&residency, lo + 10, lo + page), page - 10);
    cr_expect_eq(residency_bytes(&residency, lo + 10, lo + page + 5), page - 10);
    cr_expect_eq(residency_bytes(&residency, lo + page, lo + 3 * page + 7), 7);
    cr_expect_eq(residency_bytes(&residency, lo + 7, lo + 7), 0);
    for (size_t from = 0; from < 4 * page; from += 997)
        cr_expect_eq(residency_bytes(&residency, lo, lo + from)
                     + residency_bytes(&residency, lo + from, lo + 8 * page), 3 * page);
    residency_fini(&residency);
}
