/* span.c - first fit over bitmaps, and what goes back to the system. */
#include "heap/span.h"
#include "heap/cage.h"
#include "heap/slab.h"
#include "base/count.h"

enum { WORD_BITS = 64, WINDOW_CALLS = 8192, LARGE = KIB(64) >> SLICE_SHIFT };
#define DIRTY_FLOOR  (MIB(6) >> SLICE_SHIFT)     /* a small process never purges */
#define DENSE_FROM   (MIB(16) >> SLICE_SHIFT)    /* a heap below stays on small pages */

struct lock span_lock;

static struct {
    size_t highest;                              /* no slice from here up was ever taken */
    size_t used, dirty, peak;                    /* slices */
    size_t dirty_in[ZONE_COUNT];                 /* dirty, by zone */
    size_t high, high_before;  /* most slices in use, in this window of calls and in the last */
    size_t calls;                                /* in this window */
    size_t spare;                                /* least dirty slices in this window */
    size_t regret;                               /* slices purged and wanted again, of late */
    size_t given;                                /* ever */
    size_t ebb;                                  /* given back less taken, since little is in use */
    size_t stuck;  /* dirty slices the last purge could not have, in halves of huge pages */
    size_t limit;                                /* slices; 0: none */
    bool   huge;
    enum span_purge purge;
} state = { .huge = true };

/* -- the bitmaps ------------------------------------------------------------------------------- */

static bool bit_at(const uint64_t *map, size_t at)
{
    return map[at / WORD_BITS] >> at % WORD_BITS & 1;
}

static enum cage_zone_name zone_of(size_t slice)
{
    return slice >= cage.zone[ZONE_DENSE].first ? ZONE_DENSE : ZONE_SPARSE;
}

static void write_available(size_t at, size_t run, bool set)
{
    const struct runs *runs = &cage_tables.available;
    set ? runs_set(runs, at, run) : runs_clear(runs, at, run);
}

/* Returns how many changed. */
static size_t write_dirty(size_t at, size_t run, bool set)
{
    const struct runs *runs = &cage_tables.dirty;
    size_t changed = set ? runs_set(runs, at, run) : runs_clear(runs, at, run);
    state.dirty += set ? changed : -changed;
    state.dirty_in[zone_of(at)] += set ? changed : -changed;
    return changed;
}

/* -- taking ------------------------------------------------------------------------------------ */

static bool within_limit(size_t slices)
{
    return state.limit == 0 || (slices <= state.limit && state.used <= state.limit - slices);
}

/* A first touch costs an eighth in a huge page, and a miss of the TLB less. What lies behind the
 * reach is ours to advise on only where it is reserved. */
static void ask_for_huge(size_t first, size_t gained)
{
    size_t unit = cage.facts.huge_bytes >> SLICE_SHIFT;
    size_t lo = round_up(first, unit), hi = first + gained;
    hi = cage.planned ? round_down(hi, unit) : round_up(hi, unit);
    if (lo < hi && hi <= cage.zone[ZONE_DENSE].end)
        os_huge(cage_address(lo), (hi - lo) << SLICE_SHIFT);
}

static size_t grow(enum cage_zone_name name, const struct span_wish *wish)
{
    const struct cage_zone *zone = &cage.zone[name];
    size_t first = zone->reach, base = cage.base >> SLICE_SHIFT;
    size_t tail = runs_start(cage_tables.available.map, first, zone->first);
    size_t start = round_up(base + tail, wish->align_slices) - base;
    size_t gained = cage_grow(name, start + wish->slices - first);
    if (gained == 0)
        return RUNS_NONE;
    COUNT_ONE(commits);
    if (name == ZONE_DENSE)
        ask_for_huge(first, gained);
    write_available(first, gained, true);
    return start;
}

static void account_taken(size_t at, size_t run, bool *zero)
{
    write_available(at, run, false);
    size_t warm = write_dirty(at, run, false);
    *zero = warm == 0;
    state.spare = state.dirty < state.spare ? state.dirty : state.spare;
    state.stuck = state.stuck < state.dirty ? state.stuck : state.dirty;
    if (at < state.highest && state.regret < 2 * state.peak)
        state.regret += run - warm;              /* it had pages once */
    state.ebb -= state.ebb < run ? state.ebb : run;
    state.used += run;
    state.peak = state.used > state.peak ? state.used : state.peak;
    state.high = state.used > state.high ? state.used : state.high;
    state.highest = at + run > state.highest ? at + run : state.highest;
    COUNT_ONE(spans_taken);
}

/* It is the address that is to be aligned, and the cage begins at a multiple of 4 GiB only. */
static size_t find_lowest(const struct runs *runs, enum cage_zone_name name,
                          const struct span_wish *wish)
{
    const struct cage_zone *zone = &cage.zone[name];
    struct runs_wish run = { wish->slices, wish->align_slices, cage.base >> SLICE_SHIFT };
    return runs_find(runs, zone->first, zone->reach, &run);
}

