/* large.h - one block, one span.
 * Job         Blocks above CLASS_MAX_BYTES, or aligned to more than a slice, and others whose owner
 *             wants spans (managed/pool.c). Any thread may free one; growing tries to stay, then to
 *             move pages, and copies last.
 * Locking     the span lock, taken inside. A block is freed by whoever sets its bit first.
 */
#ifndef MIDDEN_HEAP_LARGE_H
#define MIDDEN_HEAP_LARGE_H

#include "base/fault.h"
#include "heap/slab.h"

/* 0: out of memory. `dense` asks for huge pages; blocks of 4 MiB do so by themselves. */
word            large_alloc(size_t bytes, size_t align, bool dense, bool *zero);
enum fault_kind large_free(struct slab *slab);                        /* of a block in use */
/* the block's new address, contents kept; 0: not to be had */
word            large_resize(struct slab *slab, size_t bytes);
void            large_drain(void);  /* spans freed by signal handlers that interrupted us */

#endif
