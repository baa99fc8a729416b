/* collect.c - the script of a collection, and what it remembers. */
#include "managed/collect.h"
#include "managed/callback.h"
#include "managed/garbage.h"
#include "managed/intern.h"
#include "managed/object.h"
#include "managed/pool.h"
#include "managed/trial.h"
#include "managed/turn.h"
#include "managed/weak.h"
#include "gc/root.h"
#include "gc/world.h"
#include "heap/arena.h"
#include "os/stop.h"

enum { LEAF_SHARE = 4 };                         /* of leaf bytes that growth is relative to */
#define WORTH_A_MARKER MIB(128)                  /* of heap: below, sharing costs more */

struct cycle {
    const struct collect_request *request;
    struct collect_report report;
    struct trial_list     list;
    struct trace_swept    swept;
    size_t                saved;                 /* uncounted objects that were kept */
    uint64_t              begin_ns, stopped_ns, marked_ns, resumed_ns;
};

static struct {
    int      debug, scan;
    unsigned markers;
    uint64_t number;
    int      count[COLLECT_GENERATIONS];         /* [0] is the pool's */
    uint64_t promoted, survived;                 /* counted objects: the 25 % rule */
    uint64_t volume_before, live_bytes;
    struct collect_figures figures[COLLECT_GENERATIONS];
} state;

__thread unsigned object_busy;                   /* finalizers and callbacks of this thread */

bool collect_is_busy(void)
{
    return object_busy != 0;
}

/* -- stopping ---------------------------------------------------------------------------------- */

static bool may_park(void)
{
    return !thread.inside;
}

static unsigned markers_wanted(void)
{
    size_t most = state.markers != 0 ? state.markers : os_processors();
    size_t worth = cage_committed() / WORTH_A_MARKER;
    return worth == 0 ? 1 : (unsigned)(worth < most ? worth : most);
}

/* Tables and threads are made before anybody is stopped; the heap may have grown until then. */
static bool stop(unsigned markers)
{
    if (!trace_cover() || !root_prepare() || !mark_prepare(markers) || !lock_take(&world_lock))
        return false;
    if (world_stop(may_park)) {
        if (trace_cover()) {
            trace_settle();
            VALIDATE(trace_validate());
            return true;
        }
        world_resume();
    }
    lock_give(&world_lock);
    return false;
}

void collect_prepare(void)
{
    bool ready = trace_cover() && root_prepare() && mark_prepare(1) && world_prepare();
    (void)ready;                                 /* what is missing is asked for again */
}

static void resume(void)
{
    world_resume();
    lock_give(&world_lock);
}

static void give_back(void)
{
    if (heap_enter_was())
        return;
    trace_give_back();
    heap_leave();
}

/* -- looking ----------------------------------------------------------------------------------- */

static void mark_span(struct slab *slab)         /* of an arena: what is in use of it */
{
    const struct arena *arena = slab->arena;
    size_t bytes = slab->blocks * slab->block_bytes;
    if (arena->spare == slab)
        return;
    if (arena->top == slab)
        bytes = arena->next - slab->base;
    struct root_piece piece = { ROOT_MAPPING, slab->base, slab->base, (const word *)slab->base,
                                bytes / sizeof(word) };
    mark_piece(&piece, NULL);
}

static void mark_arenas(void)
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_ARENA)) != NULL; )
        mark_span(slab);
}

static void mark_frozen_word(struct slab *slab, size_t at)
{
    for (uint64_t bits = trace_frozen(slab)[at]; bits != 0; bits &= bits - 1)
        mark_words(mark_marker(), (const word *)slab_block(slab, at * 64 + bit_lowest(bits)),
                   slab->block_bytes / sizeof(word), true);
}

/* Frozen uncounted objects live, and so does what they point at. They need no mark. */
static void mark_frozen(void)
{
    size_t slice = 0;
    if (!trace.any_frozen)
        return;
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_TRACED)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            mark_frozen_word(slab, i);
}

/* A stack may lie in a block that nothing points at: the thread does, by being on it. */
static void mark_stacks(word lowest)
{
    word places[2] = { lowest, 0 };
    mark_words(mark_marker(), places, 1, false);
    for (unsigned i = 0; world_stacks(i, places); i++)
        mark_words(mark_marker(), places, 2, false);
}

static bool mark_roots(word lowest)
{
    root_each_registered(mark_piece, NULL);
    garbage_mark();
    mark_frozen();
    if (state.scan == MIDDEN_SCAN_REGISTERED)
        return true;
    mark_arenas();
    mark_stacks(lowest);
    return root_each_mapping(lowest, mark_piece, NULL);
}

