/* seams.c - tests of heap/seams.h, against a number for each mapping. */
#include "ground.h"
#include "heap/seams.h"

enum { SLICES = 1000, STEPS = 20000 };
static uint64_t moved[SLICES / 64 + 2], ends[SLICES / 64 + 2];
static struct seams seams = { moved, ends, 0 };
static unsigned mapping[SLICES + 2];             /* 0: fresh, and one with the fresh beside it */

static size_t seams_between(size_t from, size_t end)
{
    size_t found = 0;
    for (size_t i = from + 1; i < end; i++)
        found += mapping[i] != mapping[i - 1];
    return found;
}

static void map(size_t at, size_t run, unsigned number)
{
    for (size_t i = at; i < at + run; i++)
        mapping[i] = number;
    (number != 0 ? seams_moved : seams_fresh)(&seams, at, run);
}

static void expect_as_mapped(void)
{
    cr_assert_eq(seams.count, seams_between(0, SLICES + 2));
    seams_validate(&seams, 0, SLICES + 1);
}

Test(seams, are_counted_as_mappings_come_and_go)
{
    uint64_t seed = 7;
    for (unsigned step = 1; step <= STEPS; step++) {
        size_t at = 1 + next(&seed) % (SLICES - 1), room = SLICES - at;
        size_t run = 1 + next(&seed) % (room < 100 ? room : 100);
        bool any = false;
        for (size_t i = at; i < at + run; i++)
            any |= mapping[i] != 0;
        cr_assert_eq(seams_touch(&seams, at, run), any);
        cr_assert_eq(seams_cross(&seams, at, run), seams_between(at, at + run) != 0);
        map(at, run, next(&seed) % 2 != 0 ? step : 0);
        expect_as_mapped();
    }
    map(1, SLICES - 1, 0);
    cr_assert_eq(seams.count, 0);
}

Test(seams, there_is_room_until_there_are_many)
{
    size_t at = 1;
    cr_assert(seams_have_room(&seams));
    for (; at + 2 < SLICES && seams_have_room(&seams); at += 2)
        map(at, 1, (unsigned)at);
    cr_assert_eq(seams_have_room(&seams), !DEBUG_BUILD);
    map(1, 9, 0);
    cr_assert(seams_have_room(&seams));
    expect_as_mapped();
}