static size_t find_in(enum cage_zone_name name, const struct span_wish *wish)
{
    size_t at = RUNS_NONE;
    if (state.dirty_in[name] >= wish->slices)
        at = find_lowest(&cage_tables.dirty, name, wish);
    return at != RUNS_NONE ? at : find_lowest(&cage_tables.available, name, wish);
}

/* Either zone will do before memory is said to be out. */
static size_t find(const struct span_wish *wish)
{
    bool there_is = state.huge && cage.facts.huge_bytes != 0 && !cage.planned;
    bool dense = wish->dense && there_is && state.used >= DENSE_FROM;
    enum cage_zone_name name = dense ? ZONE_DENSE : ZONE_SPARSE, other = ZONE_DENSE - name;
    size_t at = find_in(name, wish);
    at = at != RUNS_NONE ? at : grow(name, wish);
    at = at != RUNS_NONE ? at : find_in(other, wish);
    return at != RUNS_NONE ? at : grow(other, wish);
}

word span_take(const struct span_wish *wish, bool *zero)
{
    size_t most = cage.bytes >> SLICE_SHIFT;
    if (wish->slices > most || wish->align_slices > most || !lock_take(&span_lock))
        return 0;
    size_t at = within_limit(wish->slices) ? find(wish) : RUNS_NONE;
    if (at != RUNS_NONE)
        account_taken(at, wish->slices, zero);
    lock_give(&span_lock);
    return at == RUNS_NONE ? 0 : cage_address(at);
}

static bool all_available(size_t at, size_t end)
{
    return runs_next(cage_tables.available.map, at, end, ~(uint64_t)0) == end;
}

/* What lies right behind may be free up to the reach: then the zone may grow for us. */
bool span_extend(word at, size_t slices, size_t more, bool *zero)
{
    size_t first = cage_slice(at) + slices;
    enum cage_zone_name name = zone_of(first - 1);
    const struct cage_zone *zone = &cage.zone[name];
    const struct span_wish rest = { more, 1, false };
    if (!lock_take(&span_lock))
        return false;
    bool done = within_limit(more) && first + more <= zone->end;
    if (done && first + more > zone->reach)
        done = all_available(first, zone->reach) && grow(name, &rest) == first;
    done = done && all_available(first, first + more);
    if (done)
        account_taken(first, more, zero);
    lock_give(&span_lock);
    return done;
}

/* -- giving back ------------------------------------------------------------------------------- */

/* More than half of the peak that was dirty all through a window of calls was not missed. */
static void next_window(size_t recent)
{
    state.high_before = state.high;
    state.high = state.used;
    if (state.spare > recent / 2)
        state.regret -= state.regret / 4;
    state.spare = state.dirty;
    state.calls = 0;
}

/* A sixteenth of the recent peak stays warm, so that one that frees all and falls silent has
 * returned the rest; where pages that went are wanted again, three. And then all that a peak needs
 * stays, until little is in use and a fourth of the peak was given back meanwhile: that is no dip,
 * but an end. */
static size_t keep_slices(size_t given)
{
    size_t recent = state.high > state.high_before ? state.high : state.high_before;
    bool missed = state.regret > recent;
    size_t share = missed ? recent * 3 / 16 : recent / 16;
    size_t keep = share > DIRTY_FLOOR ? share : DIRTY_FLOOR;
    state.calls += given >= LARGE ? 8 : 1;
    if (state.calls >= WINDOW_CALLS)
        next_window(recent);
    if (state.purge == SPAN_PURGE_NEVER)
        return SIZE_MAX;
    if (state.purge == SPAN_PURGE_NOW)
        return 0;
    state.given += given;
    state.ebb = state.used > recent * 3 / 8 ? 0 : state.ebb + given;
    size_t more = recent + recent / 2 - (state.used < recent ? state.used : recent);
    return missed && state.ebb < recent / 4 && more > keep ? more : keep;
}

/* The highest dirty run below `*end` that may be purged: whole huge pages only, where there are
 * any, unless they may be split. */
static bool purgeable_run(enum cage_zone_name name, size_t *lo, size_t *end, bool split)
{
    bool whole = name == ZONE_DENSE && !split;
    size_t unit = whole ? cage.facts.huge_bytes >> SLICE_SHIFT : 1;
    size_t low = state.dirty_in[name] != 0 ? cage.zone[name].first : *end;
    for (size_t hi = *end; hi > low;) {
        uint64_t below = bits_below((hi - 1) % WORD_BITS + 1);
        uint64_t bits = cage_tables.dirty.map[(hi - 1) / WORD_BITS] & below;
        if (bits == 0) {
            hi = round_down(hi - 1, WORD_BITS);
            continue;
        }
        size_t top = round_down(hi - 1, WORD_BITS) + bit_highest(bits) + 1;
        size_t at = runs_start(cage_tables.dirty.map, top, low);
        *lo = round_up(at, unit);
        *end = round_down(top, unit);
        if (*lo < *end)
            return true;
        hi = at;
    }
    return false;
}

/* Under a limit on address space, what lies on top goes back whole: the program may need it for
 * something else. */
