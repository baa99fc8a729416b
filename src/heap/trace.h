/* trace.h - the corridor for a collector: from a word to a mark, and over slabs by words.
 * Job         A mark bit for every block, and a young bit for every counted one, at addresses that
 *             follow from the block's; what a stopped world allows to change in the heap.
 * Invariants  T1  the bits of a slab's blocks begin at its base's place in the table, in the order
 *                 of `free`
 *             T2  between two collections every mark is clear; or, while they stand, those of
 *                 uncounted blocks say which were there at the last one, and those of manual ones
 *                 nothing that is wrong: see minor.h. Where no slab is, bits may be left of one
 *                 that was: the next one there begins with trace_forget
 *             T3  a young bit may be set for a block that was freed; it says nothing then
 * Locking     Marks are the collector's. A young bit is written by the owner of its slab, or while
 *             the world is stopped. What is said to need a stopped world: no other thread runs, and
 *             none is inside.
 */
#ifndef MIDDEN_HEAP_TRACE_H
#define MIDDEN_HEAP_TRACE_H

#include "heap/slab.h"

enum { TRACE_SHIFT = 7 };                        /* a bit for 16 bytes, so a byte for 128 */

struct trace {
    word     marks, young, frozen;               /* the tables; 0: never asked for */
    word     before;                             /* marks of the last sweep that compared */
    uint8_t *has_young;                          /* by slice of a slab's base: enum trace_young */
    uint8_t *spilled;                            /* the same: marked blocks wait to be scanned */
    size_t   reach;                              /* of the cage, covered by the tables */
    uint32_t kinds;                              /* that a heap was made for, a bit each */
    bool     any_frozen;                         /* uncounted blocks that are never swept */
    bool     stand;                              /* marks of the last collection: T2 */
    bool     compared;                           /* `before` is of the last full collection */
};
extern struct trace trace;

enum trace_young { TRACE_NEWEST = 1, TRACE_MIDDLE = 2 };             /* bits of has_young */

/* A block in use, and where its mark is. */
struct trace_block {
    struct slab *slab;
    size_t       index;
    uint64_t    *mark, bit;
};

bool trace_cover(void);  /* the tables reach as far as the cage; false: out of memory */
struct trace_range {
    word lo, hi;
};
struct trace_range trace_range(void);            /* where the tables lie */
struct trace_range trace_unused(void);           /* statics of ours that hold nothing: 256 KiB */

INLINE uint64_t *trace_marks(const struct slab *slab)
{
    return (uint64_t *)(trace.marks + ((slab->base - cage.base) >> TRACE_SHIFT));
}

INLINE uint64_t *trace_young(const struct slab *slab)
{
    return (uint64_t *)(trace.young + ((slab->base - cage.base) >> TRACE_SHIFT));
}

INLINE uint64_t *trace_frozen(const struct slab *slab)
{
    return (uint64_t *)(trace.frozen + ((slab->base - cage.base) >> TRACE_SHIFT));
}

/* Of what was there at the last collection, in use or not. */
INLINE uint64_t trace_old(const struct slab *slab, size_t at)
{
    return trace_marks(slab)[at] | (trace.any_frozen ? trace_frozen(slab)[at] : 0);
}

INLINE word trace_start(const struct trace_block *block)
{
    return slab_block(block->slab, block->index);
}

/* Where a block would be, in use or not. Slabs of nobody have no blocks. */
INLINE bool trace_place_at(word offset, struct trace_block *block)
{
    struct slab *slab = cage_slab_at(offset);
    word within = offset + cage.base - slab->base;
    struct slab_place place = slab_place(slab, offset + cage.base);
    if (place.index >= slab->blocks)
        return false;
    if (UNLIKELY(within >= slab->block_bytes && slab->class == CLASS_COUNT))
        return false;                            /* behind the one block of its span */
    block->slab = slab;
    block->index = place.index;
    block->mark = trace_marks(slab) + place.at;
    block->bit = (uint64_t)1 << (place.bit & 63);
    return true;
}

/* By `free` alone: exact in a stopped world, once trace_settle was called. */
INLINE bool trace_is_taken(const struct trace_block *block)
{
    return (block->slab->free[block->index / 64] & block->bit) == 0;
}

INLINE bool trace_find(word address, struct trace_block *block)
{
    return cage_holds(address) && trace_place_at(address - cage.base, block) &&
           trace_is_taken(block);
}

INLINE bool trace_is_marked(const struct trace_block *block)
{
    return (__atomic_load_n(block->mark, __ATOMIC_RELAXED) & block->bit) != 0;
}

INLINE uint64_t trace_taken(const struct slab *slab, size_t at)   /* blocks of a word in use */
{
    return ~slab->free[at];                      /* padding is set (S3) */
}

/* A heap of that kind, or an arena, is about to be. */
INLINE void trace_expect(unsigned kind)
{
    if ((__atomic_load_n(&trace.kinds, __ATOMIC_RELAXED) >> kind & 1) == 0)
        __atomic_fetch_or(&trace.kinds, 1u << kind, __ATOMIC_RELAXED);
}

/* The slabs of the kinds asked for (a bit each), in order of address: from *slice upwards, which is
 * moved behind. NULL: no more. */
struct slab *trace_next(size_t *slice, unsigned kinds);

/* The same of slabs that has_young says something of. */
struct slab *trace_next_young(size_t *slice);

/* For a stopped world. */
void trace_settle(void);                         /* absorbs every free that was under way */
struct trace_swept {
    size_t dead, dead_bytes, live, live_bytes;   /* of the uncounted kinds */
    size_t leaf_bytes;                           /* of them, live and never looked into */
    size_t slabs;                                /* that were empty */
    size_t old, old_dead;                        /* marked by the last that compared; dead now */
};
enum {
    TRACE_RETURN = 1,                            /* slabs that have become empty now go, too */
    TRACE_STAND = 2,                             /* marks stand, but those of counted blocks */
    TRACE_COMPARE = 4,                           /* with the marks of the last full collection */
};
/* Frees what is not marked of the uncounted kinds, and clears all marks. Slabs that nothing was
 * issued from since the last sweep are taken out of their heaps and wait. */
void trace_sweep(unsigned flags, struct trace_swept *swept);
void trace_clear(void);                          /* all marks, and nothing is freed */
void trace_forget(const struct slab *slab);      /* a fresh one: marks of what lay there before */

void trace_validate(void);                       /* T2 */

/* Afterwards, inside: what waits goes back to the cage. */
void trace_give_back(void);

#endif
