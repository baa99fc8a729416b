/* gc_collect.c - the doors of midden/gc.h that collect, and say when.
 * Job         The policy in force, asked and set; collections by hand; figures; callbacks. A line
 *             a collection, for who asked for it.
 * Locking     The policy is a pointer to one that does not change any more. Setting one takes
 *             state.lock.
 */
#include "front/gc.h"
#include "front/front.h"
#include "front/options.h"
#include "front/watch.h"
#include "base/text.h"
#include "managed/callback.h"
#include "managed/collect.h"
#include "managed/minor.h"
#include "managed/object.h"
#include "managed/pool.h"
#include "managed/turn.h"
#include "os/stop.h"
#include "policy/policy.h"

#include <errno.h>
#include <midden/gc.h>
#include <midden/leak.h>

enum {
    POLICIES = 16,                               /* the last so many stay as they were */
    DEBUG_FLAGS = MIDDEN_DEBUG_STATS | MIDDEN_DEBUG_LEAK,
    BACK_OFF = 16,  /* times as long as a stop took in vain, until the next attempt */
    FORK_MS = 500,                               /* that a fork waits for a collection */
    OVERDUE = 2,                                 /* times what is due */
    PACE_EVERY = 16, PACE_MS = 10,               /* asked, in a thread that made so much */
};

uint32_t gc_gate = UINT32_MAX;

static struct {
    struct lock   lock;
    bool          begun, disabled;
    bool          held;                          /* no collection, while this thread forks */
    struct policy policies[POLICIES];
    unsigned      last;
    const struct policy *policy;                 /* NULL: not begun */
    uint64_t      debt;                          /* bytes until a full collection is due */
    uint64_t      not_before_ns;                 /* a stop failed */
} state;

static int refuse(int error)
{
    errno = error;
    return -1;
}

static const struct policy *policy_now(void)
{
    const struct policy *policy = __atomic_load_n(&state.policy, __ATOMIC_ACQUIRE);
    return policy != NULL ? policy : &policy_initial;
}

/* -- one collection ---------------------------------------------------------------------------- */

static void pair(struct text *text, const char *key, uint64_t value)
{
    text_string(text, key);
    text_decimal(text, value);
}

/* Keys are added at the end, never removed or renamed. */
static void tell(const struct collect_report *report)
{
    char line[640];
    struct text text;
    text_init(&text, line, sizeof line - 1);
    pair(&text, "midden: gc n=", report->number);
    pair(&text, " generation=", (uint64_t)report->generation);
    text_string(&text, " reason=");
    text_string(&text, report->reason);
    pair(&text, " found=", report->found);
    pair(&text, " freed_bytes=", report->freed_bytes);
    pair(&text, " kept=", report->kept);
    pair(&text, " live_objects=", report->live_objects);
    pair(&text, " live_bytes=", report->live_bytes);
    pair(&text, " stop_us=", report->stop_ns / 1000);
    pair(&text, " mark_us=", report->mark_ns / 1000);
    pair(&text, " sweep_us=", report->sweep_ns / 1000);
    pair(&text, " pause_us=", report->pause_ns / 1000);
    pair(&text, " total_us=", report->total_ns / 1000);
    pair(&text, " threads=", report->threads);
    pair(&text, " markers=", report->markers);
    text_string(&text, report->minor ? " minor=tracked" : " minor=full");
    line[text.length] = '\n';
    os_write(2, line, text.length + 1);
}

static void set_debt(void)
{
    struct policy_lived lived;
    collect_lived(&lived.bytes, &lived.added_bytes, &lived.minor);
    __atomic_store_n(&state.debt, policy_debt(policy_now(), &lived), __ATOMIC_RELAXED);
}

struct order {
    word        generation, flags;               /* no padding: it is scanned with the stack */
    const char *reason;
    long        found;
};

