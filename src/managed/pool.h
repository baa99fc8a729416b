/* pool.h - memory of the managed kinds.
 * Job         Blocks for objects from this thread's heaps, which are made at first use; how much
 *             was issued.
 * Invariants  P1  who has a heap here has one of malloc's, or never will: no signal handler gives
 *                 it another
 * Locking     none: a thread is alone with its heaps while it is inside.
 */
#ifndef MIDDEN_MANAGED_POOL_H
#define MIDDEN_MANAGED_POOL_H

#include "heap/heap.h"

/* The program keeps the malloc it would have without midden: no thread gets a heap of ours for it.
 * Set before the first object. */
extern bool pool_without_malloc;

/* This thread's heap of a kind, or NULL: none yet. */
INLINE struct heap *pool_heap(enum heap_kind kind)
{
    return thread.managed[kind - 1];
}

/* A block of a managed kind, not cleared; 0: out of memory, or called from a signal handler that
 * interrupted a call. *zero: it reads as zero. */
word     pool_take(enum heap_kind kind, size_t bytes, bool *zero);
/* The same for a caller who is inside already; bytes > 0. */
word     pool_take_inside(enum heap_kind kind, size_t bytes, bool *zero);
/* The same from the cursor alone; 0: take the long way. bytes <= CLASS_QUICK_MAX. */
INLINE word pool_take_quick(enum heap_kind kind, size_t bytes, size_t *block_bytes)
{
    struct heap *heap = pool_heap(kind);
    word outer = thread.heap;
    if (UNLIKELY(heap == NULL) || UNLIKELY((outer & HEAP_SHADE) == 0))
        return 0;
    heap_enter();
    struct cursor *cursor = heap_quick(heap, bytes);
    word block = cursor_take(heap, cursor);
    *block_bytes = cursor->block_bytes;
    heap_leave_as(outer);                        /* P1: no handler has given it another */
    return block;
}

/* To zero; multiples of 16. The compiler, left alone, calls memset. */
enum { POOL_CLEAR_HERE = 128 };
INLINE void pool_clear_here(word block, size_t bytes)
{
    typedef long long pair __attribute__((vector_size(16), may_alias));
    for (word end = block + bytes; block != end; block += sizeof(pair)) {
        *(pair *)block = (pair){ 0, 0 };
        __asm__("" : "+r"(block));
    }
}
void     pool_clear(word block, size_t bytes);

/* From here until pool_end_making a forked child takes the block for one that was never issued. */
INLINE void pool_begin_making(struct heap *heap, word block)
{
    __atomic_store_n(&heap->making, block, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

INLINE void pool_end_making(struct heap *heap)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&heap->making, 0, __ATOMIC_RELAXED);
}

void     pool_give(struct slab *slab, size_t index);                  /* a counted block */
/* bytes issued so far less bytes of objects that ended by their count, all threads, in the large */
uint64_t pool_volume(void);
uint64_t pool_fresh(void);                       /* made less gone, all threads */
void     pool_reset_fresh(void);                 /* stopped, or alone enough not to care */
void     pool_detach(void);                      /* this thread ends */
bool     pool_is_used(void);                     /* some thread has made a managed block */

#endif
