/* span.c - first fit over bitmaps, and what goes back to the system. */
#include "heap/span.h"
#include "heap/cage.h"
#include "heap/slab.h"
#include "base/count.h"

enum { WORD_BITS = 64, WINDOW_CALLS = 8192, LARGE = KIB(64) >> SLICE_SHIFT };
#define DIRTY_FLOOR  (MIB(6) >> SLICE_SHIFT)     /* a small process never purges */
#define HUGE_SLICES (cage.facts.huge_bytes >> SLICE_SHIFT)
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
    size_t unit = HUGE_SLICES, lo = round_up(first, unit), hi = first + gained;
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

/* Returns how many of them have pages. */
static size_t account_taken(size_t at, size_t run)
{
    write_available(at, run, false);
    size_t warm = write_dirty(at, run, false);
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
    return warm;
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

static bool huge_there_is(void)
{
    return state.huge && cage.facts.huge_bytes != 0 && !cage.planned;
}

/* Either zone will do before memory is said to be out. */
static size_t find(const struct span_wish *wish)
{
    bool dense = wish->dense && huge_there_is() && state.used >= DENSE_FROM;
    enum cage_zone_name name = dense ? ZONE_DENSE : ZONE_SPARSE, other = ZONE_DENSE - name;
    size_t at = find_in(name, wish);
    at = at != RUNS_NONE ? at : grow(name, wish);
    at = at != RUNS_NONE ? at : find_in(other, wish);
    return at != RUNS_NONE ? at : grow(other, wish);
}

word span_take(const struct span_wish *wish, size_t *warm)
{
    size_t most = cage.bytes >> SLICE_SHIFT;
    if (wish->slices > most || wish->align_slices > most || !lock_take(&span_lock))
        return 0;
    size_t at = within_limit(wish->slices) ? find(wish) : RUNS_NONE;
    if (at != RUNS_NONE)
        *warm = account_taken(at, wish->slices);
    lock_give(&span_lock);
    return at == RUNS_NONE ? 0 : cage_address(at);
}

static bool all_available(size_t at, size_t end)
{
    return runs_next(cage_tables.available.map, at, end, ~(uint64_t)0) == end;
}

/* What lies right behind may be free up to the reach: then the zone may grow for us. */
bool span_extend(word at, size_t slices, size_t more, size_t *warm)
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
        *warm = account_taken(first, more);
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

/* What may be dirty, and how much of it stays when it is more. */
struct bounds {
    size_t most, keep;
};

static struct bounds bounds_of(size_t most, size_t keep)
{
    keep = keep > DIRTY_FLOOR ? keep : DIRTY_FLOOR;
    return (struct bounds){ most > keep ? most : keep, keep - keep / 4 };
}

/* A sixteenth of the recent peak stays warm, so that one that frees all and falls silent has
 * returned the rest; where pages that went are wanted again, three. While it goes on, twice as much
 * may gather before some goes, or where they are wanted, all that a peak needs. It has ended when
 * little is in use and a fourth of the peak was given back meanwhile: that is no dip. */
static struct bounds bounds(size_t recent)
{
    bool missed = state.regret > recent, ended = state.ebb >= recent / 4;
    size_t share = missed ? recent * 3 / 16 : recent / 16;
    size_t whole = recent + recent / 4 + DIRTY_FLOOR - (state.used < recent ? state.used : recent);
    if (ended)
        return bounds_of(share, share);
    if (missed)
        return bounds_of(whole, whole);
    return bounds_of(2 * (share > DIRTY_FLOOR ? share : DIRTY_FLOOR), share);
}

static struct bounds bounds_after(size_t given)
{
    size_t recent = state.high > state.high_before ? state.high : state.high_before;
    state.calls += given >= LARGE ? 8 : 1;
    if (state.calls >= WINDOW_CALLS)
        next_window(recent);
    if (state.purge == SPAN_PURGE_NEVER)
        return (struct bounds){ SIZE_MAX, SIZE_MAX };
    if (state.purge == SPAN_PURGE_NOW)
        return (struct bounds){ 0, 0 };
    state.given += given;
    state.ebb = state.used > recent * 3 / 8 ? 0 : state.ebb + given;
    return bounds(recent);
}

/* The highest dirty run below `*end` that may be purged: whole huge pages only, where there are
 * any, unless they may be split. */
static bool purgeable_run(enum cage_zone_name name, size_t *lo, size_t *end, bool split)
{
    bool whole = name == ZONE_DENSE && !split;
    size_t unit = whole ? HUGE_SLICES : 1;
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
    seams_fresh(&cage_tables.seams, lo, hi - lo);
    cage_shrink(zone_of(lo), hi - lo);
    return true;
}

/* What was moved is mapped anew, and merges with its neighbours again. */
static bool drop_pages(size_t at, size_t run, bool moved)
{
    word address = cage_address(at);
    if (!moved)
        return os_purge(address, run << SLICE_SHIFT);
    if (!os_renew(address, run << SLICE_SHIFT))
        return false;
    if (zone_of(at) == ZONE_DENSE && huge_there_is())
        ask_for_huge(round_down(at, HUGE_SLICES), run + at % HUGE_SLICES);
    return true;
}

/* The run belongs to nobody while its pages go: the system calls run without the lock. */
static bool purge_run(size_t lo, size_t hi)
{
    if (give_top(lo, hi))
        return true;
    bool moved = seams_touch(&cage_tables.seams, lo, hi - lo);
    write_dirty(lo, hi - lo, false);
    write_available(lo, hi - lo, false);
    lock_give(&span_lock);
    bool done = drop_pages(lo, hi - lo, moved);
    if (!lock_take(&span_lock))
        return false;
    if (done && moved)
        seams_fresh(&cage_tables.seams, lo, hi - lo);
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

void span_give(word at, size_t slices)
{
    size_t first = cage_slice(at);
    if (!lock_take(&span_lock))
        return;  /* a signal above the holder: the caller has made sure it is not so */
    write_available(first, slices, true);
    write_dirty(first, slices, true);
    state.used -= slices;
    COUNT_ONE(spans_given);
    struct bounds bounds = bounds_after(slices);
    if (state.dirty > bounds.most && state.dirty > state.stuck + DIRTY_FLOOR / 2)
        purge_down_to(bounds.keep);
    lock_give(&span_lock);
}

/* -- moving ------------------------------------------------------------------------------------ */

/* Kernels refuse to move what lies in several mappings, and take away first what is at `to`. */
enum os_moved span_move(word from, word to, size_t slices)
{
    struct seams *seams = &cage_tables.seams;
    if (!lock_take(&span_lock))
        return OS_REFUSED;
    bool may = seams_have_room(seams) && !seams_cross(seams, cage_slice(from), slices);
    lock_give(&span_lock);
    enum os_moved moved = may ? os_move_pages(from, to, slices << SLICE_SHIFT) : OS_REFUSED;
    if (!may || !lock_take(&span_lock))
        return moved;
    (moved == OS_MOVED ? seams_moved : seams_fresh)(seams, cage_slice(to), slices);
    lock_give(&span_lock);
    return moved;
}

/* -- purging all ------------------------------------------------------------------------------- */

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
    seams_validate(&cage_tables.seams, 0, cage_reach() >> SLICE_SHIFT);
}
