/* cage.h - the one address range every block lies in.
 * Job         Reserve it, commit it upwards, and answer "is this word ours?" by one subtraction and
 *             one comparison. Leads from a word to the slab that holds it.
 * Invariants  G1  base and reach only ever grow from zero, and base is set once: all-zero means
 *             "owns nothing"
 *             G2  every slice below reach has an entry in slab_of: its slab, or slab_none, which
 *                 owns nothing
 *             G3  the slices of a zone below its reach are readable and writable; what lies between
 *                 the zones' reaches belongs to nobody and leads to slab_none
 * Locking     Grown under the span lock; read without one (reach is published after the entries it
 *             covers).
 */
#ifndef MIDDEN_HEAP_CAGE_H
#define MIDDEN_HEAP_CAGE_H

#include "base/base.h"
#include "heap/class.h"
#include "heap/runs.h"
#include "heap/seams.h"
#include "os/os.h"

struct slab;

/* Sparse: small pages, each touched only when it is needed. Dense: huge pages, for what fills them.
 * The sparse zone has a fixed room at the bottom; the dense one begins behind it. */
enum cage_zone_name { ZONE_SPARSE, ZONE_DENSE, ZONE_COUNT };
struct cage_zone {
    size_t first, reach, end;                    /* slices */
};

struct cage {
    word          base;                          /* first byte; a multiple of SLICE_BYTES */
    size_t        reach;                         /* bytes from base upwards that hold all zones */
    struct slab **slab_of;                       /* by slice */
    size_t        bytes;                         /* reserved or planned */
    struct cage_zone zone[ZONE_COUNT];
    bool          planned;  /* nothing is reserved (RLIMIT_AS): claimed piece by piece */
    struct os_facts facts;
};
extern struct cage cage HIDDEN;

bool   cage_init(void);  /* once, under the roster lock; false: not even a small one is to be had */
/* slices gained, at least so many; 0: refused */
size_t cage_grow(enum cage_zone_name zone, size_t slices);
/* unmaps the topmost, where nothing is reserved */
void   cage_shrink(enum cage_zone_name zone, size_t slices);
bool   cage_commit(word at, size_t bytes);       /* pages of our own tables */
void   cage_trim(void);  /* give back what is not reached yet, under the span and meta locks */
/* whether a limit on address space leaves room for what is reserved */
bool   cage_fits(size_t limit_bytes);

/* A plain read: reach only grows, and whoever holds an address got it after the growth that covers
 * it. */
INLINE word cage_reach(void)
{
#ifdef __SANITIZE_THREAD__
    return __atomic_load_n(&cage.reach, __ATOMIC_RELAXED);
#else
    return cage.reach;
#endif
}

INLINE bool cage_holds(word address)
{
    return address - cage.base < cage_reach();
}

INLINE size_t cage_slice(word address)           /* of an address the cage holds */
{
    return (address - cage.base) >> SLICE_SHIFT;
}

INLINE struct slab *cage_slab_at(size_t offset)  /* from base */
{
    return __atomic_load_n(&cage.slab_of[offset >> SLICE_SHIFT], __ATOMIC_RELAXED);
}

INLINE struct slab *cage_slab(word address)
{
    return cage_slab_at(address - cage.base);
}

INLINE size_t cage_committed(void)               /* bytes, of both zones */
{
    const struct cage_zone *sparse = &cage.zone[ZONE_SPARSE], *dense = &cage.zone[ZONE_DENSE];
    return (sparse->reach - sparse->first + dense->reach - dense->first) << SLICE_SHIFT;
}

INLINE word cage_address(size_t slice)
{
    return cage.base + (slice << SLICE_SHIFT);
}

/* The address ranges that are the cage and our own tables, [lo, hi) each; how many. */
enum { CAGE_RANGES = 10 };
unsigned cage_ranges(word ranges[CAGE_RANGES][2]);
bool cage_is_bookkeeping(word address);          /* does it lie in our own tables? */

/* Our own tables: filled by meta.c and span.c, which own them. */
struct cage_tables {
    word   side, meta;                           /* side: slab_of, the span bitmaps, their bounds */
    size_t side_bytes, meta_bytes;
    struct runs  available, dirty;               /* in side */
    struct seams seams;
};
extern struct cage_tables cage_tables;

#endif
