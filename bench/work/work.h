/* work.h - what a workload is given, what it gives back, and the tools all of them share.
 * Job         One program holds all workloads; whichever allocator is preloaded serves them. A
 *             workload does a fixed amount of work from fixed seeds, checks what it wrote into its
 *             blocks, and leaves a sum that is the same under every allocator.
 * Invariants  W1  `sum` depends on `rounds` alone
 *             W2  a workload frees what it allocates, and ends its threads
 */
#ifndef MIDDEN_BENCH_WORK_H
#define MIDDEN_BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct job {
    size_t rounds;              /* in: how much to do */
    unsigned idle_ms;           /* in: how long to wait before looking at memory left behind */
    uint64_t blocks;            /* out: how many blocks were allocated */
    uint64_t sum;               /* out: W1 */
    long rest_kib;              /* out: memory the workload is about; 0: it is about time */
};

struct work {
    const char *name;
    void (*run)(struct job *job);
    size_t rounds;              /* at full size */
    const char *about;
};

extern const struct work block_works[], structure_works[], number_works[], logic_works[],
    ray_works[], thread_works[], memory_works[];

/* Says why on stderr and exits with status 3: a result is wrong, so that no figure may come of
 * this run. */
_Noreturn void work_fail(const char *sentence);

/* Memory of this process as the kernel counts it, without a call of malloc: `field` is a line of
 * /proc/self/smaps_rollup or /proc/self/status, with its colon. KiB. */
long memory_rollup_kib(const char *field);
long memory_status_kib(const char *field);

/* -- numbers drawn ----------------------------------------------------------------------------- */

/* xorshift64* (S. Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
 * */
struct draw {
    uint64_t state;
};

static inline struct draw draw_from(uint64_t seed)
{
    return (struct draw){ seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du };
}

static inline uint32_t draw_next(struct draw *draw)
{
    draw->state ^= draw->state >> 12;
    draw->state ^= draw->state << 25;
    draw->state ^= draw->state >> 27;
    return (uint32_t)((draw->state * 0x2545f4914f6cdd1du) >> 32);
}

static inline uint32_t draw_below(struct draw *draw, uint32_t limit)
{
    return (uint32_t)(((uint64_t)draw_next(draw) * limit) >> 32);
}

/* 16 to 511 bytes, evenly. */
static inline size_t draw_small(struct draw *draw)
{
    return 16 + draw_below(draw, 496);
}

/* 16 bytes to 64 KiB: each doubling half as often as the one before, so that each holds as many
 * bytes. */
static inline size_t draw_mixed(struct draw *draw)
{
    unsigned doubling = (unsigned)__builtin_ctz(draw_next(draw) | 1u << 11);
    uint32_t least = 16u << doubling;
    return least + draw_below(draw, least);
}

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x100000001b3u + (sum >> 47);
}

/* -- blocks that know what is in them ---------------------------------------------------------- */

struct slot {
    uint64_t *block;            /* NULL: empty */
    uint32_t bytes;             /* at least 8 */
    uint32_t seal;              /* no two blocks filled by one thread have the same */
};

static __thread uint32_t slot_seal;

static inline void *take(size_t bytes)
{
    void *block = malloc(bytes);
    if (__builtin_expect(block == NULL, 0))
        work_fail("malloc returned NULL");
    return block;
}

static inline void *take_zeroed(size_t count, size_t bytes)
{
    void *block = calloc(count, bytes);
    if (__builtin_expect(block == NULL, 0))
        work_fail("calloc returned NULL");
    return block;
}

/* Every word of the block is written: a program that allocates memory uses it. */
static inline void slot_write(struct slot *slot)
{
    slot->seal = ++slot_seal;
    uint64_t first = (uint64_t)slot->seal << 32 | slot->bytes;
    for (size_t i = 0; i < slot->bytes / 8; i++)
        slot->block[i] = first + i;
}

static inline void slot_check(const struct slot *slot)
{
    uint64_t first = (uint64_t)slot->seal << 32 | slot->bytes;
    size_t last = slot->bytes / 8 - 1;
    if (slot->block[0] != first || slot->block[last / 2] != first + last / 2 ||
        slot->block[last] != first + last)
        work_fail("a block does not hold what was written into it");
}

static inline void slot_fill(struct slot *slot, size_t bytes)
{
    slot->block = take(bytes);
    slot->bytes = (uint32_t)bytes;
    slot_write(slot);
}

static inline void slot_empty(struct slot *slot)
{
    if (slot->block == NULL)
        return;
    slot_check(slot);
    free(slot->block);
    slot->block = NULL;
}

static inline void slots_empty(struct slot *slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slot_empty(&slots[i]);
}

#endif
