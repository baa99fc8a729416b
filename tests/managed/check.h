/* check.h - what the programs with managed objects share.
 * Job         A counted type whose ends are counted, addresses hidden from a collection, stacks
 *             wiped of stale words, memory no collection looks into, and a collection at every
 *             n-th allocation where MIDDEN_EVERY says so.
 * Invariants  K1  a hidden address is no word that points anywhere: its bits are inverted
 *             K2  what table() gives is mapped shared: a collection reads it only as a root
 */
#ifndef MIDDEN_TESTS_MANAGED_CHECK_H
#define MIDDEN_TESTS_MANAGED_CHECK_H

#include "../trap/tap.h"

#include <midden/midden.h>

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))

/* -- time -------------------------------------------------------------------------------------- */

static inline double now_ms(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e3 + (double)at.tv_nsec / 1e6;
}

/* Sleeps that long whatever signals arrive. */
static inline void pause_ms(double ms)
{
    double end = now_ms() + ms, left;

    while ((left = end - now_ms()) > 0) {
        struct timespec at = { (long)(left / 1e3), (long)(left * 1e6) % 1000000000 };

        nanosleep(&at, NULL);
    }
}

/* -- collections ------------------------------------------------------------------------------- */

static inline unsigned every_count(void)
{
    static int every = -1;

    if (every < 0)
        every = getenv("MIDDEN_EVERY") ? atoi(getenv("MIDDEN_EVERY")) : 0;
    return (unsigned)every;
}

/* A collection of one generation after the other, if this is the n-th allocation. */
static inline void every_collect(void)
{
    static unsigned calls;
    unsigned        every = every_count(), call;

    if (!every)
        return;
    call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (call % every == 0)
        midden_collect((int)(call / every % 3));
}

/* So many, or a few where each of them costs a collection. */
static inline long scaled(long count)
{
    return every_count() && count > 300 ? 300 : count;
}

/* A check of when is collected, or how often: it holds where no other collection comes between. */
#define check_alone(ok, ...) (every_count() ? ((void)(ok), 1) : check(ok, __VA_ARGS__))

/* Where what is made may be hidden at once, a collection at the next allocation would end it: until
 * the next wipe() the last CRADLE objects are kept, if the program defines how many that are. */
#ifdef CRADLE
static void *volatile cradle[CRADLE];

static inline void *cradled(void *object)
{
    static unsigned at;

    if (every_count())
        cradle[__atomic_fetch_add(&at, 1, __ATOMIC_RELAXED) % CRADLE] = object;
    return object;
}
#else
#define cradled(object) (object)
#endif

/* From here on every call that makes an object is such an allocation. */
#define midden_new(type, extra_bytes)  (every_collect(), (midden_new)(type, extra_bytes))
#define midden_alloc(bytes)            (every_collect(), cradled((midden_alloc)(bytes)))
#define midden_alloc_leaf(bytes)       (every_collect(), cradled((midden_alloc_leaf)(bytes)))
#define midden_intern(bytes, count)    \
    (every_collect(), (const void *)cradled((void *)(midden_intern)(bytes, count)))

static inline void *make(const struct midden_type *type, size_t extra_bytes)
{
    return midden_new(type, extra_bytes);
}

static inline void *make_uncounted(size_t bytes)
{
    return midden_alloc(bytes);
}

static inline uint64_t collections(int generation)
{
    struct midden_gc_stats stats = { .size = sizeof stats };

    return midden_get_stats(generation, &stats) ? 0 : stats.collections;
}

/* -- addresses --------------------------------------------------------------------------------- */

static inline uintptr_t hidden(const void *p)
{
    return ~(uintptr_t)p;
}

static inline void *shown(uintptr_t word)
{
    return hide((void *)~word);
}

/* Is the block in use whose address is hidden in word? */
static inline int in_use(uintptr_t word)
{
    struct midden_object at = { .size = sizeof at };
    int                  saved = errno, used;

    used = midden_object_at((void *)~word, &at) == 0 && !at.is_free;
    errno = saved;
    return used;
}

/* How many are, of so many? */
static inline long count_in_use(const uintptr_t *word, long count)
{
    long used = 0;

    for (long i = 0; i < count; i++)
        used += in_use(word[i]);
    return used;
}

