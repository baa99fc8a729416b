/* collect.h - what a program of bench/collect is given, and the one place that knows the collector.
 * Job         Programs written once and compiled twice: against midden, and with USE_BDWGC against
 *             bdwgc. Each does a fixed amount of work from fixed seeds and gives nothing back:
 *             what it drops, the collector finds. It leaves a sum that is the same under both.
 * Invariants  B1  `sum` depends on `size` alone: not on addresses, not on when a collection ran
 *             B2  what a program has at its end is reached from `roots`, which lie in static data:
 *                 the explicit collections that follow mark it
 */
#ifndef MIDDEN_BENCH_COLLECT_H
#define MIDDEN_BENCH_COLLECT_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct job {
    size_t   size;                               /* in: how much to do */
    uint64_t sum;                                /* out: B1 */
    void    *roots[2];                           /* out: B2 */
};

struct program {
    const char *name;
    void      (*run)(struct job *job);
    size_t      size;                            /* at full size */
    const char *about;
};

extern const struct program tree_programs[], graph_programs[], chain_programs[], flat_programs[];

/* Says why on stderr and exits with status 3: no figure may come of this run. */
_Noreturn void collect_fail(const char *sentence);

/* -- the collector ----------------------------------------------------------------------------- */

#ifdef USE_BDWGC
#include <gc.h>
#define OBJECT_NEW(bytes) GC_MALLOC(bytes)
#define LEAF_NEW(bytes)   GC_MALLOC_ATOMIC(bytes)
#else
#include <midden/gc.h>
#define OBJECT_NEW(bytes) midden_alloc(bytes)
#define LEAF_NEW(bytes)   midden_alloc_leaf(bytes)
#endif

static inline void *object_new(size_t bytes)     /* zeroed; any word of it may be a pointer */
{
    void *object = OBJECT_NEW(bytes);
    if (__builtin_expect(object == NULL, 0))
        collect_fail("out of memory");
    return object;
}

static inline void *leaf_new(size_t bytes)       /* not zeroed, never looked into */
{
    void *object = LEAF_NEW(bytes);
    if (__builtin_expect(object == NULL, 0))
        collect_fail("out of memory");
    return object;
}

/* One collection, as its caller and as the world saw it. */
struct pause {
    uint64_t stopped_ns;                         /* other threads would have stood that long */
    uint64_t whole_ns;                           /* the collecting thread was held up that long */
};

void     collector_start(void);                  /* before the first object */
void     collector_full(void);
size_t   collector_pauses(const struct pause **pauses);               /* of all up to now */
uint64_t now_ns(void);

/* -- numbers drawn ----------------------------------------------------------------------------- */

/* xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016) */
struct draw {
    uint64_t state;
};

static inline uint32_t draw_next(struct draw *draw)
{
    draw->state ^= draw->state >> 12;
    draw->state ^= draw->state << 25;
    draw->state ^= draw->state >> 27;
    return (uint32_t)((draw->state * 0x2545f4914f6cdd1du) >> 32);
}

static inline uint32_t draw_below(struct draw *draw, size_t limit)    /* limit < 2^32 */
{
    return (uint32_t)(((uint64_t)draw_next(draw) * limit) >> 32);
}

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x100000001b3u + (sum >> 47);
}

#endif