static void carry_out(word lowest, void *arg)
{
    struct order *order = arg;
    struct collect_report report = { 0 };
    struct collect_request plain = {
        (int)order->generation, order->reason, lowest, (unsigned)order->flags,
    }, *request = &plain;
    uint64_t before_ns = os_now_ns();
    long found = collect_run(request, &report);
    if (found < 0) {
        uint64_t now_ns = os_now_ns();
        state.not_before_ns = now_ns + BACK_OFF * (now_ns - before_ns);
    }
    bool told = front_options->gctrace || (collect_get_debug() & MIDDEN_DEBUG_STATS) != 0;
    if (report.number != 0 && told)
        tell(&report);
    if (report.number != 0 && (report.minor || report.generation == MIDDEN_FULL))
        set_debt();
    order->found = found;
}

/* -1: it could not be made, and the next that comes by itself waits a while. What lies between the
 * program's frames and `lowest` is scanned with them, so it is little, and all of it is set. */
static NOINLINE long collect(int generation, const char *reason, unsigned flags)
{
    int kept = errno;
    gc_begin();
    struct order order = { (word)generation, flags, reason, 0 };
    os_spill(carry_out, &order);
    errno = kept;
    return order.found;
}

/* By itself: not while it is disabled, and not while another thread collects. */
static void collect_by_itself(int generation, const char *reason)
{
    if (state.disabled || collect_is_busy() ||
        (state.not_before_ns != 0 && os_now_ns() < state.not_before_ns))
        return;
    bool growing = reason == policy_name(POLICY_GROWTH) || reason == policy_name(POLICY_BYTES);
    collect(generation, reason, growing ? COLLECT_MINOR : COLLECT_RETURN);
}

static long collect_watched(int generation, const char *reason)
{
    collect_by_itself(generation, reason);
    return 0;
}

/* -- when -------------------------------------------------------------------------------------- */

static const char *volume_reason(const struct policy *policy)
{
    return policy_name(policy_has(policy, POLICY_GROWTH) ? POLICY_GROWTH : POLICY_BYTES);
}

static bool volume_is_due(unsigned times)
{
    int64_t debt = (int64_t)collect_debt();
    return debt > 0 && (uint64_t)debt / times >= __atomic_load_n(&state.debt, __ATOMIC_RELAXED);
}

static void set_gate(const struct policy *policy)
{
    bool counts = policy_has(policy, POLICY_OBJECTS) && policy->threshold[0] > 0;
    uint32_t gate = counts ? (uint32_t)policy->threshold[0] : UINT32_MAX;
    bool volume = policy_has(policy, POLICY_GROWTH) || policy_has(policy, POLICY_BYTES);
    if (!counts && volume)
        gate = 1024;                             /* the volume is looked at there, too */
    if (__atomic_load_n(&watch_missing, __ATOMIC_RELAXED))
        gate = 0;                                /* the next object makes the thread that watches */
    __atomic_store_n(&gc_gate, gate, __ATOMIC_RELAXED);
}

/* One thread collects, and ends what it found; the others go on meanwhile. Those that made far more
 * than is due wait for it, a little each time: not for good, as a finalizer may want a lock that
 * one of them holds. True: there is nothing to ask the policy. */
static bool let_others_collect(bool overdue)
{
    static __thread unsigned passed;
    if (collect_is_busy())
        return true;
    if (!turn_is_others())
        return state.not_before_ns != 0 && os_now_ns() < state.not_before_ns;
    if (overdue && passed++ % PACE_EVERY == 0 && !heap_is_inside())
        turn_pace(PACE_MS);
    return true;
}

void gc_consider_volume(void)
{
    watch_needed();
    if (LIKELY(!volume_is_due(1)) || let_others_collect(volume_is_due(OVERDUE)))
        return;
    collect_by_itself(MIDDEN_FULL, volume_reason(policy_now()));
}

/* With several threads each may have its share before the sum is looked at. */
void gc_consider_objects(void)
{
    int count[COLLECT_GENERATIONS];
    uint64_t promoted, survived;
    const struct policy *policy = policy_now();
    if (UNLIKELY(__atomic_load_n(&watch_missing, __ATOMIC_RELAXED))) {
        watch_make();
        set_gate(policy);
    }
    uint64_t gate = __atomic_load_n(&gc_gate, __ATOMIC_RELAXED);
    if (let_others_collect(pool_heap(KIND_COUNTED)->fresh > OVERDUE * gate))
        return;
    if (volume_is_due(1)) {
        collect_by_itself(MIDDEN_FULL, volume_reason(policy));
        return;
    }
    collect_counts(count);
    collect_survivors(&promoted, &survived);
    int generation = policy_generation(policy, count, promoted, survived);
    if (generation >= 0)
        collect_by_itself(generation, policy_name(POLICY_OBJECTS));
}

