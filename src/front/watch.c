/* watch.c - a thread that watches time, memory and signals.
 * Job         watch.h. The thread sleeps on one word, `news`, until the next moment at which
 *             something may be due; policies and signals change that word.
 * Locking     watch_lock guards `state` but for the words that say otherwise. The thread takes it
 *             to copy the policy; fork holds it, so that no child finds one half written.
 */
#include "front/watch.h"
#include "front/front.h"
#include "gc/world.h"
#include "os/stop.h"

#include <signal.h>

enum {
    LONGEST_MS = 3600 * 1000,                    /* one sleep */
    IDLE_LEAST_MS = 10,                          /* between looks, while it may be at work */
    IDLE_QUIET_MS = 1000,                        /* after it was found idle */
    IDLE_MOST_MS = 10 * 1000,
    PRESSURE_LOOK_MS = 500,
    PRESSURE_GAP_MS = 10 * 1000,                 /* a collection touches what was swapped out */
    RETRY_MS = 1000,                             /* after the thread could not be made */
};

struct lock watch_lock;
bool        watch_missing;                       /* atomic: a thread is wanted, and there is none */
long     (*watch_collect)(int generation, const char *reason);
uint64_t (*watch_volume)(void);

static struct {
    struct policy    policy;
    uint32_t         news;                       /* atomic, a futex: changes with any of these */
    uint32_t         changes;                    /* of policy */
    uint32_t         epoch;                      /* of the process: a child begins another one */
    uint32_t         signals;                    /* atomic: how often our handler ran */
    uint32_t         signals_done;               /* atomic */
    bool             running;
    uint64_t         failed_ms;                  /* when it could not be made; 0: it could */
    int              signal;                     /* our handler is installed for; 0: none */
    struct sigaction before;
} state;

/* What the thread keeps to itself. */
struct watch {
    struct policy      policy;
    uint32_t           epoch, changes;
    uint64_t           interval_due_ms;
    uint64_t           volume, quiet_since_ms;
    bool               armed;                    /* something was allocated since it was idle */
    struct os_pressure pressure;
    bool               pressure_told;            /* the kernel tells of it */
    uint64_t           pressure_free_ms;         /* not before */
};

/* -- signals ----------------------------------------------------------------------------------- */

static void tell_news(void)
{
    __atomic_fetch_add(&state.news, 1, __ATOMIC_SEQ_CST);
    os_wake(&state.news, 1);
}

static void on_signal(int number)
{
    (void)number;
    __atomic_fetch_add(&state.signals, 1, __ATOMIC_RELEASE);
    tell_news();
}

static void signal_give_back(void)
{
    struct sigaction now;
    if (state.signal != 0 && sigaction(state.signal, NULL, &now) == 0 &&
        now.sa_handler == on_signal)
        sigaction(state.signal, &state.before, NULL);
    state.signal = 0;
}

static void signal_follow(const struct policy *policy, bool watched)
{
    int wanted = watched ? policy->signal : 0;
    struct sigaction ours = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };
    if (wanted == state.signal)
        return;
    signal_give_back();
    if (wanted != 0 && sigaction(wanted, &ours, &state.before) == 0)
        state.signal = wanted;
}

/* -- what is due ------------------------------------------------------------------------------- */

static uint64_t volume_now(void)
{
    return watch_volume != NULL ? watch_volume() : 0;
}

/* A policy that comes anew counts from now. */
static void begin_policy(struct watch *watch, uint64_t now_ms)
{
    os_pressure_close(&watch->pressure);
    watch->interval_due_ms = now_ms + watch->policy.interval_ms;
    watch->volume = volume_now();
    watch->quiet_since_ms = now_ms;
    watch->armed = true;
    watch->pressure_told = policy_has(&watch->policy, POLICY_PRESSURE) &&
                           os_pressure_open(&watch->pressure);
    watch->pressure_free_ms = 0;
}

/* False: nobody is needed any more, and this thread is told to be gone. A child made by this very
 * thread, in a finalizer, is another matter. */
static bool follow_policy(struct watch *watch, uint64_t now_ms)
{
    bool taken = lock_take(&watch_lock);
    bool current = watch->epoch == state.epoch, needed = policy_needs_watch(&state.policy);
    bool changed = watch->changes != state.changes;
    watch->changes = state.changes;
    watch->policy = state.policy;
    if (current && !needed)
        state.running = false;
    if (taken)
        lock_give(&watch_lock);
    if (changed)
        begin_policy(watch, now_ms);
    return current && needed;
}

static bool signal_due(void)
{
    uint32_t signals = __atomic_load_n(&state.signals, __ATOMIC_ACQUIRE);
    return __atomic_exchange_n(&state.signals_done, signals, __ATOMIC_RELAXED) != signals;
}

static bool interval_due(struct watch *watch, uint64_t now_ms)
{
    if (now_ms < watch->interval_due_ms)
        return false;
    watch->interval_due_ms += watch->policy.interval_ms;
    if (watch->interval_due_ms <= now_ms)        /* some were missed: they are not made up for */
        watch->interval_due_ms = now_ms + watch->policy.interval_ms;
    return true;
}

static bool idle_due(struct watch *watch, uint64_t now_ms)
{
    uint64_t volume = volume_now();
    if (volume != watch->volume) {
        watch->volume = volume;
        watch->quiet_since_ms = now_ms;
        watch->armed = true;
    }
    if (!watch->armed || now_ms - watch->quiet_since_ms < watch->policy.idle_ms)
        return false;
    watch->armed = false;
    return true;
}

