/* collect.c - the script of a collection. */
#include "managed/collect.h"
#include "managed/callback.h"
#include "managed/figures.h"
#include "managed/garbage.h"
#include "managed/intern.h"
#include "managed/minor.h"
#include "managed/object.h"
#include "managed/pool.h"
#include "managed/turn.h"
#include "managed/weak.h"
#include "gc/root.h"
#include "gc/world.h"
#include "heap/arena.h"
#include "os/stop.h"

#define WORTH_A_MARKER MIB(128)                  /* of heap: below, sharing costs more */

static struct {
    int      debug, scan;
    unsigned markers;
} state;

__thread unsigned object_busy;                   /* finalizers and callbacks of this thread */

bool collect_is_busy(void)
{
    return object_busy != 0;
}

/* -- stopping ---------------------------------------------------------------------------------- */

static bool may_park(void)
{
    return !heap_is_inside();
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
    if (state.scan == MIDDEN_SCAN_REGISTERED)
        return true;
    mark_arenas();
    mark_stacks(lowest);
    return root_each_mapping(lowest, mark_piece, NULL);
}

static bool mark_roots_and_frozen(word lowest)
{
    mark_frozen();
    return mark_roots(lowest);
}

static void clear_weak(struct trial_list *list)
{
    for (struct header *at = list->first; at != NULL; at = header_next(at))
        if (header_flags(at) & FLAG_WEAK)
            weak_clear(at);
}

static bool saves_all(void)
{
    return (state.debug & MIDDEN_DEBUG_SAVEALL) != 0;
}

static void sweep(struct cycle *cycle, unsigned flags)
{
    if (cycle->request->flags & COLLECT_RETURN)
        flags |= TRACE_RETURN;
    trace_sweep(flags, &cycle->swept);
}

/* Those who asked for all keep what others began. */
static unsigned after_full(const struct cycle *cycle, bool stood)
{
    if (saves_all() || !minor_is_thinkable(mark_scanned_bytes()))
        return 0;
    bool growing = (cycle->request->flags & COLLECT_MINOR) != 0;
    return TRACE_COMPARE | (stood || growing ? TRACE_STAND : 0);
}

/* Of all generations, both disciplines. What a finalizer or a type's visit may look at stays for
 * this time. false: not all roots could be seen, and nothing was decided. */
static bool look_full(struct cycle *cycle)
{
    bool stood = trace.stand;
    if (stood)
        trace_clear();
    mark_begin(trial_look_into);
    trial_subtract(OLDEST);
    bool seen = mark_roots_and_frozen(cycle->request->lowest);
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
    if (cycle->list.lookers != 0 || saves_all()) {
        trial_keep_reached(&cycle->list, mark_marker());
        mark_drain();
    }
    if (saves_all())
        cycle->saved = garbage_save_unmarked();
    clear_weak(&cycle->list);
    intern_forget_unmarked();
    cycle->marked_ns = os_now_ns();
    sweep(cycle, after_full(cycle, stood));
    minor_full_was_made(mark_scanned_bytes(), &cycle->swept, figures_counted_bytes(cycle));
    return true;
}

/* Of the young, uncounted ones alone. false: nothing was decided. */
static bool look_minor(struct cycle *cycle)
{
    word lowest = cycle->request->lowest;
    mark_begin(trial_look_into_words);
    bool known = minor_look_again() && mark_roots(lowest);
    mark_drain();
    if (!known) {
        trace_clear();
        return false;
    }
    size_t scanned_bytes = mark_scanned_bytes();
    VALIDATE(minor_check(lowest, mark_roots_and_frozen));
    intern_forget_unmarked();
    cycle->marked_ns = os_now_ns();
    sweep(cycle, TRACE_STAND);
    minor_was_made(scanned_bytes, &cycle->swept, figures_counted_bytes(cycle));
    return true;
}

/* Of the young, counted ones alone: nothing is traced. */
static void look_young(struct cycle *cycle)
{
    unsigned oldest = (unsigned)cycle->generation;
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
}

static bool may_be_minor(const struct collect_request *request)
{
    return (request->flags & COLLECT_MINOR) != 0 && trace.stand && !saves_all();
}

static bool examine_stopped(struct cycle *cycle)
{
    if (cycle->generation == OLDEST)
        return look_full(cycle);
    look_young(cycle);
    if (may_be_minor(cycle->request))
        cycle->report.minor = look_minor(cycle);
    return true;
}

static bool examine(struct cycle *cycle)
{
    bool full = cycle->generation == OLDEST;
    cycle->begin_ns = os_now_ns();
    if (!stop(full ? markers_wanted() : 1))
        return false;
    cycle->stopped_ns = os_now_ns();
    cycle->report.threads = world_threads() + 1;
    bool looked = examine_stopped(cycle);
    if (looked)
        pool_reset_fresh();
    cycle->report.markers = mark_workers();
    resume();
    cycle->resumed_ns = os_now_ns();
    if (full || cycle->report.minor)
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
    bool save = saves_all();
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
        .size = sizeof collection, .generation = cycle->generation,
        .reason = cycle->request->reason, .collected = cycle->report.found - cycle->report.kept,
        .uncollectable = cycle->report.kept, .pause_ns = cycle->report.pause_ns,
        .duration_ns = cycle->report.total_ns,
    };
    object_busy++;
    callback_each(phase, &collection);
    object_busy--;
}

/* -- the script -------------------------------------------------------------------------------- */

static bool collect(struct cycle *cycle)
{
    tell(MIDDEN_START, cycle);
    if (!examine(cycle)) {
        figures_give_up(cycle);
        return false;
    }
    figures_looked(cycle);
    cycle->report.found = finish(cycle);
    figures_done(cycle);
    tell(MIDDEN_STOP, cycle);
    return true;
}

static int generation_for(const struct collect_request *request)
{
    bool enough = may_be_minor(request) && minor_is_enough();
    return request->generation == OLDEST && enough ? OLDEST - 1 : request->generation;
}

long collect_run(const struct collect_request *request, struct collect_report *report)
{
    struct cycle cycle = { .request = request };
    if (object_busy != 0 || heap_is_inside() || !turn_take((request->flags & COLLECT_WAIT) != 0))
        return 0;
    object_busy++;
    cycle.generation = generation_for(request);
    bool done = collect(&cycle);
    object_busy--;
    turn_give();
    if (report != NULL)
        *report = cycle.report;
    return done ? (long)cycle.report.found : -1;
}

/* -- asked ------------------------------------------------------------------------------------- */

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
    bool stopped = !heap_is_inside() && stop(1);
    if (stopped) {
        if (trace.stand)
            trace_clear();                       /* the look may want marks of its own */
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
    minor_fork_child();
}
