/* remote.h - frees that come from other threads.
 * Job         A bit in the slab's `remote` bitmap per free, set by one locked instruction whose old
 *             value tells a double free exactly. The first free of a round raises PENDING in the
 *             owner word and pushes the slab on its heap's stack; the owner absorbs whole words.
 * Invariants  R1  PENDING is up iff the slab is on its owner's stack, or on its way there
 *             R2  a freer sets its bit, then looks at the owner word; an owner clears PENDING, then
 *                 looks at the bits: both by locked instructions, so no free is left behind
 * Locking     none.
 */
#ifndef MIDDEN_HEAP_REMOTE_H
#define MIDDEN_HEAP_REMOTE_H

#include "heap/heap.h"

/* sets the bit and tells the owner */
enum fault_kind remote_free(struct slab *slab, size_t index);
/* owner only: moves bits from `remote` to `free` */
void            remote_absorb(struct heap *heap, struct slab *slab);
void            remote_drain(struct heap *heap);  /* owner only: absorbs every pending slab */
void            remote_push(struct heap *heap, struct slab *slab);  /* a slab whose PENDING is up */

#endif
