/* shared.h - blocks for callers without a heap of their own.
 * Job         A few heaps behind locks: for a signal handler that interrupted malloc or free, for a
 *             thread past its last destructor, for a thread that could get no heap. What they give
 *             out is freed like any other block. When even the locks below are the interrupted
 *             caller's own, a last resort gives from a small room, which is used again when all of
 *             it is back.
 * Locking     a lock a heap, tried in turn: nesting takes the next.
 */
#ifndef MIDDEN_HEAP_SHARED_H
#define MIDDEN_HEAP_SHARED_H

#include "heap/heap.h"

word   shared_alloc(unsigned class, bool *zero); /* 0: out of memory */
word   shared_last_resort(size_t bytes);         /* aligned to 16; 0: used up */
void   shared_last_resort_give(word pointer);
bool   shared_is_last_resort(word pointer);
size_t shared_last_resort_bytes(word pointer);   /* as asked for */
word   shared_last_resort_unused(word *end);     /* what of the room was not given out yet */
void   shared_fork_child(void);
void   shared_each(void (*visit)(struct heap *heap));                 /* without their locks */
void   shared_forget_pending(void);              /* whoever calls pushes all pending slabs again */

#endif
