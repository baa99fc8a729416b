/* world.c - ask, wait, ask again; give up in time.
 * Source of the idea: the stop by signals of the Boehm-Demers-Weiser collector; that a thread in a
 * bad moment is let go and asked again is the busy section of SDC's runtime.
 */
#include "gc/world.h"
#include "gc/root.h"
#include "os/stop.h"

enum {
    THREADS_MOST = 1 << 15,
    LIST_ROUNDS  = 64,                           /* of threads that make threads */
    PATIENCE_MS  = 100,                          /* without any answer */
    MOST_MS      = 1000,                         /* in all */
    GLANCE_MS    = 2,                            /* between two looks at who does not answer */
};

struct lock world_lock;

static struct {
    struct os_stop *stop;                        /* a record a thread; NULL: no memory yet */
    int            *listed;
    unsigned        count;
} state;

bool world_prepare(void)
{
    if (state.stop == NULL) {
        size_t records = THREADS_MOST * sizeof *state.stop, list = THREADS_MOST * sizeof(int);
        word at = root_own_piece(records + list);
        if (at == 0 || !os_commit(at, records + list))
            return false;
        state.stop = (struct os_stop *)at;
        state.listed = (int *)(at + records);
    }
    os_stopping.first = state.stop;
    os_stopping.end = state.stop + THREADS_MOST;
    return os_stop_prepare();
}

/* -- asking ------------------------------------------------------------------------------------ */

static bool is_known(int thread)
{
    for (unsigned i = 0; i < state.count; i++)
        if (state.stop[i].thread == thread)
            return true;
    return false;
}

static void ask(struct os_stop *stop)
{
    if (!os_stop_ask(stop))
        __atomic_store_n(&stop->state, STOP_GONE, __ATOMIC_RELAXED);
}

/* Whoever is new in the list is asked; how many those are, -1: nobody can say. */
static int ask_new(int self)
{
    unsigned listed = os_thread_list(state.listed, THREADS_MOST);
    int fresh = listed != 0 ? 0 : -1;
    for (unsigned i = 0; i < listed; i++) {
        int thread = state.listed[i];
        if (thread == self || os_thread_is_ours(thread) || is_known(thread))
            continue;
        if (state.count == THREADS_MOST)
            return -1;
        struct os_stop *stop = &state.stop[state.count++];
        *stop = (struct os_stop){ .thread = thread, .round = os_stopping.round };
        ask(stop);
        fresh++;
    }
    return fresh;
}

static void look_at(struct os_stop *stop, bool *runs)
{
    enum os_thread_state state_now = os_thread_state(stop->thread);
    if (state_now == THREAD_ENDED)
        __atomic_store_n(&stop->state, STOP_GONE, __ATOMIC_RELAXED);
    *runs |= state_now == THREAD_RUNS;
}

/* One look at everybody: who is busy is asked again. *runs: one of those that do not answer would,
 * if he had a processor. */
static bool all_stand(bool look_closer, bool *runs)
{
    bool all = true;
    *runs = false;
    for (unsigned i = 0; i < state.count; i++) {
        struct os_stop *stop = &state.stop[i];
        uint32_t now = __atomic_load_n(&stop->state, __ATOMIC_ACQUIRE);
        if (now == STOP_PARKED || now == STOP_GONE)
            continue;
        all = false;
        if (now == STOP_BUSY)
            ask(stop);
        else if (look_closer)
            look_at(stop, runs);
    }
    return all;
}

/* As long as somebody answers, if only that he is busy, or waits for a processor, so do we. */
static bool wait_for_all(uint64_t last_ns)
{
    bool look_closer = false, runs;
    uint64_t quiet_ns = os_now_ns();
    for (uint32_t seen = 0;;) {
        uint32_t answers = __atomic_load_n(&os_stopping.answers, __ATOMIC_ACQUIRE);
        if (all_stand(look_closer, &runs))
            return true;
        uint64_t before = os_now_ns();
        quiet_ns = answers != seen || runs ? before : quiet_ns;
        seen = answers;
        if (before - quiet_ns > PATIENCE_MS * 1000000ull || before > last_ns)
            return false;
        os_wait(&os_stopping.answers, answers, GLANCE_MS);
        look_closer = os_now_ns() - before > (GLANCE_MS * 1000000ull) / 2;
    }
}

/* -- the public part --------------------------------------------------------------------------- */

static bool stop_others(void)
{
    int self = os_thread_id();
    uint64_t last_ns = os_now_ns() + MOST_MS * 1000000ull;
    for (unsigned i = 0; i < LIST_ROUNDS; i++) {
        int fresh = ask_new(self);
        if (i > 0 && fresh == 0)
            return true;
        if (fresh < 0)
            return false;
        if (fresh > 0 && !wait_for_all(last_ns))
            return false;
    }
    return false;
}

bool world_stop(bool (*may_park)(void))
{
    state.count = 0;
    unsigned threads = os_threads();
    if (threads == 1)
        return true;
    if (threads == 0 || !world_prepare())              /* no /proc: nobody knows who there is */
        return false;
    os_stopping.may_park = may_park;
    __atomic_store_n(&os_stopping.active, 1, __ATOMIC_SEQ_CST);
    bool stopped = stop_others();
    if (!stopped)
        world_resume();
    return stopped;
}

void world_resume(void)
{
    if (os_stopping.active == 0)
        return;
    __atomic_store_n(&os_stopping.active, 0, __ATOMIC_RELEASE);
    __atomic_fetch_add(&os_stopping.round, 1, __ATOMIC_SEQ_CST);
    os_wake(&os_stopping.round, UINT32_MAX >> 1);
}

unsigned world_threads(void)
{
    return state.count;
}

static word lower(word best, word lo, word hi, word at)
{
    return at >= lo && at < hi && at < best ? at : best;
}

bool world_stacks(unsigned i, word places[2])
{
    bool stands = i < state.count && state.stop[i].state == STOP_PARKED;
    places[0] = stands ? state.stop[i].parked : 0;
    places[1] = stands ? state.stop[i].interrupted : 0;
    return i < state.count;
}

word world_lowest(word lo, word hi, bool own)
{
    word best = hi;
    for (unsigned i = 0; i < state.count; i++) {
        const struct os_stop *stop = &state.stop[i];
        bool its = stop->block >= lo && stop->block < hi;
        if (stop->state != STOP_PARKED || (own && !its))
            continue;
        best = lower(best, lo, hi, stop->parked);
        best = lower(best, lo, hi, stop->interrupted);
    }
    return best;
}

bool world_is_alive(word block)
{
    bool alive = block == os_thread_block();
    for (unsigned i = 0; i < state.count; i++)
        alive |= state.stop[i].state == STOP_PARKED && state.stop[i].block == block;
    return alive;
}

/* The thread that forked may have been the one that stops, with nobody stopped: fork waits. */
void world_fork_child(void)
{
    os_stopping.active = 0;
    state.count = 0;
}