static void clear_weak(struct trial_list *list)
{
    for (struct header *at = list->first; at != NULL; at = header_next(at))
        if (header_flags(at) & FLAG_WEAK)
            weak_clear(at);
}

/* Of all generations, both disciplines. What a finalizer or a type's visit may look at stays for
 * this time. false: not all roots could be seen, and nothing was decided. */
static bool look_full(struct cycle *cycle)
{
    mark_begin(trial_look_into);
    trial_subtract(OLDEST);
    bool seen = mark_roots(cycle->request->lowest);
    trial_mark_held(OLDEST);
    mark_drain();
    if (!seen) {
        trace_clear();
        return false;
    }
    if (cycle->request->flags & COLLECT_SPARE) {
        trial_spare_finalizers(OLDEST);
        mark_drain();
    }
    trial_condemn(true, OLDEST, &cycle->list);
    if (cycle->list.lookers != 0 || (state.debug & MIDDEN_DEBUG_SAVEALL)) {
        trial_keep_reached(&cycle->list, mark_marker());
        mark_drain();
    }
    if (state.debug & MIDDEN_DEBUG_SAVEALL)
        cycle->saved = garbage_save_unmarked();
    clear_weak(&cycle->list);
    intern_forget_unmarked();
    cycle->marked_ns = os_now_ns();
    trace_sweep((cycle->request->flags & COLLECT_RETURN) != 0, &cycle->swept);
    return true;
}

/* Of the young, counted ones alone: nothing is traced. */
static bool look_young(struct cycle *cycle)
{
    unsigned oldest = (unsigned)cycle->request->generation;
    mark_begin(trial_look_into_young);
    trial_subtract(oldest);
    trial_mark_held(oldest);
    mark_drain();
    if (cycle->request->flags & COLLECT_SPARE) {
        trial_spare_finalizers(oldest);
        mark_drain();
    }
    trial_condemn(trial_hold_others(oldest), oldest, &cycle->list);
    clear_weak(&cycle->list);
    cycle->marked_ns = os_now_ns();
    return true;
}

static bool examine(struct cycle *cycle)
{
    bool full = cycle->request->generation == OLDEST;
    cycle->begin_ns = os_now_ns();
    if (!stop(full ? markers_wanted() : 1))
        return false;
    cycle->stopped_ns = os_now_ns();
    cycle->report.threads = world_threads() + 1;
    bool looked = full ? look_full(cycle) : look_young(cycle);
    if (looked)
        pool_reset_fresh();
    cycle->report.markers = mark_workers();
    resume();
    cycle->resumed_ns = os_now_ns();
    if (full)
        mark_end();
    give_back();
    return looked;
}

/* -- finalizers, and the end ------------------------------------------------------------------- */

static bool call_finalizers(const struct trial_list *list)
{
    bool called = false;
    for (struct header *at = list->first; at != NULL; at = header_next(at)) {
        const struct midden_type *type = header_type(at);
        if (type->finalize == NULL || (header_flags(at) & FLAG_FINALIZED))
            continue;
        header_raise(at, FLAG_FINALIZED);
        object_busy++;
        type->finalize((void *)header_object(at));
        object_busy--;
        called = true;
        turn_safe_point();
    }
    return called;
}

static void let_go(struct trial_list *list)      /* unharmed: they are looked at again next time */
{
    for (struct header *at = list->first, *next; at != NULL; at = next) {
        next = header_next(at);
        header_lower(at, FLAG_CONDEMNED);
        object_release(header_object(at));
    }
    *list = (struct trial_list){ 0 };
}

static void pardon(struct trial_list *list)
{
    if (!stop(1)) {
        let_go(list);
        return;
    }
    mark_begin(trial_look_into_condemned);
    trial_pardon(list);
    clear_weak(list);                            /* made by finalizers */
    resume();
}

static void end_all(struct trial_list *list)
{
    for (struct header *at = list->first; at != NULL; at = header_next(at)) {
        object_drop_owned(header_object(at));
        turn_safe_point();
    }
    for (struct header *at = list->first, *next; at != NULL; at = next) {
        next = header_next(at);
        object_release(header_object(at));
        turn_safe_point();
    }
}

/* Objects found. */
static size_t finish(struct cycle *cycle)
{
    struct trial_list *list = &cycle->list;
    bool save = (state.debug & MIDDEN_DEBUG_SAVEALL) != 0;
    if (!save && call_finalizers(list))
        pardon(list);
    size_t found = list->count + cycle->saved;
    garbage_tell(list, state.debug);
    if (save) {
        cycle->report.kept = garbage_save(list) + cycle->saved;
        return found;
    }
    end_all(list);
    return found + cycle->swept.dead;
}

