/* runs.c - tests of heap/runs.h, against bits looked at one by one. */
#include "ground.h"
#include "heap/runs.h"

enum { BITS = 8 * RUNS_CHUNK * 31, STEPS = 20000, GROUPS = BITS / (RUNS_CHUNK * RUNS_CHUNKS) + 2 };

static uint64_t map[BITS / 64 + 2];
static struct runs_group groups[GROUPS];
static const struct runs runs = { map, groups };
static bool bits[BITS + 1];

static void write_bits(size_t at, size_t run, bool set)
{
    size_t changed = 0;
    for (size_t i = at; i < at + run; i++) {
        changed += bits[i] != set;
        bits[i] = set;
    }
    cr_assert_eq((set ? runs_set : runs_clear)(&runs, at, run), changed);
}

static size_t find_slowly(size_t end, const struct runs_wish *wish)
{
    size_t run = 0;
    for (size_t at = 0; at < end; at++) {
        run = bits[at] ? run + 1 : 0;
        size_t start = at + 1 - wish->run;
        if (run >= wish->run && (wish->origin + start) % wish->align == 0)
            return start;
    }
    return RUNS_NONE;
}

static void expect_same(size_t end, struct runs_wish wish)
{
    cr_assert_eq(runs_find(&runs, 0, end, &wish), find_slowly(end, &wish), "a run of %zu by %zu",
                 wish.run, wish.align);
}

/* Lengths around a word's, a chunk's and few of both. */
static size_t length(uint64_t *seed, size_t most)
{
    size_t length = next(seed) % 3 == 0 ? next(seed) % (3 * RUNS_CHUNK) : next(seed) % 70;
    return length < most ? length + 1 : most;
}

static void step(uint64_t *seed, size_t end)
{
    size_t at = next(seed) % end, run = length(seed, end - at);
    write_bits(at, run, next(seed) % 100 < 45);
    if (next(seed) % 8 != 0)
        return;
    size_t align = next(seed) % 3 == 0 ? (size_t)1 << next(seed) % 11 : 1;
    expect_same(end, (struct runs_wish){ length(seed, end), align, next(seed) % 5 * 128 });
}

Test(runs, the_lowest_that_fits_is_found)
{
    uint64_t seed = 20261;
    for (size_t end = 100; end <= BITS; end *= 4)
        for (unsigned i = 0; i < STEPS / 10; i++) {
            step(&seed, end);
            if (i % 64 == 0)
                runs_validate(&runs, 0, end);
        }
}

Test(runs, one_longer_than_a_chunk_is_found_where_it_begins)
{
    size_t at = 5 * RUNS_CHUNK - 7;
    write_bits(at, 3 * RUNS_CHUNK, true);
    expect_same(BITS, (struct runs_wish){ 3 * RUNS_CHUNK, 1, 0 });
    expect_same(BITS, (struct runs_wish){ 3 * RUNS_CHUNK + 1, 1, 0 });
    write_bits(at - RUNS_CHUNK, RUNS_CHUNK, true);
    expect_same(BITS, (struct runs_wish){ 4 * RUNS_CHUNK, 1, 0 });
    expect_same(BITS, (struct runs_wish){ 2 * RUNS_CHUNK, 2 * RUNS_CHUNK, 0 });
    write_bits(at, RUNS_CHUNK + 30, false);
    expect_same(BITS, (struct runs_wish){ RUNS_CHUNK + 1, 1, 0 });
    runs_validate(&runs, 0, BITS);
}

static unsigned most(void)
{
    unsigned most = 0;
    for (size_t i = 0; i < GROUPS; i++)
        most = groups[i].most > most ? groups[i].most : most;
    return most;
}

/* The rest of a run from the group before lies at the start of the chunk, and begins elsewhere. */
Test(runs, what_goes_on_from_the_chunk_before_raises_no_bound)
{
    enum { GROUP = RUNS_CHUNK * RUNS_CHUNKS };
    write_bits(GROUP - 12, 60, true);
    write_bits(GROUP + 80, 5, true);
    expect_same(BITS, (struct runs_wish){ 5, 16 * GROUP, GROUP / 2 + 1 });
    cr_assert_eq(groups[1].of[0], 5);
    runs_validate(&runs, 0, BITS);
}

/* Time after time through every hole that is too small: what a search in vain must not leave
 * behind. */
Test(runs, who_looked_in_vain_leaves_no_bound_above_what_is_there)
{
    for (size_t at = 0; at + 16 <= BITS; at += 16)
        write_bits(at, 11, true);
    write_bits(BITS / 2 - BITS / 2 % 16, 16, true);
    cr_assert_eq(most(), 27, "two holes and what was between them");
    write_bits(BITS / 2 - BITS / 2 % 16 + 11, 5, false);
    expect_same(BITS, (struct runs_wish){ 13, 1, 0 });
    cr_assert_eq(most(), 11);
    write_bits(16, 11, false);
    expect_same(BITS, (struct runs_wish){ 12, 1, 0 });
    cr_assert_eq(most(), 11, "nothing to look at");
    expect_same(BITS, (struct runs_wish){ 11, 1, 0 });
}
