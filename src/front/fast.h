/* fast.h - malloc and free, the common case of each on one screen.
 * Job         What malloc, free and the C++ operators do when nothing is special. Everything else
 *             answers 0 or false and goes the long way (front.c).
 * Locking     none: a thread is alone with its heap between heap_enter and heap_leave. `inside` set
 *             on entry means a signal handler interrupted a call of this thread: everything then
 *             goes the long way, which leaves the interrupted heap alone.
 */
#ifndef MIDDEN_FRONT_FAST_H
#define MIDDEN_FRONT_FAST_H

#include "front/front.h"

/* A block from the cursor of its class; 0: go the long way. */
INLINE word fast_malloc(size_t bytes)
{
    struct heap *heap = thread.heap;
    if (UNLIKELY(bytes > CLASS_QUICK_MAX) || UNLIKELY(thread.inside))
        return 0;
    heap_enter();
    word block = cursor_take(&heap->cursor[class_of_quick(bytes)]);
    heap_leave();
    return block;
}

/* Gives a block back to a slab of this thread, if `claimed` bytes fit in it; false: go the long
 * way. */
INLINE bool fast_free(word block, size_t claimed)
{
    if (UNLIKELY(!cage_holds(block)) || UNLIKELY(thread.inside))
        return false;
    struct slab *slab = cage_slab(block);
    heap_enter();                                /* a handler before the look may change owners */
    if (UNLIKELY(__atomic_load_n(&slab->owner, __ATOMIC_RELAXED) != (word)thread.heap)) {
        heap_leave();
        return false;                            /* another thread's, full, large, ... */
    }
    struct slab_place place = slab_place(slab, block);
    uint64_t *bits = &slab->free[place.index >> 6], after = *bits;
    if (UNLIKELY(!place.start) || UNLIKELY(bit_set_was(&after, place.index)) ||
        UNLIKELY(claimed > 1 && claimed > slab->block_bytes)) {
        heap_leave();
        return false;  /* no block's start, a double free, a lie: told there */
    }
    __atomic_store_n(bits, after, __ATOMIC_RELAXED);
    heap_leave();
    if (UNLIKELY(after == slab->watch))
        front_full_word(slab);
    return true;
}

#endif