bool gc_exhausted(void)
{
    const struct policy *policy = policy_now();
    if (!policy_has(policy, POLICY_EXHAUSTION) || !pool_is_used() || state.disabled ||
        collect_is_busy() || heap_is_inside())
        return false;
    const char *reason = policy_name(POLICY_EXHAUSTION);
    long found = collect(MIDDEN_FULL, reason, COLLECT_SPARE | COLLECT_RETURN);
    front_trim(0);
    return found > 0;
}

void gc_exits(void)
{
    if (policy_has(policy_now(), POLICY_EXIT) && pool_is_used() && !state.disabled)
        collect(MIDDEN_FULL, policy_name(POLICY_EXIT), COLLECT_WAIT);
}

EXPORT void midden_notify(enum midden_event event)
{
    static const enum policy_trigger triggers[] = {
        [MIDDEN_IDLE] = POLICY_IDLE, [MIDDEN_PRESSURE] = POLICY_PRESSURE,
        [MIDDEN_USER] = POLICY_USER,
    };
    if ((unsigned)event >= COUNT_OF(triggers) || !policy_has(policy_now(), triggers[event]))
        return;
    collect_by_itself(MIDDEN_FULL, policy_name(triggers[event]));
    if (event == MIDDEN_PRESSURE)
        front_trim(0);
}

/* -- the policy -------------------------------------------------------------------------------- */

/* state.lock held. */
static void put_policy(const struct policy *policy)
{
    state.last = (state.last + 1) % POLICIES;
    state.policies[state.last] = *policy;
    __atomic_store_n(&state.policy, &state.policies[state.last], __ATOMIC_RELEASE);
    set_gate(policy);
    set_debt();
}

static void fault(enum fault_kind kind, word pointer, const char *call)
{
    front_fault(kind, pointer, 0, call);
}

static COLD void begin(void)
{
    life_attach();
    if (!lock_take(&state.lock))
        return;
    if (!state.begun) {
        struct policy policy = policy_initial;
        options_policy(front_options, &policy);
        pool_without_malloc = !front_options->midden;
        object_fault = fault;
        watch_collect = collect_watched;
        watch_volume = pool_volume;
        collect_markers((unsigned)front_options->markers);
        minor_never(front_options->minor == MINOR_NEVER);
        watch_plan(&policy);
        put_policy(&policy);
        if (cage.planned)
            collect_prepare();
        __atomic_store_n(&state.begun, true, __ATOMIC_RELEASE);
    }
    lock_give(&state.lock);
}

/* The thread gets malloc's heap first: with it comes the notice of its end. */
void gc_begin(void)
{
    life_attach();
    life_notice();
    if (UNLIKELY(!__atomic_load_n(&state.begun, __ATOMIC_ACQUIRE)))
        begin();
}

static int change(const struct policy *policy)
{
    gc_begin();
    if (!watch_set(policy))
        return refuse(EAGAIN);
    if (!lock_take(&state.lock))
        return refuse(EAGAIN);
    put_policy(policy);
    lock_give(&state.lock);
    return 0;
}

EXPORT int midden_policy_set(const char *text)
{
    size_t where;
    struct policy policy;
    if (text == NULL)
        return refuse(EINVAL);
    switch (policy_parse(text, &policy, &where)) {
    case POLICY_OK:           return change(&policy);
    case POLICY_OUT_OF_RANGE: return refuse(ERANGE);
    default:                  return refuse(EINVAL);
    }
}

EXPORT int midden_policy_get(char *text, size_t bytes)
{
    char line[512];
    struct text out;
    if (text == NULL)
        return refuse(EINVAL);
    gc_begin();
    text_init(&out, line, sizeof line);
    policy_text(policy_now(), &out);
    if (out.length >= bytes)
        return refuse(ERANGE);
    __builtin_memcpy(text, line, out.length);
    text[out.length] = '\0';
    return 0;
}

