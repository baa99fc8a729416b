/* object.h - counted objects.
 * Job         The header in front of an object: handles, type, flags. Made, retained, released,
 *             ended, and what they own.
 * Invariants  B1  an object is a block of KIND_COUNTED; its first byte lies HEADER_BYTES behind the
 *                 block's
 *             B2  a count of zero belongs to the one thread that made it so, until the block is
 *                 free, or the count is not zero any more
 *             B3  `link` is that thread's then; at a stop it is the collector's in all others
 *             B4  the young bit of an object in use is set iff its generation is below OLDEST
 * Locking     The count is atomic. Flags change by atomic operations.
 */
#ifndef MIDDEN_MANAGED_OBJECT_H
#define MIDDEN_MANAGED_OBJECT_H

#include "base/fault.h"
#include "heap/heap.h"
#include "heap/trace.h"

#include <midden/gc.h>

enum { HEADER_BYTES = 16, YOUNGEST = 0, OLDEST = 2, FROZEN = 3 };

/* Bits of `word` above the address of the type. */
#define TYPE_MASK        (((uint64_t)1 << 48) - 1)
#define FLAG_GENERATION  ((uint64_t)3 << 48)
#define FLAG_FINALIZED   ((uint64_t)1 << 50)
#define FLAG_WEAK        ((uint64_t)1 << 51)     /* it has, or had, weak handles */
#define FLAG_CONDEMNED   ((uint64_t)1 << 52)     /* garbage of the collection that runs */
#define FLAG_SAVED       ((uint64_t)1 << 53)     /* garbage that was kept (SAVEALL) */
#define LINK_SHIFT       56                      /* the upper eight bits of a link */

struct header {
    uint32_t count;                              /* handles */
    uint32_t link;                               /* B3: another object, in units of 16 bytes */
    uint64_t word;                               /* type, flags, the link's upper bits */
};
_Static_assert(sizeof(struct header) == HEADER_BYTES, "objects stay aligned to 16");

INLINE struct header *object_header(word object)
{
    return (struct header *)(object - HEADER_BYTES);
}

INLINE word header_object(struct header *header)
{
    return (word)header + HEADER_BYTES;
}

INLINE const struct midden_type *header_type(const struct header *header)
{
    return (const struct midden_type *)(__atomic_load_n(&header->word, __ATOMIC_RELAXED) &
                                        TYPE_MASK);
}

INLINE uint64_t header_flags(const struct header *header)
{
    return __atomic_load_n(&header->word, __ATOMIC_RELAXED) & ~TYPE_MASK;
}

INLINE unsigned header_generation(const struct header *header)
{
    return (unsigned)(__atomic_load_n(&header->word, __ATOMIC_RELAXED) >> 48 & 3);
}

INLINE void header_raise(struct header *header, uint64_t flags)
{
    __atomic_fetch_or(&header->word, flags, __ATOMIC_RELAXED);
}

INLINE void header_lower(struct header *header, uint64_t flags)
{
    __atomic_fetch_and(&header->word, ~flags, __ATOMIC_RELAXED);
}

/* stopped, or before anybody knows it */
INLINE void header_age(struct header *header, unsigned generation)
{
    header->word = (header->word & ~FLAG_GENERATION) | (uint64_t)generation << 48;
}

INLINE uint32_t header_count(const struct header *header)
{
    return __atomic_load_n(&header->count, __ATOMIC_RELAXED);
}

/* A list through headers, by whoever may (B3). */
INLINE void header_link(struct header *header, struct header *next)
{
    uint64_t place = next != NULL ? (uint64_t)((word)next - cage.base) / 16 + 1 : 0;
    header->link = (uint32_t)place;
    header_lower(header, (uint64_t)0xff << LINK_SHIFT);
    header_raise(header, place >> 32 << LINK_SHIFT);
}

INLINE struct header *header_next(const struct header *header)
{
    uint64_t upper = __atomic_load_n(&header->word, __ATOMIC_RELAXED) >> LINK_SHIFT;
    uint64_t place = upper << 32 | header->link;
    return place != 0 ? (struct header *)(cage.base + (place - 1) * 16) : NULL;
}

/* A block in use, by the object's first byte; else why not. */
INLINE enum fault_kind object_find(word object, struct trace_block *block)
{
    word start = object - HEADER_BYTES;
    if (!cage_holds(start))
        return FAULT_NO_OBJECT;
    struct slab *slab = cage_slab(start);
    struct slab_place place = slab_place(slab, start);
    if (slab->kind != KIND_COUNTED || place.index >= slab->blocks || !place.start)
        return FAULT_NO_OBJECT;
    if (slab_is_free(slab, place.index))
        return FAULT_OBJECT_GONE;
    block->slab = slab;
    block->index = place.index;
    return FAULT_NONE;
}

/* NULL: out of memory. bytes: of the object, header not counted. */
void *object_make(const struct midden_type *type, size_t bytes);
enum fault_kind object_retain(word object);
enum fault_kind object_release(word object);
/* One handle more, unless it has none; false: it is ending. By a caller who knows that the block
 * stays. */
bool object_try_retain(struct header *header);

/* Every owned field, as its type tells. */
typedef void object_visit(word *field, void *arg);
void object_each_owned(word object, object_visit *visit, void *arg);
/* Their handles are released, and the fields cleared. */
void object_drop_owned(word object);

/* Finalizers and callbacks that run on this thread. */
extern __thread unsigned object_busy __attribute__((tls_model("initial-exec")));

/* What goes wrong in an owned field is told here, by whoever set it: a fault, the word found. */
extern void (*object_fault)(enum fault_kind kind, word pointer, const char *call);

#endif
