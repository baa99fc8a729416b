/* edges.c - where a collection could go wrong unseen: nothing can be read, the stack lies in a
 *      block, counted objects come and go, weak handles are made too late, an object has no bytes.
 * seconds: 120
 */
#include "check.h"

#include <signal.h>
#include <sys/resource.h>

/* -- no file can be opened --------------------------------------------------------------------- */

static void **kept;

static int starved(void *unused)
{
    struct rlimit none = { 3, 3 };

    (void)unused;
    setrlimit(RLIMIT_NOFILE, &none);
    errno = 0;
    return midden_collect(MIDDEN_FULL) == -1 && errno == EAGAIN && midden_is_tracked(kept) ? 0 : 1;
}

static void no_descriptors(void)
{
    kept = midden_alloc(64);
    check(in_child(starved, NULL) == 0,
        "without a descriptor nothing is collected, and EAGAIN says so");
}

/* -- a handler's stack in a block that nobody points at ---------------------------------------- */

static volatile int  standing, go;
static uintptr_t     held;

static void stands(int number)
{
    (void)number;
    standing = 1;
    while (!go)
        ;
}

static void *on_a_block(void *unused)
{
    stack_t          stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
    struct sigaction action = { .sa_handler = stands, .sa_flags = SA_ONSTACK };

    (void)unused;
    sigaltstack(&stack, NULL);
    stack.ss_sp = NULL;
    sigaction(SIGUSR2, &action, NULL);
    void *object = midden_alloc(48);         /* in a register, as it is no volatile */
    held = hidden(object);
    __asm__ volatile("" : "+r"(object));
    raise(SIGUSR2);
    __asm__ volatile("" : "+r"(object));
    return NULL;
}

static void stack_in_a_block(void)
{
    pthread_t thread = start(on_a_block, NULL);

    while (!standing)
        ;
    midden_collect(MIDDEN_FULL);
    check(in_use(held), "registers saved on a stack inside a malloc block keep objects");
    go = 1;
    pthread_join(thread, NULL);
}

/* -- counted objects that come and go do not pay for uncounted ones ---------------------------- */

static void come_and_go(void)
{
    uint64_t before = collections(MIDDEN_FULL);

    for (long i = 0; i < scaled(5000000); i++)
        midden_release(node(0));
    for (long i = 0; i < scaled(2000000); i++)
        midden_alloc(96);
    check_alone(collections(MIDDEN_FULL) > before,
        "after five million of them growth still collects");
    ends();
}

/* -- a weak handle made in a finalizer --------------------------------------------------------- */

struct late {
    struct late *self;
};
static struct midden_weak *late_weak;

static void makes_weak(void *object)
{
    late_weak = midden_weak(object);
}

static const size_t late_owned[] = { 0, MIDDEN_END };
static const struct midden_type late_type = { sizeof late_type, "late", sizeof(struct late),
                                              late_owned, NULL, makes_weak, 0 };

static void weak_too_late(void)
{
    struct late *object = midden_new(&late_type, 0);

    give(&object->self, object);
    midden_collect(MIDDEN_FULL);
    check(late_weak != NULL && midden_weak_get(late_weak) == NULL,
        "a weak handle made by the finalizer of garbage leads nowhere");
    midden_weak_drop(late_weak);
}

/* -- no bytes ---------------------------------------------------------------------------------- */

static const struct midden_type empty_type = { sizeof empty_type, "empty", 0, NULL, NULL, NULL, 0 };

static void no_bytes(void)
{
    void *object = midden_new(&empty_type, 0);

    check(midden_is_tracked(object) && midden_handles(object) == 1, "an object of no bytes is one");
    midden_release(object);
}

/* -- a fork inside a finalizer ----------------------------------------------------------------- */

static int collects(void *unused)
{
    (void)unused;
    midden_release(ring(4));
    return 0;
}

static int forked = -1;

static void forks(void *object)
{
    (void)object;
    forked = in_child(collects, NULL);
}

static const struct midden_type forking_type = { sizeof forking_type, "forking", 8, NULL, NULL,
                                                 forks, 0 };
static volatile int over;

static void *collect_often(void *unused)
{
    (void)unused;
    while (!over)
        midden_collect(MIDDEN_FULL);
    return NULL;
}

static void fork_in_finalizer(void)
{
    pthread_t thread = start(collect_often, NULL);
    int       bad = 0;

    for (int i = 0; i < 20; i++) {
        midden_release(midden_new(&forking_type, 0));
        bad += forked != 0;
    }
    over = 1;
    pthread_join(thread, NULL);
    check(bad == 0, "finalizers fork while another thread collects: %d of 20 failed", bad);
    midden_collect(MIDDEN_FULL);
    ends();
}

/* -- one collection after the other ------------------------------------------------------------ */

static volatile int   asks, calls_back;
static volatile pid_t collector;             /* of the collection before */

static void note_collector(enum midden_phase phase, const struct midden_collection *at, void *arg)
{
    (void)at, (void)arg;
    collector = gettid();
    if (phase != MIDDEN_STOP || !calls_back)
        return;
    calls_back = 0;
    for (asks = 1; asks == 1;)
        sched_yield();
    pause_ms(5);                             /* the other is in its call by now, and waits */
}

static void *asks_once(void *unused)
{
    (void)unused;
    while (!asks)
        sched_yield();
    asks = 2;
    midden_collect(MIDDEN_FULL);
    return NULL;
}

/* Who waits for a collection comes before the thread that made it, if that collects again. */
static void by_turns(void)
{
    pid_t self = gettid();
    int   good = 0;

    midden_callbacks_add(note_collector, NULL);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;

        asks = 0;
        calls_back = 1;
        thread = start(asks_once, NULL);
        midden_collect(MIDDEN_FULL);
        collector = self;
        midden_collect(MIDDEN_FULL);
        pthread_join(thread, NULL);
        good += collector == self;
    }
    midden_callbacks_remove(note_collector, NULL);
    check(good >= 15, "who waits for a collection comes before another of that thread: %d of 20",
        good);
}

int main(void)
{
    no_descriptors();
    stack_in_a_block();
    come_and_go();
    weak_too_late();
    no_bytes();
    fork_in_finalizer();
    by_turns();
    return done();
}
