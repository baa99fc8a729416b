/* span.c - first fit over bitmaps, and what goes back to the system. */
#include "heap/span.h"
#include "heap/cage.h"
#include "heap/slab.h"
#include "base/count.h"

enum { WORD_BITS = 64, WINDOW_CALLS = 1024 };
#define NOWHERE      SIZE_MAX
#define DIRTY_FLOOR  (MIB(8) >> SLICE_SHIFT)     /* a small process never purges */
#define HUGE_FROM    (MIB(16) >> SLICE_SHIFT)    /* a heap below stays on small pages */

struct lock span_lock;

static struct {
    size_t low;                                  /* no slice below is available */
    size_t highest;                              /* no slice from here up was ever taken */
    size_t used, dirty, peak;                    /* slices */
    size_t high, high_before;                    /* most slices in use, in this window of calls and in the last */
    size_t calls;                                /* in this window */
    size_t stuck;                                /* dirty slices the last purge could not have, in halves of huge pages */
    size_t limit;                                /* slices; 0: none */
    size_t huge_from;                            /* slices from here up lie in huge pages; NOWHERE: none do */
    bool   huge;
    enum span_purge purge;
} state = { .huge_from = NOWHERE, .huge = true };

/* -- runs of bits --------------------------------------------------------------------------------------------------- */

static size_t next_bit(const uint64_t *map, size_t at, size_t end, uint64_t flip)
{
    while (at < end) {
        uint64_t bits = (map[at / WORD_BITS] ^ flip) & ~bits_below(at % WORD_BITS);
        if (bits != 0) {
            size_t found = round_down(at, WORD_BITS) + bit_lowest(bits);
            return found < end ? found : end;
        }
        at = round_down(at, WORD_BITS) + WORD_BITS;
    }
    return end;
}

static size_t find_run(const uint64_t *map, size_t from, size_t run, size_t align)
{
    size_t end = cage.reach >> SLICE_SHIFT;
    for (size_t at = from; at + run <= end;) {
        at = next_bit(map, at, end, 0);
        size_t start = round_up(at, align);
        if (start + run > end)
            break;
        size_t stop = next_bit(map, at, start + run, ~(uint64_t)0);
        if (stop == start + run)
            return start;
        at = stop;
    }
    return NOWHERE;
}

/* Sets or clears bits [at, at + run); returns how many changed. */
static size_t write_run(uint64_t *map, size_t at, size_t run, bool set)
{
    size_t changed = 0;
    for (size_t end = at + run; at < end;) {
        size_t in_word = WORD_BITS - at % WORD_BITS;
        size_t count = in_word < end - at ? in_word : end - at;
        uint64_t mask = bits_below((unsigned)count) << at % WORD_BITS;
        uint64_t *bits = &map[at / WORD_BITS];
        changed += bit_count((set ? ~*bits : *bits) & mask);
        *bits = set ? *bits | mask : *bits & ~mask;
        at += count;
    }
    return changed;
}

/* -- taking ---------------------------------------------------------------------------------------------------------- */

static bool within_limit(size_t slices)
{
    return state.limit == 0 || (slices <= state.limit && state.used <= state.limit - slices);
}

/* From a few MiB on, the cage grows into huge pages: a first touch costs an eighth there, and a miss of the TLB less. */
static void ask_for_huge(size_t first, size_t gained)
{
    size_t unit = cage.facts.huge_bytes >> SLICE_SHIFT;
    if (!state.huge || unit == 0 || first + gained < HUGE_FROM)
        return;
    size_t lo = round_up(first, unit), hi = round_down(first + gained, unit);
    if (lo < hi && os_huge(cage_address(lo), (hi - lo) << SLICE_SHIFT) && state.huge_from == NOWHERE)
        state.huge_from = lo;
}

static size_t grow(size_t run, size_t align)
{
    size_t first = cage.reach >> SLICE_SHIFT, tail = first;
    while (tail > state.low && (cage_tables.available[(tail - 1) / WORD_BITS] >> (tail - 1) % WORD_BITS & 1))
        tail--;
    size_t start = round_up(tail, align);
    size_t gained = cage_grow(start + run - first);
    if (gained == 0)
        return NOWHERE;
    COUNT_ONE(commits);
    ask_for_huge(first, gained);
    write_run(cage_tables.available, first, gained, true);
    return start;
}

