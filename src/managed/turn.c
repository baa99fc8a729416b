/* turn.c - a futex; forks go first, and who had the turn last goes last. */
#include "managed/turn.h"
#include "os/os.h"

enum { FREE_TURN, TAKEN, WANTED };               /* state.turn */
enum { WORKS, RESTS, FORKED_OVER };              /* state.rest */
enum { FORK_WAITS = 10, FORK_WAIT_MS = 10, OTHERS_WAIT_MS = 10 };

static struct {
    uint32_t turn;                               /* a futex */
    uint32_t forks;                              /* that wait, or are under way; a futex */
    uint32_t rest;                               /* of a collection, for forks; a futex */
    uint32_t taken;                              /* so many times; a futex */
    uint32_t waiting;                            /* threads that want it next */
    uint32_t polite;                             /* threads that wait until another has it */
} state;

static __thread bool     has_turn;               /* this thread */
static __thread uint32_t last_take = UINT32_MAX; /* state.taken, when it had it last */
static __thread uint32_t waits, waits_politely;  /* more than one: in handlers above each other */

static bool try_turn(void)
{
    uint32_t seen = FREE_TURN;
    return __atomic_compare_exchange_n(&state.turn, &seen, TAKEN, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

static void turn_taken(void)
{
    has_turn = true;
    last_take = __atomic_add_fetch(&state.taken, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&state.polite, __ATOMIC_SEQ_CST) != 0)
        os_wake(&state.taken, UINT32_MAX >> 1);
}

/* Those that wait are asleep: who had the turn last would be faster, again and again. */
static void let_others(void)
{
    if (__atomic_load_n(&state.waiting, __ATOMIC_RELAXED) == waits ||
        __atomic_load_n(&state.taken, __ATOMIC_RELAXED) != last_take)
        return;
    waits_politely++;
    __atomic_add_fetch(&state.polite, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&state.taken, __ATOMIC_SEQ_CST) == last_take)
        os_wait(&state.taken, last_take, OTHERS_WAIT_MS);
    __atomic_sub_fetch(&state.polite, 1, __ATOMIC_RELAXED);
    waits_politely--;
}

/* Forks go first: one collection after the other would let none through. */
static bool let_forks(bool wait)
{
    uint32_t forks;
    for (unsigned i = 0; i < FORK_WAITS; i++) {
        forks = __atomic_load_n(&state.forks, __ATOMIC_RELAXED);
        if (forks == 0 || !wait)
            return forks == 0;
        os_wait(&state.forks, forks, FORK_WAIT_MS);
    }
    return true;
}

static void wait_for_turn(void)
{
    waits++;
    __atomic_add_fetch(&state.waiting, 1, __ATOMIC_RELAXED);
    while (__atomic_exchange_n(&state.turn, WANTED, __ATOMIC_ACQUIRE) != FREE_TURN)
        os_wait(&state.turn, WANTED, 0);
    __atomic_sub_fetch(&state.waiting, 1, __ATOMIC_RELAXED);
    waits--;
}

bool turn_take(bool wait)
{
    if (has_turn || !let_forks(wait))
        return false;
    if (wait)
        let_others();
    if (!try_turn()) {
        if (!wait)
            return false;
        wait_for_turn();
    }
    turn_taken();
    return true;
}

void turn_give(void)
{
    has_turn = false;
    if (__atomic_exchange_n(&state.turn, FREE_TURN, __ATOMIC_RELEASE) == WANTED)
        os_wake(&state.turn, UINT32_MAX >> 1);
}

bool turn_is_others(void)
{
    return !has_turn && __atomic_load_n(&state.turn, __ATOMIC_RELAXED) != FREE_TURN;
}

void turn_pace(uint32_t ms)
{
    uint32_t taken = TAKEN;
    __atomic_compare_exchange_n(&state.turn, &taken, WANTED, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    os_wait(&state.turn, WANTED, ms);
}

static void forks_done(void)
{
    __atomic_fetch_sub(&state.forks, 1, __ATOMIC_RELAXED);
    os_wake(&state.forks, UINT32_MAX >> 1);
}

/* Between two objects that it ends, a collection lets a fork through: counts agree with fields
 * there, and what is condemned stays so in the child. */
void turn_safe_point(void)
{
    if (LIKELY(__atomic_load_n(&state.forks, __ATOMIC_RELAXED) == 0))
        return;
    __atomic_store_n(&state.rest, RESTS, __ATOMIC_RELEASE);
    os_wake(&state.turn, UINT32_MAX >> 1);
    for (unsigned i = 0; i < FORK_WAITS; i++) {
        uint32_t forks = __atomic_load_n(&state.forks, __ATOMIC_RELAXED);
        if (forks == 0)
            break;
        os_wait(&state.forks, forks, FORK_WAIT_MS);
    }
    for (uint32_t rests = RESTS; !__atomic_compare_exchange_n(&state.rest, &rests, WORKS, false,
                                                              __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
         rests = RESTS)
        os_wait(&state.rest, FORKED_OVER, FORK_WAIT_MS);
}

static bool take_rest(void)
{
    uint32_t rests = RESTS;
    return __atomic_compare_exchange_n(&state.rest, &rests, FORKED_OVER, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

bool turn_hold(uint32_t ms)
{
    if (has_turn)
        return false;
    uint64_t last_ns = os_now_ns() + ms * 1000000ull;
    __atomic_fetch_add(&state.forks, 1, __ATOMIC_RELAXED);
    bool held = false;
    while (!(held = (has_turn = try_turn()) || take_rest()) && os_now_ns() < last_ns)
        turn_pace(FORK_WAIT_MS);
    if (!held)
        forks_done();
    return held;
}

void turn_let(void)
{
    if (has_turn) {
        turn_give();
    } else {
        __atomic_store_n(&state.rest, RESTS, __ATOMIC_RELEASE);
        os_wake(&state.rest, 1);
    }
    forks_done();
}

void turn_fork_child(bool held)
{
    has_turn = has_turn && !held;
    if (!has_turn)
        state.turn = FREE_TURN;
    state.forks = 0;
    state.waiting = waits;                       /* this thread's own, if a handler forked */
    state.polite = waits_politely;
    state.rest = WORKS;
}