/* -- callbacks --------------------------------------------------------------------------------- */

/* Waits for a collection of another thread, which may be in the middle of calling it. */
int collect_callback_remove(midden_callback *call, void *arg)
{
    bool waits = turn_take(true);
    int error = callback_remove(call, arg);
    if (waits)
        turn_give();
    return error;
}

static void tell(enum midden_phase phase, const struct cycle *cycle)
{
    struct midden_collection collection = {
        .size = sizeof collection, .generation = cycle->request->generation,
        .reason = cycle->request->reason, .collected = cycle->report.found - cycle->report.kept,
        .uncollectable = cycle->report.kept, .pause_ns = cycle->report.pause_ns,
        .duration_ns = cycle->report.total_ns,
    };
    object_busy++;
    callback_each(phase, &collection);
    object_busy--;
}

/* -- what is remembered ------------------------------------------------------------------------ */

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

/* As in CPython: the next older generation has seen one more. */
static void remember_generation(const struct cycle *cycle)
{
    int generation = cycle->request->generation;
    for (int i = 1; i <= generation; i++)
        state.count[i] = 0;
    if (generation < OLDEST)
        state.count[generation + 1]++;
    if (generation == OLDEST - 1)
        state.promoted += cycle->list.survivors;
    if (generation < OLDEST)
        return;
    state.promoted = 0;
    state.survived = cycle->list.survivors;
    /* what is never looked into costs a collection next to nothing */
    state.live_bytes = cycle->swept.live_bytes - cycle->swept.leaf_bytes +
                       cycle->swept.leaf_bytes / LEAF_SHARE + cycle->list.survivors_bytes;
    __atomic_store_n(&state.volume_before, pool_volume(), __ATOMIC_RELAXED);
}

static void remember(struct cycle *cycle)
{
    struct collect_report *report = &cycle->report;
    struct collect_figures *figures = &state.figures[cycle->request->generation];
    report->generation = cycle->request->generation;
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
    figures->collections++;
    figures->collected += report->found - report->kept;
    figures->uncollectable += report->kept;
    figures->collected_bytes += report->freed_bytes;
    remember_pause(figures, report->pause_ns);
}

/* -- the script -------------------------------------------------------------------------------- */

static bool collect(struct cycle *cycle)
{
    tell(MIDDEN_START, cycle);
    if (!examine(cycle)) {
        state.figures[cycle->request->generation].given_up++;
        return false;
    }
    remember_generation(cycle);
    cycle->report.found = finish(cycle);
    remember(cycle);
    tell(MIDDEN_STOP, cycle);
    return true;
}

long collect_run(const struct collect_request *request, struct collect_report *report)
{
    struct cycle cycle = { .request = request };
    if (object_busy != 0 || thread.inside || !turn_take((request->flags & COLLECT_WAIT) != 0))
        return 0;
    object_busy++;
    bool done = collect(&cycle);
    object_busy--;
    turn_give();
    if (report != NULL)
        *report = cycle.report;
    return done ? (long)cycle.report.found : -1;
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

uint64_t collect_live_bytes(void)
{
    return __atomic_load_n(&state.live_bytes, __ATOMIC_RELAXED);
}

void collect_scan(int what)
{
    state.scan = what;
}

void collect_markers(unsigned wanted)
{
    state.markers = wanted;
}

void collect_set_debug(int flags)
{
    state.debug = flags;
}

int collect_get_debug(void)
{
    return state.debug;
}

long collect_garbage(midden_object_visitor *visit, void *arg)
{
    bool turn = turn_take(true);
    object_busy++;
    long visits = garbage_visit(visit, arg);
    object_busy--;
    if (turn)
        turn_give();
    return visits;
}

long collect_garbage_clear(void)
{
    bool turn = turn_take(true);
    long count = garbage_clear();
    if (turn)
        turn_give();
    return count;
}

bool collect_look(void (*look)(word lowest, void *arg), void *arg)
{
    bool turn = turn_take(true);
    bool stopped = !thread.inside && stop(1);
    if (stopped) {
        object_busy++;
        os_spill(look, arg);
        object_busy--;
        resume();
    }
    if (turn)
        turn_give();
    return stopped;
}

/* A collection of a thread that does not exist here is over. */
void collect_fork_child(bool held)
{
    turn_fork_child(held);
    callback_fork_child();
    world_fork_child();
    mark_fork_child();
}
