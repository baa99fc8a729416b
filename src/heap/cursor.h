/* cursor.h - where malloc takes the next block from.
 * Job         One per thread and class: a word of a slab's free bitmap, and the bit of it that goes
 *             out next, found ahead so that nobody waits for it.
 * Invariants  K1  on a slab, `index` is that of a block's bit in the word; the block is issued, and
 *                 the bit cleared, only if it is set then: so a free of a block that was never
 *                 issued is seen
 *             K2  a slab's watch is 0 only while a cursor is on it, and either it rests there
 *                 (rest.h) or so many of its words filled that looking does not pay: then it may
 *                 run empty and fill again unseen
 *             K3  a cursor of zeros aims nowhere: its word is its own `none`, in which no bit is
 *                 ever set
 * Locking     the owner of the heap only.
 */
#ifndef MIDDEN_HEAP_CURSOR_H
#define MIDDEN_HEAP_CURSOR_H

#include "heap/slab.h"

struct cursor {
    uint64_t     none;                           /* 0 (K3) */
    word         bits;  /* where the word of the slab's free bitmap lies, counted from here */
    uint64_t     index;                          /* of the bit that goes out next */
    uint64_t     last;  /* the bit of the word's last block: those above are padding */
    word         first;                          /* address of the block of bit 0 of that word */
    uint64_t     block_bytes;
    struct slab *slab;                           /* NULL: on no slab */
    size_t       at;                             /* which word of the slab */
} ALIGNED(64);

INLINE uint64_t *cursor_bits(struct cursor *cursor)
{
    return (uint64_t *)((word)cursor + cursor->bits);
}

INLINE uint64_t *cursor_bits_anew(struct cursor *cursor)         /* the same, by word_anew */
{
    return (uint64_t *)((word)cursor + word_anew(cursor->bits));
}

/* The free blocks of the word. */
INLINE uint64_t cursor_left(struct cursor *cursor)
{
    return *cursor_bits(cursor) & (cursor->last | (cursor->last - 1));
}

/* The lowest bit that is up, or the last that may be: whoever wants the block sees whether it is.
 * Padding lies above it. */
INLINE void cursor_aim(struct cursor *cursor, uint64_t left)
{
    cursor->index = bit_lowest_wide(left | cursor->last);
}

/* The block that goes out next, and what its word is without it; 0: the word has run dry, or there
 * is none. */
INLINE word cursor_next(struct cursor *cursor, uint64_t *left)
{
    *left = *cursor_bits(cursor);
    if (UNLIKELY(!bit_clear_was(left, cursor->index)))
        return 0;
    word block = cursor->first + cursor->index * cursor->block_bytes;
    if (block == 0)
        __builtin_unreachable();                 /* so that nobody asks again */
    return block;
}

/* Issues it, and finds the one after it. */
INLINE void cursor_move(struct cursor *cursor, uint64_t left)
{
    __atomic_store_n(cursor_bits_anew(cursor), left, __ATOMIC_RELAXED);
    cursor_aim(cursor, left);
}

/* Both; 0: as cursor_next. */
INLINE word cursor_take(struct cursor *cursor)
{
    uint64_t left;
    word block = cursor_next(cursor, &left);
    if (LIKELY(block != 0))
        cursor_move(cursor, left);
    return block;
}

/* Whether there is one. */
INLINE bool cursor_aims(struct cursor *cursor)
{
    uint64_t left;
    return cursor_next(cursor, &left) != 0;
}

#endif