static void account_taken(size_t at, size_t run, bool *zero)
{
    write_run(cage_tables.available, at, run, false);
    size_t dirty = write_run(cage_tables.dirty, at, run, false);
    *zero = dirty == 0;
    state.dirty -= dirty;
    state.stuck = state.stuck < state.dirty ? state.stuck : state.dirty;
    state.used += run;
    state.peak = state.used > state.peak ? state.used : state.peak;
    state.high = state.used > state.high ? state.used : state.high;
    state.highest = at + run > state.highest ? at + run : state.highest;
    COUNT_ONE(spans_taken);
}

static size_t find(size_t run, size_t align)
{
    size_t at = NOWHERE;
    state.low = next_bit(cage_tables.available, state.low, cage.reach >> SLICE_SHIFT, 0);
    if (state.dirty >= run)
        at = find_run(cage_tables.dirty, state.low, run, align);
    if (at == NOWHERE)
        at = find_run(cage_tables.available, state.low, run, align);
    return at == NOWHERE ? grow(run, align) : at;
}

word span_take(size_t slices, size_t align_slices, bool *zero)
{
    if (slices > cage.bytes >> SLICE_SHIFT || align_slices > cage.bytes >> SLICE_SHIFT || !lock_take(&span_lock))
        return 0;
    size_t at = within_limit(slices) ? find(slices, align_slices) : NOWHERE;
    if (at != NOWHERE)
        account_taken(at, slices, zero);
    lock_give(&span_lock);
    return at == NOWHERE ? 0 : cage_address(at);
}

bool span_extend(word at, size_t slices, size_t more, bool *zero)
{
    size_t first = cage_slice(at) + slices;
    if (!lock_take(&span_lock))
        return false;
    size_t end = cage.reach >> SLICE_SHIFT;
    bool done = within_limit(more);
    if (done && first + more > end && next_bit(cage_tables.available, first, end, ~(uint64_t)0) == end)
        done = grow(more, 1) == first;           /* free up to the reach: the cage may grow for us */
    done = done && first + more <= cage.reach >> SLICE_SHIFT &&
           next_bit(cage_tables.available, first, first + more, ~(uint64_t)0) == first + more;
    if (done)
        account_taken(first, more, zero);
    lock_give(&span_lock);
    return done;
}

/* -- giving back -------------------------------------------------------------------------------------------------------- */

/* A sixth of the recent peak stays warm: a program that allocates in waves finds it again, and one that frees all and
 * falls silent has returned the rest. */
static size_t keep_slices(void)
{
    if (++state.calls == WINDOW_CALLS) {
        state.high_before = state.high;
        state.high = state.used;
        state.calls = 0;
    }
    if (state.purge == SPAN_PURGE_NEVER)
        return NOWHERE;
    if (state.purge == SPAN_PURGE_NOW)
        return 0;
    size_t share = (state.high > state.high_before ? state.high : state.high_before) / 6;
    return share > DIRTY_FLOOR ? share : DIRTY_FLOOR;
}

/* The highest dirty run below `*end` that may be purged: whole huge pages only, where there are any,
 * unless they may be split. */
static bool purgeable_run(size_t *lo, size_t *end, bool split)
{
    size_t unit = cage.facts.huge_bytes >> SLICE_SHIFT;
    for (size_t hi = *end; hi > state.low;) {
        uint64_t bits = cage_tables.dirty[(hi - 1) / WORD_BITS] & bits_below((unsigned)((hi - 1) % WORD_BITS + 1));
        if (bits == 0) {
            hi = round_down(hi - 1, WORD_BITS);
            continue;
        }
        size_t top = round_down(hi - 1, WORD_BITS) + bit_highest(bits) + 1, at = top;
        while (at > 0 && (cage_tables.dirty[(at - 1) / WORD_BITS] >> (at - 1) % WORD_BITS & 1))
            at--;
        bool whole = at >= state.huge_from && !split;
        size_t from = whole ? round_up(at, unit) : at;
        size_t to = whole ? round_down(top, unit) : top;
        if (from < to) {
            *lo = from;
            *end = to;
            return true;
        }
        hi = at;
    }
    return false;
}

