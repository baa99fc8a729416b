/* fast.h - malloc and free, the common case of each on one screen.
 * Job         What malloc, free and the C++ operators do when nothing is special. Everything else
 *             answers 0 or false and goes the long way (front.c).
 * Locking     none: a thread is alone with its heap from heap_enter to heap_leave. A signal handler
 *             that interrupted a call of this thread finds the heap in the shade (heap.h): no block
 *             there, no slab that it owns. So it goes the long way, which leaves that heap alone.
 */
#ifndef MIDDEN_FRONT_FAST_H
#define MIDDEN_FRONT_FAST_H

#include "front/front.h"

/* A block from the cursor that lies `at` bytes into the heap, as heap_quick_at has it; 0: go the
 * long way. */
INLINE word fast_malloc(size_t at)
{
    word heap = thread.heap;
    heap_enter();
    word block = cursor_take_at(&heap, at);
    if (LIKELY(block != 0))
        heap_leave_as(heap);
    else
        heap_leave_like(heap);
    return block;
}

/* The same when that cursor had none: its word ran dry, most often. */
INLINE word fast_dry(size_t at)
{
    struct heap *heap = heap_mine();
    if (heap_is_inside() || __atomic_load_n(&heap->pending, __ATOMIC_RELAXED) != NULL)
        return 0;
    heap_enter();
    word block = heap_alloc_here(heap, heap_class_at(at));
    heap_leave();
    return block;
}

/* Where the cursor of aligned blocks lies; 0: they are no quick ones. A quick class that holds a
 * multiple of `align`, a power of two, consists of multiples of it: the steps between classes are
 * powers of two, and slabs begin at a slice. */
INLINE size_t fast_aligned_at(size_t align, size_t bytes)
{
    if (UNLIKELY(align > CLASS_QUICK_MAX) || UNLIKELY(bytes - 1 >= CLASS_QUICK_MAX))
        return 0;
    return heap_quick_at[(bytes + align - 1) & -align];
}

/* fast_malloc above the quick blocks, whose cursors have no place in the shade: so it is asked
 * whether the thread is inside. 0: go the long way. */
INLINE word fast_medium(size_t bytes)
{
    word heap = thread.heap;
    if (UNLIKELY(bytes > CLASS_MAX_BYTES) || UNLIKELY((heap & HEAP_SHADE) == 0))
        return 0;
    size_t at = heap_cursor_at(class_of_medium(bytes));
    heap_enter();
    word block = cursor_take_at(&heap, at);
    if (UNLIKELY(block == 0)) {
        heap_leave_like(heap);
        return fast_dry(at);
    }
    (void)heap_is_virgin((struct cursor *)(heap + at), block);
    heap_leave_as(heap);
    return block;
}

/* Gives a block back to a slab of this thread, if `claimed` bytes fit in it; false: go the long
 * way. */
INLINE bool fast_free(word block, size_t claimed)
{
    word offset = block - cage.base;
    if (UNLIKELY(offset >= cage_reach()))
        return false;
    word heap = thread.heap;
    heap_enter();
    struct slab *slab = cage_slab_at(offset);    /* not before: a handler may change owners */
    if (UNLIKELY(!slab_is_of(slab, heap)))
        goto look_closer;
    struct slab_place place = slab_place(slab, block);
    if (UNLIKELY(!place.start))
        goto look_closer;
    uint64_t after = slab->free[place.at];
    if (UNLIKELY(bit_set_was(&after, place.bit)) ||
        UNLIKELY(claimed > 1 && claimed > slab->block_bytes))
        goto look_closer;
    __atomic_store_n(slab_bits_anew(slab, place.at), after, __ATOMIC_RELAXED);
    heap_leave_as(heap);
    if (UNLIKELY(after == slab->watch))
        front_full_word(block);
    return true;
look_closer:  /* in the shade; not ours, full, large; no start of a block, a double free, a lie */
    heap_leave_like(heap);
    return false;
}

/* The same for a slab of this thread that is full: it has a free block from here on. */
INLINE bool fast_free_into_full(word block)
{
    word offset = block - cage.base;
    struct heap *heap = heap_mine();
    if (UNLIKELY(offset >= cage_reach()) || UNLIKELY(heap_is_inside()))
        return false;
    heap_enter();
    struct slab *slab = cage_slab_at(offset);
    bool done = slab_is_of(slab, (word)heap | OWNER_FULL) &&
                heap_free_into_full(heap, slab, block);
    heap_leave();
    return done;
}

/* The slab of a block in use, if it is this thread's; NULL: look closer. Nothing is changed, so a
 * handler may come between. A full one is its own as long as nobody has freed into it. */
INLINE struct slab *fast_slab(word block)
{
    if (UNLIKELY(!cage_holds(block)))
        return NULL;
    struct slab *slab = cage_slab(block);
    if (UNLIKELY(!slab_is_of_or_full(slab, thread.heap)))
        return NULL;
    struct slab_place place = slab_place(slab, block);
    uint64_t bits = __atomic_load_n(slab_bits_anew(slab, place.at), __ATOMIC_RELAXED);
    return place.start && !bit_set_was(&bits, place.bit) ? slab : NULL;
}

#endif
