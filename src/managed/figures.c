/* figures.c - what remains of a collection. */
#include "managed/figures.h"
#include "managed/minor.h"
#include "managed/object.h"
#include "managed/pool.h"

enum { LEAF_SHARE = 16 };                        /* of leaf bytes that growth is relative to */

static struct {
    uint64_t number;
    int      count[COLLECT_GENERATIONS];         /* [0] is the pool's */
    uint64_t promoted, survived;                 /* counted objects: the 25 % rule */
    uint64_t counted_bytes;                      /* that a full one left, and promoted since */
    uint64_t volume_before;
    uint64_t live_bytes, added_bytes;            /* that a full one left, minor ones added */
    struct collect_figures figures[COLLECT_GENERATIONS];
} state;

/* -- pauses ------------------------------------------------------------------------------------ */

static unsigned pause_step(uint64_t ns)
{
    uint64_t us = ns / 1000;
    if (us < 4)
        return (unsigned)us;
    unsigned top = bit_highest(us), step = (top - 1) * 4 + (unsigned)(us >> (top - 2) & 3);
    return step < PAUSE_STEPS ? step : PAUSE_STEPS - 1;
}

static uint64_t step_ns(unsigned step)           /* its upper end */
{
    if (step < 4)
        return (step + 1) * 1000ull;
    unsigned top = step / 4 + 1;
    return ((uint64_t)(4 + step % 4 + 1) << (top - 2)) * 1000;
}

static void remember_pause(struct collect_figures *figures, uint64_t ns)
{
    figures->pause_last_ns = ns;
    figures->pause_sum_ns += ns;
    figures->pause_max_ns = ns > figures->pause_max_ns ? ns : figures->pause_max_ns;
    figures->pauses[pause_step(ns)]++;
}

/* -- one collection -------------------------------------------------------------------------- */

size_t figures_counted_bytes(const struct cycle *cycle)
{
    size_t before = cycle->generation == OLDEST ? 0 : state.counted_bytes;
    return before + (cycle->generation >= OLDEST - 1 ? cycle->list.survivors_bytes : 0);
}

/* As in CPython: the next older generation has seen one more. */
static void remember_generation(const struct cycle *cycle)
{
    int generation = cycle->generation;
    for (int i = 1; i <= generation; i++)
        state.count[i] = 0;
    if (generation < OLDEST)
        state.count[generation + 1]++;
    state.counted_bytes = figures_counted_bytes(cycle);
    if (generation == OLDEST - 1)
        state.promoted += cycle->list.survivors;
    if (generation < OLDEST)
        return;
    state.promoted = 0;
    state.survived = cycle->list.survivors;
}

/* Those that growth and bytes are counted from. */
static bool counts_bytes(const struct cycle *cycle)
{
    return cycle->generation == OLDEST || cycle->report.minor;
}

/* What is never looked into costs a collection next to nothing. */
static void remember_bytes(const struct cycle *cycle)
{
    const struct trace_swept *swept = &cycle->swept;
    if (!counts_bytes(cycle))
        return;
    uint64_t live = swept->live_bytes - swept->leaf_bytes + swept->leaf_bytes / LEAF_SHARE +
                    state.counted_bytes;
    if (cycle->generation == OLDEST)
        state.live_bytes = live;
    state.added_bytes = live > state.live_bytes ? live - state.live_bytes : 0;
    __atomic_store_n(&state.volume_before, pool_volume(), __ATOMIC_RELAXED);
}

/* Objects that a collection found have lowered the volume since by ending, as all do: that is not
 * room for others. */
static void forget_volume(uint64_t ended_bytes)
{
    __atomic_fetch_sub(&state.volume_before, ended_bytes, __ATOMIC_RELAXED);
}

void figures_done(struct cycle *cycle)
{
    struct collect_report *report = &cycle->report;
    struct collect_figures *figures = &state.figures[cycle->generation];
    report->generation = cycle->generation;
    report->reason = cycle->request->reason;
    report->number = ++state.number;
    report->freed_bytes = cycle->swept.dead_bytes + (report->kept != 0 ? 0 : cycle->list.bytes);
    report->live_objects = cycle->swept.live + cycle->list.survivors;
    report->live_bytes = cycle->swept.live_bytes + cycle->list.survivors_bytes;
    report->stop_ns = cycle->stopped_ns - cycle->begin_ns;
    report->mark_ns = cycle->marked_ns - cycle->stopped_ns;
    report->sweep_ns = cycle->resumed_ns - cycle->marked_ns;
    report->pause_ns = cycle->resumed_ns - cycle->begin_ns;
    report->total_ns = os_now_ns() - cycle->begin_ns;
    if (counts_bytes(cycle) && report->kept == 0)
        forget_volume(cycle->list.bytes);
    figures->collections++;
    figures->minor += report->minor;
    figures->collected += report->found - report->kept;
    figures->uncollectable += report->kept;
    figures->collected_bytes += report->freed_bytes;
    remember_pause(figures, report->pause_ns);
}

void figures_looked(const struct cycle *cycle)
{
    remember_generation(cycle);
    remember_bytes(cycle);
}

void figures_give_up(const struct cycle *cycle)
{
    state.figures[cycle->generation].given_up++;
}

/* -- asked ------------------------------------------------------------------------------------- */

void collect_figures(int generation, struct collect_figures *out)
{
    *out = state.figures[generation];
}

uint64_t collect_pause_ns(int generation, unsigned permille)
{
    const struct collect_figures *figures = &state.figures[generation];
    uint64_t sum = 0, all = 0;
    for (unsigned i = 0; i < PAUSE_STEPS; i++)
        all += figures->pauses[i];
    for (unsigned i = 0; i < PAUSE_STEPS; i++) {
        sum += figures->pauses[i];
        if (sum != 0 && sum * 1000 >= all * permille)
            return step_ns(i) < figures->pause_max_ns ? step_ns(i) : figures->pause_max_ns;
    }
    return 0;
}

void collect_counts(int count[COLLECT_GENERATIONS])
{
    uint64_t fresh = pool_fresh();
    count[0] = fresh < INT32_MAX ? (int)fresh : INT32_MAX;
    count[1] = __atomic_load_n(&state.count[1], __ATOMIC_RELAXED);
    count[2] = __atomic_load_n(&state.count[2], __ATOMIC_RELAXED);
}

void collect_survivors(uint64_t *promoted, uint64_t *survived)
{
    *promoted = __atomic_load_n(&state.promoted, __ATOMIC_RELAXED);
    *survived = __atomic_load_n(&state.survived, __ATOMIC_RELAXED);
}

uint64_t collect_debt(void)
{
    return pool_volume() - __atomic_load_n(&state.volume_before, __ATOMIC_RELAXED);
}

void collect_lived(uint64_t *bytes, uint64_t *added_bytes, bool *minor)
{
    *bytes = __atomic_load_n(&state.live_bytes, __ATOMIC_RELAXED);
    *added_bytes = __atomic_load_n(&state.added_bytes, __ATOMIC_RELAXED);
    *minor = trace.stand && minor_is_enough();
}