/* The run belongs to nobody while its pages go: the system call runs without the lock. */
static bool purge_run(size_t lo, size_t hi)
{
    state.dirty -= write_run(cage_tables.dirty, lo, hi - lo, false);
    write_run(cage_tables.available, lo, hi - lo, false);
    lock_give(&span_lock);
    bool done = os_purge(cage_address(lo), (hi - lo) << SLICE_SHIFT);
    if (!lock_take(&span_lock))
        return false;
    write_run(cage_tables.available, lo, hi - lo, true);
    if (!done)                                   /* mlockall: the pages stay and are not zero */
        state.dirty += write_run(cage_tables.dirty, lo, hi - lo, true);
    state.low = lo < state.low ? lo : state.low;
    return done;
}

static size_t purge_runs(size_t keep, bool split)
{
    size_t purged = 0, hi = cage.reach >> SLICE_SHIFT, lo;
    while (state.dirty > keep && purgeable_run(&lo, &hi, split)) {
        if (hi - lo > state.dirty - keep && (split || lo < state.huge_from))
            lo = hi - (state.dirty - keep);
        if (!purge_run(lo, hi))
            break;
        purged += hi - lo;
        hi = lo;
    }
    return purged;
}

/* A few blocks left behind in every huge page must not keep them all: what is more than half as much
 * again as should be kept goes even where a huge page is split for it. */
static size_t purge_down_to(size_t keep)
{
    size_t purged = purge_runs(keep, false);
    if (state.dirty > keep + keep / 2)
        purged += purge_runs(keep, true);
    state.stuck = state.dirty > keep ? state.dirty : 0;
    if (purged != 0)
        COUNT_ONE(purges);
    COUNT_ADD(purged_bytes, purged << SLICE_SHIFT);
    return purged << SLICE_SHIFT;
}

void span_give(word at, size_t slices)
{
    size_t first = cage_slice(at);
    if (!lock_take(&span_lock))
        return;                                  /* a signal above the holder: the caller has made sure it is not so */
    write_run(cage_tables.available, first, slices, true);
    state.dirty += write_run(cage_tables.dirty, first, slices, true);
    state.used -= slices;
    state.low = first < state.low ? first : state.low;
    COUNT_ONE(spans_given);
    size_t keep = keep_slices();
    if (state.dirty > keep && state.dirty > state.stuck + DIRTY_FLOOR / 2)
        purge_down_to(keep - keep / 4);
    lock_give(&span_lock);
}

size_t span_purge(size_t keep_bytes)
{
    if (!lock_take(&span_lock))
        return 0;
    size_t purged = purge_down_to(keep_bytes >> SLICE_SHIFT);
    lock_give(&span_lock);
    return purged;
}

void span_configure(enum span_purge purge, size_t limit_bytes, bool huge)
{
    state.purge = purge;
    state.limit = limit_bytes >> SLICE_SHIFT;
    state.huge = huge;
}

struct span_figures span_figures(void)
{
    return (struct span_figures){ state.used, state.dirty, state.peak };
}

bool span_is_huge(word at)
{
    return cage_slice(at) >= state.huge_from;
}

size_t span_highest(void)
{
    return state.highest;
}

void span_validate(void)
{
    size_t available = 0, dirty = 0, end = cage.reach >> SLICE_SHIFT;
    for (size_t i = 0; i < end; i++) {
        bool free = cage_tables.available[i / WORD_BITS] >> i % WORD_BITS & 1;
        bool kept = cage_tables.dirty[i / WORD_BITS] >> i % WORD_BITS & 1;
        ASSERT(free || !kept);                                              /* N3 */
        ASSERT(!free || i >= state.low);
        ASSERT(!free || cage.slab_of[i] == &slab_none);                     /* G2 */
        available += free;
        dirty += kept;
    }
    ASSERT(dirty == state.dirty);
    ASSERT(available + state.used == end);                                  /* at rest: nothing is being purged */
}