static bool give_top(size_t lo, size_t hi)
{
    struct cage_zone *zone = &cage.zone[zone_of(lo)];
    if (!cage.planned || hi != zone->reach)
        return false;
    write_dirty(lo, hi - lo, false);
    write_available(lo, hi - lo, false);
    cage_shrink(zone_of(lo), hi - lo);
    return true;
}

/* The run belongs to nobody while its pages go: the system call runs without the lock. */
static bool purge_run(size_t lo, size_t hi)
{
    if (give_top(lo, hi))
        return true;
    write_dirty(lo, hi - lo, false);
    write_available(lo, hi - lo, false);
    lock_give(&span_lock);
    bool done = os_purge(cage_address(lo), (hi - lo) << SLICE_SHIFT);
    if (!lock_take(&span_lock))
        return false;
    write_available(lo, hi - lo, true);
    if (!done)                                   /* mlockall: the pages stay and are not zero */
        write_dirty(lo, hi - lo, true);
    return done;
}

static size_t purge_runs(enum cage_zone_name name, size_t keep, bool split)
{
    size_t purged = 0, hi = cage.zone[name].reach, lo;
    while (state.dirty > keep && purgeable_run(name, &lo, &hi, split)) {
        if (hi - lo > state.dirty - keep && (split || name == ZONE_SPARSE))
            lo = hi - (state.dirty - keep);
        if (!purge_run(lo, hi))
            break;
        purged += hi - lo;
        hi = lo;
    }
    return purged;
}

/* A few blocks left behind in every huge page must not keep them all: what is more than half as
 * much again as should be kept goes even where a huge page is split for it. What others gave while
 * the lock was free is not known to be stuck. */
static size_t purge_down_to(size_t keep)
{
    size_t given = state.given, purged = purge_runs(ZONE_DENSE, keep, false);
    purged += purge_runs(ZONE_SPARSE, keep, false);
    if (state.dirty > keep + keep / 2)
        purged += purge_runs(ZONE_DENSE, keep, true);
    state.stuck = state.dirty > keep && given == state.given ? state.dirty : 0;
    if (purged != 0)
        COUNT_ONE(purges);
    COUNT_ADD(purged_bytes, purged << SLICE_SHIFT);
    return purged << SLICE_SHIFT;
}

void span_give(word at, size_t slices, bool zero)
{
    size_t first = cage_slice(at);
    if (!lock_take(&span_lock))
        return;  /* a signal above the holder: the caller has made sure it is not so */
    write_available(first, slices, true);
    if (!zero)
        write_dirty(first, slices, true);
    state.used -= slices;
    COUNT_ONE(spans_given);
    size_t keep = keep_slices(slices);
    if (state.dirty > keep && state.dirty > state.stuck + DIRTY_FLOOR / 2)
        purge_down_to(keep - keep / 4);
    lock_give(&span_lock);
}

/* A huge page comes whole: slices nobody took may have pages, because one beside them was. Only who
 * asks for everything has them looked for. */
static void purge_untaken(void)
{
    const struct cage_zone *zone = &cage.zone[ZONE_DENSE];
    size_t at = zone->first;
    while ((at = runs_next(cage_tables.available.map, at, zone->reach, 0)) < zone->reach) {
        size_t end = runs_next(cage_tables.available.map, at, zone->reach, ~(uint64_t)0);
        if (!purge_run(at, end))
            return;
        at = end;
    }
}

size_t span_purge(size_t keep_bytes)
{
    if (!lock_take(&span_lock))
        return 0;
    size_t purged = purge_down_to(keep_bytes >> SLICE_SHIFT);
    if (keep_bytes == 0)
        purge_untaken();
    lock_give(&span_lock);
    return purged;
}

void span_configure(enum span_purge purge, size_t limit_bytes, bool huge)
{
    state.purge = purge;
    state.limit = SLICES_OF(limit_bytes);
    state.huge = huge;
}

struct span_figures span_figures(void)
{
    return (struct span_figures){ state.used, state.dirty, state.peak };
}

bool span_is_huge(word at)
{
    return zone_of(cage_slice(at)) == ZONE_DENSE;
}

size_t span_highest(void)
{
    return state.highest;
}

static void validate_zone(enum cage_zone_name name, size_t *available, size_t *dirty)
{
    runs_validate(&cage_tables.available, cage.zone[name].first, cage.zone[name].reach);
    runs_validate(&cage_tables.dirty, cage.zone[name].first, cage.zone[name].reach);
    for (size_t i = cage.zone[name].first; i < cage.zone[name].reach; i++) {
        bool free = bit_at(cage_tables.available.map, i), kept = bit_at(cage_tables.dirty.map, i);
        ASSERT(free || !kept);                                              /* N3 */
        ASSERT(!free || cage.slab_of[i] == &slab_none);                     /* G2 */
        *available += free;
        *dirty += kept;
    }
}

void span_validate(void)
{
    size_t available = 0, dirty = 0, slices = 0;
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        validate_zone(i, &available, &dirty);
        slices += cage.zone[i].reach - cage.zone[i].first;
    }
    ASSERT(dirty == state.dirty);
    ASSERT(available + state.used == slices);    /* at rest: nothing is being purged */
}
