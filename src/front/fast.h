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
    if (UNLIKELY(bytes > CLASS_QUICK_MAX) || UNLIKELY(heap_enter_was()))
        return 0;
    word block = cursor_take(heap_quick(heap, bytes));
    heap_leave();
    return block;
}

/* Gives a block back to a slab of this thread, if `claimed` bytes fit in it; false: go the long
 * way. */
INLINE bool fast_free(word block, size_t claimed)
{
    word offset = block - cage.base;
    if (UNLIKELY(offset >= cage_reach()) || UNLIKELY(heap_enter_was()))
        return false;
    struct slab *slab = cage_slab_at(offset);    /* not before: a handler may change owners */
    if (UNLIKELY(__atomic_load_n(&slab->owner, __ATOMIC_RELAXED) != (word)thread.heap))
        goto look_closer;
    struct slab_place place = slab_place(slab, block);
    if (UNLIKELY(!place.start))
        goto look_closer;
    uint64_t after = slab->free[place.at];
    if (UNLIKELY(bit_set_was(&after, place.bit)) ||
        UNLIKELY(claimed > 1 && claimed > slab->block_bytes))
        goto look_closer;
    __atomic_store_n(slab_bits_anew(slab, place.at), after, __ATOMIC_RELAXED);
    heap_leave();
    if (UNLIKELY(after == slab->watch))
        front_full_word(block);
    return true;
look_closer:  /* another thread's, full, large; no block's start, a double free, a lie */
    heap_leave();
    return false;
}

/* The slab of a block in use, if it is this thread's; NULL: look closer. Nothing is changed, so a
 * handler may come between. */
INLINE struct slab *fast_slab(word block)
{
    if (UNLIKELY(!cage_holds(block)))
        return NULL;
    struct slab *slab = cage_slab(block);
    if (UNLIKELY(__atomic_load_n(&slab->owner, __ATOMIC_RELAXED) != (word)thread.heap))
        return NULL;
    struct slab_place place = slab_place(slab, block);
    uint64_t bits = __atomic_load_n(slab_bits_anew(slab, place.at), __ATOMIC_RELAXED);
    return place.start && !bit_set_was(&bits, place.bit) ? slab : NULL;
}

#endif
