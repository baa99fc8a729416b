/* cursor.h - where malloc takes the next block from.
 * Job         One per thread and class: a word of a slab's free bitmap, and the bit of it that goes
 *             out next, found ahead so that nobody waits for it.
 * Invariants  K1  on a slab, `index` is that of a block's bit in the word; the block is issued, and
 *                 the bit cleared, only if it is set then: so a free of a block that was never
 *                 issued is seen
 *             K2  a slab's watch is 0 only while a cursor is on it, and either it rests there
 *                 (rest.h) or so many of its words filled that looking does not pay: then it may
 *                 run empty and fill again unseen
 *             K3  a cursor of zeros aims nowhere: its word is the first of its heap, in which no
 *                 bit is ever set
 *             K4  every word in `ahead` has a free block: nobody but the cursor takes any
 * Locking     the owner of the heap only.
 */
#ifndef MIDDEN_HEAP_CURSOR_H
#define MIDDEN_HEAP_CURSOR_H

#include "heap/slab.h"

struct cursor {
    word     bits;  /* where the word of the slab's free bitmap lies, counted from the heap */
    uint64_t index;                              /* of the bit that goes out next */
    uint64_t last;  /* the bit of the word's last block: those above are padding */
    word     first;                              /* address of the block of bit 0 of that word */
    uint64_t block_bytes;
    struct slab *slab;                           /* NULL: on no slab */
    uint64_t ahead;  /* words of the slab that had free blocks at the last look, and come next */
    uint32_t at;                                 /* which word of the slab */
    uint32_t looks;                              /* whether it may rest, in vain (rest.h) */
} ALIGNED(64);

INLINE uint64_t *cursor_bits(const void *heap, const struct cursor *cursor)
{
    return (uint64_t *)((word)heap + cursor->bits);
}

/* The free blocks of the word. */
INLINE uint64_t cursor_left(const void *heap, const struct cursor *cursor)
{
    return *cursor_bits(heap, cursor) & (cursor->last | (cursor->last - 1));
}

/* The lowest bit that is up, or the last that may be: whoever wants the block sees whether it is.
 * Padding lies above it. */
INLINE void cursor_aim(struct cursor *cursor, uint64_t left)
{
    cursor->index = bit_lowest_wide(left | cursor->last);
}

/* The block that goes out next, and what its word is without it; 0: the word has run dry, or there
 * is none. */
INLINE word cursor_next(const void *heap, const struct cursor *cursor, uint64_t *left)
{
    *left = *cursor_bits(heap, cursor);
    if (UNLIKELY(!bit_clear_was(left, cursor->index)))
        return 0;
    word block = cursor->first + cursor->index * cursor->block_bytes;
    if (block == 0)
        __builtin_unreachable();                 /* so that nobody asks again */
    return block;
}

/* Issues it, and finds the one after it. */
INLINE void cursor_move(const void *heap, struct cursor *cursor, uint64_t left)
{
    __atomic_store_n(cursor_bits(heap, cursor), left, __ATOMIC_RELAXED);
    cursor_aim(cursor, left);
}

/* Both; 0: as cursor_next. */
INLINE word cursor_take(const void *heap, struct cursor *cursor)
{
    uint64_t left;
    word block = cursor_next(heap, cursor, &left);
    if (LIKELY(block != 0))
        cursor_move(heap, cursor, left);
    return block;
}

/* That of the lowest bit, on a word just come to that has one. */
INLINE word cursor_take_lowest(const void *heap, struct cursor *cursor)
{
    uint64_t left = *cursor_bits(heap, cursor), index = bit_lowest_wide(left);
    cursor_move(heap, cursor, left & (left - 1));
    return cursor->first + index * cursor->block_bytes;
}

/* The same for the fast path: the cursor lies `at` bytes into the heap. Both are added anew in
 * each access, where it costs nothing; the compiler, left alone, adds them once before. */
INLINE word cursor_take_at(word *heap, size_t at)
{
#define FIELD(name) ((struct cursor *)((*heap = word_anew(*heap)) + at))->name
    word bits = FIELD(bits);
    uint64_t index = FIELD(index), left = *(uint64_t *)(*heap + bits);
    if (UNLIKELY(!bit_clear_was(&left, index)))
        return 0;
    word block = index * FIELD(block_bytes);
    block += FIELD(first);
    if (block == 0)
        __builtin_unreachable();
    __atomic_store_n((uint64_t *)(*heap + word_anew(bits)), left, __ATOMIC_RELAXED);
    left |= FIELD(last);
    FIELD(index) = bit_lowest_wide(left);
#undef FIELD
    return block;
}

/* Whether there is one. */
INLINE bool cursor_aims(const void *heap, const struct cursor *cursor)
{
    uint64_t left;
    return cursor_next(heap, cursor, &left) != 0;
}

#endif