EXPORT int midden_set_threshold(int threshold0, int threshold1, int threshold2)
{
    if (threshold0 < 0 || threshold1 < 0 || threshold2 < 0)
        return refuse(EINVAL);
    gc_begin();
    struct policy policy = *policy_now();
    policy.triggers |= 1u << POLICY_OBJECTS;
    policy.threshold[0] = threshold0;
    policy.threshold[1] = threshold1;
    policy.threshold[2] = threshold2;
    return change(&policy);
}

EXPORT int midden_get_threshold(int threshold[3])
{
    if (threshold == NULL)
        return refuse(EINVAL);
    gc_begin();
    for (int i = 0; i < COLLECT_GENERATIONS; i++)
        threshold[i] = policy_now()->threshold[i];
    return 0;
}

EXPORT int midden_get_count(int count[3])
{
    if (count == NULL)
        return refuse(EINVAL);
    collect_counts(count);
    return 0;
}

/* -- by hand ----------------------------------------------------------------------------------- */

static bool is_generation(int generation)
{
    return generation >= 0 && generation < COLLECT_GENERATIONS;
}

EXPORT long midden_collect(int generation)
{
    if (!is_generation(generation))
        return refuse(EINVAL);
    unsigned young = generation < MIDDEN_FULL ? COLLECT_MINOR : 0;
    long found = collect(generation, "collect", COLLECT_WAIT | COLLECT_RETURN | young);
    return found >= 0 ? found : refuse(EAGAIN);
}

EXPORT int midden_enable(void)
{
    return !__atomic_exchange_n(&state.disabled, false, __ATOMIC_RELAXED);
}

EXPORT int midden_disable(void)
{
    return !__atomic_exchange_n(&state.disabled, true, __ATOMIC_RELAXED);
}

EXPORT int midden_is_enabled(void)
{
    return !__atomic_load_n(&state.disabled, __ATOMIC_RELAXED);
}

/* -- watching ---------------------------------------------------------------------------------- */

EXPORT int midden_get_stats(int generation, struct midden_gc_stats *out)
{
    struct collect_figures figures;
    if (!is_generation(generation) || out == NULL || out->size != sizeof *out)
        return refuse(EINVAL);
    collect_figures(generation, &figures);
    *out = (struct midden_gc_stats){
        .size = sizeof *out, .collections = figures.collections, .collected = figures.collected,
        .uncollectable = figures.uncollectable, .collected_bytes = figures.collected_bytes,
        .given_up = figures.given_up, .pause_last_ns = figures.pause_last_ns,
        .pause_max_ns = figures.pause_max_ns, .pause_sum_ns = figures.pause_sum_ns,
        .pause_p50_ns = collect_pause_ns(generation, 500),
        .pause_p99_ns = collect_pause_ns(generation, 990), .minor = figures.minor,
    };
    return 0;
}

static int done(int error)
{
    return error == 0 ? 0 : refuse(error);
}

EXPORT int midden_callbacks_add(midden_callback *callback, void *arg)
{
    return callback != NULL ? done(callback_add(callback, arg)) : refuse(EINVAL);
}

EXPORT int midden_callbacks_remove(midden_callback *callback, void *arg)
{
    life_notice();
    return done(collect_callback_remove(callback, arg));
}

EXPORT int midden_set_debug(int flags)
{
    if ((flags & ~DEBUG_FLAGS) != 0)
        return refuse(EINVAL);
    collect_set_debug(flags);
    return 0;
}

EXPORT int midden_get_debug(void)
{
    return collect_get_debug();
}

/* -- fork -------------------------------------------------------------------------------------- */

void gc_fork_prepare(void)
{
    state.held = pool_is_used() && turn_hold(FORK_MS);
}

void gc_fork_parent(void)
{
    if (state.held)
        turn_let();
}

void gc_fork_child(void)
{
    lock_reset(&state.lock);
    watch_fork_child();
    set_gate(policy_now());
    collect_fork_child(state.held);
}