/* Writes over what returned calls left on this stack, and empties the cradle. */
static NOINLINE void wipe(void)
{
    volatile char dead[48 * 1024];

#ifdef CRADLE
    memset((void *)cradle, 0, sizeof cradle);
#endif
    for (size_t i = 0; i < sizeof dead; i++)
        dead[i] = 0;
}

/* Zeroed memory that a collection does not look into. */
static inline void *table(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        _exit(92);
    return at;
}

/* -- counted nodes ----------------------------------------------------------------------------- */

struct node {
    struct node *left, *right;               /* owned */
    void        *raw;                        /* not */
    size_t       label;
};

static const size_t node_owned[] = { offsetof(struct node, left), offsetof(struct node, right),
                                     MIDDEN_END };
static long         node_ends;               /* how many were finalized */

static inline void node_finalize(void *object)
{
    (void)object;
    __atomic_add_fetch(&node_ends, 1, __ATOMIC_RELAXED);
}

static const struct midden_type node_type = { sizeof node_type, "node", sizeof(struct node),
                                              node_owned, NULL, node_finalize, 0 };
static const struct midden_type open_type = { sizeof open_type, "open node", sizeof(struct node),
                                              node_owned, NULL, node_finalize,
                                              MIDDEN_CONSERVATIVE };
static const struct midden_type plain_type = { sizeof plain_type, "plain", 32, NULL, NULL, NULL,
                                               0 };
static const struct midden_type leaf_type = { sizeof leaf_type, "leaf", 32, NULL, NULL, NULL,
                                              MIDDEN_LEAF };

/* How many have been finalized since the last call of ends(). */
static inline long ends(void)
{
    return __atomic_exchange_n(&node_ends, 0, __ATOMIC_RELAXED);
}

static inline struct node *node(size_t label)
{
    struct node *made = (struct node *)make(&node_type, 0);

    if (!made)
        _exit(91);
    made->label = label;
    return made;
}

/* The field takes over the caller's handle. */
static inline void give(void *field, void *object)
{
    midden_assign(field, object);
    midden_release(object);
}

/* A ring of count nodes, linked by `left`; the caller's handle is that of the first. */
static inline struct node *ring(size_t count)
{
    struct node *first = node(0), *last = first;

    for (size_t i = 1; i < count; i++) {
        struct node *next = node(i);

        give(&last->left, next);
        last = next;
    }
    midden_assign(&last->left, first);
    return first;
}

/* A list of count nodes, linked by `left`; the caller's handle is that of the first. */
static inline struct node *list(size_t count)
{
    struct node *first = NULL;

    for (size_t i = 0; i < count; i++) {
        struct node *before = node(i);

        before->left = first;
        first = before;
    }
    return first;
}

/* -- errors ------------------------------------------------------------------------------------ */

/* The call's result and errno are as wanted; errno was 0 before. */
#define CHECK_ERROR(wanted, result, call)                                                   \
    do {                                                                                    \
        errno = 0;                                                                          \
        int checked_ = (call) == (result);                                                  \
        int error_ = errno;                                                                 \
        if (!checked_ || error_ != (wanted))                                                \
            check(0, "%s: %s, errno %d, wanted %d", #call, checked_ ? "answer as wanted" :  \
                  "another answer", error_, (wanted));                                      \
    } while (0)

/* -- threads and processes --------------------------------------------------------------------- */

static inline pthread_t start(void *(*body)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, body, arg) != 0)
        _exit(90);
    return thread;
}

/* In a thread of its own with a stack of that size, until it has ended. */
static inline void on_small_stack(size_t bytes, void *(*body)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t      thread;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, bytes);
    if (pthread_create(&thread, &attr, body, arg) != 0)
        _exit(89);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
}

/* This program once more, with that argument, under that limit; its raw wait status. */
static inline int again(const char *argument, int resource, rlim_t most)
{
    int   status = -1;
    pid_t child = fork();

    if (child == 0) {
        struct rlimit limit = { most, most };

        alarm(60);
        if (setrlimit((__rlimit_resource_t)resource, &limit) != 0)
            _exit(88);
        execl("/proc/self/exe", "again", argument, (char *)NULL);
        _exit(87);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

static inline int is_long(void)
{
    const char *value = getenv("MIDDEN_LONG");

    return value && *value;
}

#endif
