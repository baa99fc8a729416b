/* runs.c - runs of ones: set, cleared, found. */
#include "heap/runs.h"
#include "base/bits.h"

enum { WORD_BITS = 64 };

size_t runs_next(const uint64_t *map, size_t at, size_t end, uint64_t flip)
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

size_t runs_start(const uint64_t *map, size_t at, size_t floor)
{
    while (at > floor) {
        uint64_t zeros = ~map[(at - 1) / WORD_BITS] & bits_below((at - 1) % WORD_BITS + 1);
        if (zeros != 0) {
            size_t start = round_down(at - 1, WORD_BITS) + bit_highest(zeros) + 1;
            return start > floor ? start : floor;
        }
        at = round_down(at - 1, WORD_BITS);
    }
    return floor;
}

size_t runs_write(uint64_t *map, size_t at, size_t run, bool set)
{
    size_t changed = 0;
    for (size_t end = at + run; at < end;) {
        size_t in_word = WORD_BITS - at % WORD_BITS;
        size_t count = in_word < end - at ? in_word : end - at;
        uint64_t mask = bits_below((unsigned)count) << at % WORD_BITS;
        uint64_t *bits = &map[at / WORD_BITS], change = (set ? ~*bits : *bits) & mask;
        changed += change == mask ? count : change != 0 ? bit_count(change) : 0;
        __atomic_store_n(bits, *bits ^ change, __ATOMIC_RELAXED);  /* walkers take no lock */
        at += count;
    }
    return changed;
}

/* -- bounds ------------------------------------------------------------------------------------ */

static struct runs_group *group_of(const struct runs *runs, size_t chunk)
{
    return &runs->groups[chunk / RUNS_CHUNKS];
}

/* A run begins at `at` and ends where the zeros after `in` begin. */
static void raise_bound(const struct runs *runs, size_t at, size_t in)
{
    size_t run = runs_next(runs->map, in, at + RUNS_FAR, ~(uint64_t)0) - at;
    uint16_t bound = (uint16_t)(run < RUNS_FAR ? run : RUNS_FAR);
    struct runs_group *group = group_of(runs, at / RUNS_CHUNK);
    uint16_t *of = &group->of[at / RUNS_CHUNK % RUNS_CHUNKS];
    *of = bound > *of ? bound : *of;
    group->most = bound > group->most ? bound : group->most;
}

static void correct_group(struct runs_group *group)
{
    uint16_t most = 0;
    for (unsigned i = 0; i < RUNS_CHUNKS; i++)
        most = group->of[i] > most ? group->of[i] : most;
    group->most = most;
}

/* A run that begins RUNS_FAR below, or before, was that long already. */
size_t runs_set(const struct runs *runs, size_t at, size_t run)
{
    size_t changed = runs_write(runs->map, at, run, true);
    raise_bound(runs, runs_start(runs->map, at, at > RUNS_FAR ? at - RUNS_FAR : 0), at + run);
    return changed;
}

/* What is left of a run now begins behind. */
size_t runs_clear(const struct runs *runs, size_t at, size_t run)
{
    size_t changed = runs_write(runs->map, at, run, false), end = at + run;
    if (runs->map[end / WORD_BITS] >> end % WORD_BITS & 1)
        raise_bound(runs, end, end);
    return changed;
}

/* -- finding ----------------------------------------------------------------------------------- */

/* Bit i of the answer: `run` ones, 64 at most, begin at bit i of `bits`, and may end in `next`. */
static uint64_t starts_of(uint64_t bits, uint64_t next, size_t run)
{
    unsigned __int128 both = (unsigned __int128)next << WORD_BITS | bits;
    for (size_t had = 1; had < run;) {
        size_t more = had < run - had ? had : run - had;
        both &= both >> more;
        had += more;
    }
    return (uint64_t)both;
}

static size_t find_short(const uint64_t *map, size_t from, size_t end, size_t run)
{
    for (size_t at = from; at < end; at = round_down(at, WORD_BITS) + WORD_BITS) {
        uint64_t bits = map[at / WORD_BITS] & ~bits_below(at % WORD_BITS);
        uint64_t starts = bits != 0 ? starts_of(bits, map[at / WORD_BITS + 1], run) : 0;
        if (starts != 0)
            return round_down(at, WORD_BITS) + bit_lowest(starts);
    }
    return RUNS_NONE;
}

/* Hole by hole; *longest: of those that would not do, where it is below RUNS_FAR. */
static size_t find_any(const uint64_t *map, size_t from, size_t end, const struct runs_wish *wish,
                       size_t *longest)
{
    *longest = 0;
    for (size_t at = from; (at = runs_next(map, at, end, 0)) < end;) {
        size_t start = round_up(wish->origin + at, wish->align) - wish->origin;
        size_t most = start + (wish->run > RUNS_FAR ? wish->run : RUNS_FAR);
        size_t stop = runs_next(map, at, most, ~(uint64_t)0);
        if (start + wish->run <= stop)
            return start;
        *longest = stop - at > *longest ? stop - at : *longest;
        at = stop;
    }
    return RUNS_NONE;
}

static size_t find_in_chunk(const struct runs *runs, size_t from, size_t end, uint16_t *bound,
                            const struct runs_wish *wish)
{
    size_t found = RUNS_NONE, longest;
    if (wish->align == 1 && wish->run <= WORD_BITS)
        found = find_short(runs->map, from, end, wish->run);
    if (found == RUNS_NONE)
        found = find_any(runs->map, from, end, wish, &longest);
    if (found == RUNS_NONE && longest < *bound)  /* what goes on from before may be longer */
        *bound = (uint16_t)longest;
    return found;
}

static size_t find_in_group(const struct runs *runs, size_t from, size_t end,
                            const struct runs_wish *wish)
{
    struct runs_group *group = group_of(runs, from / RUNS_CHUNK);
    size_t least = wish->run < RUNS_FAR ? wish->run : RUNS_FAR;
    if (group->most < least)
        return RUNS_NONE;
    while (from < end) {
        size_t chunk = from / RUNS_CHUNK, stop = (chunk + 1) * RUNS_CHUNK;
        uint16_t *bound = &group->of[chunk % RUNS_CHUNKS];
        size_t found = RUNS_NONE;
        if (*bound >= least)
            found = find_in_chunk(runs, from, stop < end ? stop : end, bound, wish);
        if (found != RUNS_NONE)
            return found;
        from = stop;
    }
    correct_group(group);
    return RUNS_NONE;
}

size_t runs_find(const struct runs *runs, size_t from, size_t end, const struct runs_wish *wish)
{
    enum { GROUP = RUNS_CHUNK * RUNS_CHUNKS };
    for (size_t stop, found; from < end; from = stop) {
        stop = (from / GROUP + 1) * GROUP;
        found = find_in_group(runs, from, stop < end ? stop : end, wish);
        if (found != RUNS_NONE)
            return found;
    }
    return RUNS_NONE;
}

void runs_validate(const struct runs *runs, size_t from, size_t end)
{
    for (size_t at = from; (at = runs_next(runs->map, at, end, 0)) < end;) {
        size_t stop = runs_next(runs->map, at, end, ~(uint64_t)0);
        const struct runs_group *group = group_of(runs, at / RUNS_CHUNK);
        uint16_t bound = group->of[at / RUNS_CHUNK % RUNS_CHUNKS];
        ASSERT(bound >= (stop - at < RUNS_FAR ? stop - at : RUNS_FAR));            /* R1 */
        ASSERT(group->most >= bound);                                              /* R2 */
        at = stop;
    }
}
