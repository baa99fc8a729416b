/* life.c - start before main, threads, fork, exit.
 * Job         Begin at the first call, whoever makes it; give each thread its heap and take it back
 *             when the thread ends; hold all locks over a fork; notice a child made behind the back
 *             of the fork handlers.
 * Locking     begin() runs once, under its own lock; fork takes every lock of lock.def, in that
 *             order.
 */
#include "front/front.h"
#include "front/gc.h"
#include "front/options.h"
#include "front/watch.h"
#include "gc/root.h"
#include "gc/world.h"
#include "heap/arena.h"
#include "heap/meta.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/shared.h"
#include "heap/span.h"
#include "managed/intern.h"
#include "managed/pool.h"
#include "managed/weak.h"
#include "report/handshake.h"
#include "report/stats.h"
#include "base/count.h"

#include <limits.h>
#include <pthread.h>

#ifndef PTHREAD_DESTRUCTOR_ITERATIONS
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#endif

static struct lock *const fork_order[] = {
#define LOCK(name, what) &name##_lock,
#include "base/lock.def"
#undef LOCK
};

static struct {
    bool          begun;
    bool          keyed;
    pthread_key_t key;  /* its destructor is how we learn that a thread ends */
    int           process;                       /* whose memory this is */
    uint64_t     *alive;  /* a word that a forked child finds zeroed; NULL: no such kernel */
    /* taken by fork_prepare; else by whom it interrupted */
    bool          held[COUNT_OF(fork_order)];
    struct lock   lock;
} state;


/* -- fork -------------------------------------------------------------------------------------- */

static void fork_prepare(void)
{
    gc_fork_prepare();
    for (size_t i = 0; i < COUNT_OF(fork_order); i++)
        state.held[i] = lock_take(fork_order[i]);
}

static void fork_parent(void)
{
    COUNT_ONE(forks);
    for (size_t i = COUNT_OF(fork_order); i-- > 0;)
        if (state.held[i])
            lock_give(fork_order[i]);
    gc_fork_parent();
}

static void fork_child(void)
{
    for (size_t i = 0; i < COUNT_OF(fork_order); i++)
        lock_reset(fork_order[i]);
    shared_fork_child();
    os_threads_forget();
    state.process = os_process_id();
    if (state.alive != NULL)
        *state.alive = 1;
    roster_fork_child(&thread);
    gc_fork_child();
}

/* _Fork and raw clone run no handlers. Other threads may have held our locks: what they guard may
 * be half done, and is the best there is. */
COLD static void child_found(void)
{
    bool outer = heap_enter_was();
    fork_child();
    heap_leave_to(outer);
}

void life_slow_path(void)
{
    if (UNLIKELY(state.alive != NULL && *state.alive == 0))
        child_found();
}

/* Before whatever waits for another thread: there may be none any more. */
void life_notice(void)
{
    if (!heap_is_inside())
        life_slow_path();
}

/* A vfork child runs on its parent's memory under a number of its own. One with memory of its own
 * was told to fork_child, or finds the word wiped. */
bool life_is_borrowed(void)
{
    life_slow_path();
    return os_process_id() != state.process;
}

static void watch_forks(void)
{
    struct os_facts facts;
    os_facts_read(&facts);
    size_t page = facts.page_bytes;
    word at = os_reserve(page, page);
    pthread_atfork(fork_prepare, fork_parent, fork_child);
    if (at != 0 && os_commit(at, page) && os_wipe_on_fork(at, page)) {
        state.alive = (uint64_t *)at;
        *state.alive = 1;
    }
}

/* -- threads ----------------------------------------------------------------------------------- */

struct stack {
    word lo, hi;
};

/* Asked only where a collection may look for it; it allocates. */
static struct stack stack_of_self(void)
{
    pthread_attr_t attributes;
    void *base;
    size_t bytes;
    if (!pool_is_used() || pthread_getattr_np(pthread_self(), &attributes) != 0)
        return (struct stack){ 0, 0 };
    bool known = pthread_attr_getstack(&attributes, &base, &bytes) == 0;
    pthread_attr_destroy(&attributes);
    return known ? (struct stack){ (word)base, (word)base + bytes } : (struct stack){ 0, 0 };
}

/* Destructors of other keys may still allocate and free: ours asks to be called again until the
 * last round. What comes after that (the C library frees a little more) goes the long way. The heap
 * goes back in every round, as a thread that first allocated in a destructor is not called in all
 * of them, and does not know which is its last. */
static void thread_ends(void *unused)
{
    (void)unused;
    thread.rounds++;
    thread.late = thread.rounds >= PTHREAD_DESTRUCTOR_ITERATIONS - THREAD_SANITIZER;
    if (!thread.late)                            /* a sanitizer is gone in the last */
        pthread_setspecific(state.key, (void *)1);
    struct heap *heap = heap_mine();
    if (heap_is_nobody(heap))
        return;
    struct stack stack = stack_of_self();
    heap_enter();
    pool_detach();
    if (stack.hi != 0)
        root_thread_ends(stack.lo, stack.hi);
    heap_become(&heap_nobody.heap);
    roster_detach(heap);
    heap_leave();
}

static void begin(void)
{
    if (__atomic_load_n(&state.begun, __ATOMIC_ACQUIRE) || !lock_take(&state.lock))
        return;
    if (!state.begun) {
        front_options = options_load();
        span_configure((enum span_purge)front_options->purge, front_options->limit,
                       front_options->huge == HUGE_AUTO);
        state.keyed = pthread_key_create(&state.key, thread_ends) == 0;
        state.process = os_process_id();
        watch_forks();
        if (front_options->midden)
            handshake_attach();
        if (front_options->stats == STATS_EXIT)
            stats_keep_stderr();
        __atomic_store_n(&state.begun, true, __ATOMIC_RELEASE);
    }
    lock_give(&state.lock);
}

static COLD struct heap *attach(void)
{
    bool outer = heap_enter_was();
    struct heap *heap = heap_mine();
    if (!heap_is_nobody(heap)) {                 /* a handler came first */
        heap_leave_to(outer);
        return heap;
    }
    begin();
    heap = front_options->midden ? roster_attach(KIND_MANUAL) : NULL;
    if (heap != NULL)
        heap_become(heap);
    heap_leave_to(outer);                        /* a handler from here on finds it */
    if (heap != NULL && state.keyed)             /* may allocate: the heap is there by now */
        pthread_setspecific(state.key, (void *)1);
    return heap;
}

struct heap *life_attach(void)
{
    struct heap *heap = heap_mine();
    if (LIKELY(!heap_is_nobody(heap)))
        return heap;
    return thread.late ? NULL : attach();
}

struct heap *life_attach_to_free(void)
{
    return thread.rounds != 0 && heap_is_nobody(heap_mine()) ? NULL : life_attach();
}

__attribute__((constructor(101))) static void life_begins(void)
{
    begin();
}

__attribute__((destructor(101))) static void life_ends(void)
{
    gc_exits();
    if (front_options->stats == STATS_EXIT)
        stats_tell();
}
