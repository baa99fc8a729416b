/* rest.h - which slabs stay empty under their cursors.
 * Job         A program whose few blocks of a size come and go empties the slab of that size again
 *             and again: the slab rests under its cursor, and nobody looks any more. How much may
 *             rest so is counted in slices: little, until slabs that were given back are missed;
 *             and little again when the heap shrinks.
 * Invariants  E1  every slab at rest has watch 0 and its class in `class`; a class there whose slab
 *                 has another watch, or is none, means nothing
 * Locking     the owner of the heap only.
 */
#ifndef MIDDEN_HEAP_REST_H
#define MIDDEN_HEAP_REST_H

#include "heap/class.h"

struct heap;
struct slab;

enum { REST_SMALL = SLICES_OF(KIB(16)) };        /* slices; larger slabs are spared by nobody */

struct rest {
    uint8_t  class[CLASS_COUNT];                 /* oldest first */
    uint8_t  count;
    uint16_t most;                               /* slices; beyond, the oldest goes */
    uint16_t ebb;                                /* slices given back since a slab was made */
    uint64_t missed[(CLASS_COUNT + 63) / 64];    /* by class: one was given back that had rested */
    uint64_t spare[(CLASS_COUNT + 63) / 64];     /* by class: an empty one is in the list */
    uint16_t spare_slices;                       /* of these */
};

INLINE bool rest_may_spare(const struct rest *rest, unsigned class)   /* one of the class */
{
    return rest->spare[class / 64] >> class % 64 & 1;
}

/* A word of the slab under the cursor of its class filled. */
void rest_look(struct heap *heap, struct slab *slab);
void rest_made(struct heap *heap, struct slab *slab);
void rest_given(struct heap *heap, size_t slices);
/* One in a list became empty; false: it goes. */
bool rest_spares(struct heap *heap, const struct slab *slab);
/* The cursor comes to one in the list, of a class of which one is spared. */
void rest_landed(struct heap *heap, const struct slab *slab);
void rest_spares_none(struct heap *heap);                       /* all that was empty has gone */
void rest_ends(struct heap *heap);  /* nothing is spared any more, until rest_spares_none */

#endif