static bool pressure_due(struct watch *watch, uint64_t now_ms)
{
    if (!watch->pressure_told || !os_pressure_rises(&watch->pressure) ||
        now_ms < watch->pressure_free_ms)
        return false;
    watch->pressure_free_ms = now_ms + PRESSURE_GAP_MS;
    return true;
}

/* POLICY_TRIGGERS: none. */
static enum policy_trigger due(struct watch *watch, uint64_t now_ms)
{
    const struct policy *policy = &watch->policy;
    if (signal_due() && policy_has(policy, POLICY_SIGNAL))
        return POLICY_SIGNAL;
    if (policy_has(policy, POLICY_PRESSURE) && pressure_due(watch, now_ms))
        return POLICY_PRESSURE;
    if (policy_has(policy, POLICY_INTERVAL) && interval_due(watch, now_ms))
        return POLICY_INTERVAL;
    if (policy_has(policy, POLICY_IDLE) && idle_due(watch, now_ms))
        return POLICY_IDLE;
    return POLICY_TRIGGERS;
}

/* -- how long nothing is ----------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A program that is at work is looked at four times in the span that would make it idle; one that
 * rests is seldom woken for. */
static uint64_t idle_pause_ms(const struct watch *watch)
{
    uint64_t idle_ms = watch->policy.idle_ms;
    uint64_t pause_ms = watch->armed ? most(idle_ms / 4, IDLE_LEAST_MS)
                                     : most(idle_ms, IDLE_QUIET_MS);
    return least(pause_ms, IDLE_MOST_MS);
}

static uint32_t pause_ms(const struct watch *watch, uint64_t now_ms)
{
    uint64_t pause = LONGEST_MS;
    if (policy_has(&watch->policy, POLICY_INTERVAL))
        pause = least(pause, most(watch->interval_due_ms, now_ms + 1) - now_ms);
    if (policy_has(&watch->policy, POLICY_IDLE))
        pause = least(pause, idle_pause_ms(watch));
    if (watch->pressure_told)
        pause = least(pause, PRESSURE_LOOK_MS);
    return (uint32_t)pause;
}

/* -- the thread -------------------------------------------------------------------------------- */

/* Finalizers run here, as on any thread of the program, and so it must stand still when another
 * thread stops the world. Both changes are made while nobody does. */
static void join_world(void)
{
    bool alone = lock_take(&world_lock);
    os_thread_show(os_stop_prepare() ? os_stopping.signal : 0);
    if (alone)
        lock_give(&world_lock);
}

static void leave_world(void)
{
    bool alone = lock_take(&world_lock);
    os_thread_hide();
    if (alone)
        lock_give(&world_lock);
}

static void collect(struct watch *watch, enum policy_trigger trigger)
{
    if (watch_collect == NULL)
        return;
    join_world();
    watch_collect(POLICY_OLDEST, policy_name(trigger));
    leave_world();
    watch->volume = volume_now();                /* what finalizers allocate is no work */
}

static void watch_run(void *epoch)
{
    struct watch watch = { .epoch = (uint32_t)(word)epoch, .pressure = { .fd = -1 } };
    for (;;) {
        uint32_t news = __atomic_load_n(&state.news, __ATOMIC_SEQ_CST);
        uint64_t now_ms = os_now_ms();
        if (!follow_policy(&watch, now_ms))
            break;
        enum policy_trigger trigger = due(&watch, now_ms);
        if (trigger != POLICY_TRIGGERS)
            collect(&watch, trigger);
        else
            os_wait(&state.news, news, pause_ms(&watch, now_ms));
    }
    os_pressure_close(&watch.pressure);
}

/* -- making it: under the lock ----------------------------------------------------------------- */

static bool start(void)
{
    state.changes++;                             /* a new thread has seen none */
    state.running = os_thread_start(watch_run, (void *)(word)state.epoch);
    state.failed_ms = state.running ? 0 : os_now_ms();
    return state.running;
}

static void settle(const struct policy *policy)
{
    bool needed = policy_needs_watch(policy);
    signal_follow(policy, needed && state.running);
    state.policy = *policy;
    state.changes++;
    __atomic_store_n(&watch_missing, needed && !state.running, __ATOMIC_RELAXED);
    tell_news();
}

/* -- the public part --------------------------------------------------------------------------- */

bool watch_set(const struct policy *policy)
{
    if (!lock_take(&watch_lock))
        return false;
    bool done = !policy_needs_watch(policy) || state.running || start();
    if (done)
        settle(policy);
    lock_give(&watch_lock);
    return done;
}

void watch_plan(const struct policy *policy)
{
    if (!lock_take(&watch_lock))
        return;
    settle(policy);
    lock_give(&watch_lock);
}

COLD void watch_make(void)
{
    if (heap_is_inside() || life_is_borrowed() || !lock_take(&watch_lock))
        return;
    bool early = state.failed_ms != 0 && os_now_ms() - state.failed_ms < RETRY_MS;
    if (watch_missing && !early && start())
        settle(&state.policy);
    lock_give(&watch_lock);
}

/* The signal's handler was inherited, and stays. */
void watch_fork_child(void)
{
    state.epoch++;
    state.running = false;
    __atomic_store_n(&watch_missing, policy_needs_watch(&state.policy), __ATOMIC_RELAXED);
}
