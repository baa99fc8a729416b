/* meta.h - memory for midden's own descriptors.
 * Job         Zeroed pieces of a few cache lines, in their own reservation. A piece given back is
 *             kept for the next of its size; the memory is never unmapped and never changes its
 *             use, so a stale pointer to a descriptor is always safe to read.
 * Locking     the meta lock, taken inside.
 */
#ifndef MIDDEN_HEAP_META_H
#define MIDDEN_HEAP_META_H

#include "base/base.h"
#include "os/os.h"

enum { META_UNIT = 64 };

/* zeroed, aligned to META_UNIT; NULL: none, or a signal interrupted us */
void  *meta_take(size_t bytes);
/* the same to a multiple of `align`, a power of two not below META_UNIT */
void  *meta_take_aligned(size_t bytes, size_t align);
void   meta_give(void *piece, size_t bytes);
size_t meta_reach(void);                         /* bytes committed */
size_t meta_slices(void);                        /* of the cage that have become ours */
extern struct lock meta_lock;

#endif
