/* cursor.h - where malloc takes the next block from.
 * Job         One per thread and class: a word of a slab's free bitmap, and the block of it that
 *             goes out next, worked out ahead so that nobody waits for it.
 * Invariants  K1  next == 0, or next is a block of the word and its bit is set there: it is cleared
 *                 only when the block is issued, so a free of a block that was never issued is seen
 *             K2  a slab's watch is 0 only while a cursor is on it, and either it rests there
 *                 (rest.h) or so many of its words filled that looking does not pay: then it may
 *                 run empty and fill again unseen
 * Locking     the owner of the heap only.
 */
#ifndef MIDDEN_HEAP_CURSOR_H
#define MIDDEN_HEAP_CURSOR_H

#include "heap/slab.h"

struct cursor {
    word         next;                           /* the next block; 0: none worked out */
    uint64_t     index;                          /* of its bit in *bits */
    uint64_t    *bits;                           /* the word of the slab's free bitmap we are on */
    word         first;                          /* address of the block of bit 0 of that word */
    uint64_t     block_bytes;
    struct slab *slab;                           /* NULL: on no slab */
    size_t       at;                             /* which word of the slab */
    uint64_t     valid;  /* the bits of the word that are blocks, not padding */
} ALIGNED(64);

INLINE void cursor_aim(struct cursor *cursor, uint64_t left)
{
    word next = 0;
    left &= cursor->valid;
    if (LIKELY(left != 0)) {
        cursor->index = bit_lowest_wide(left);
        next = cursor->first + cursor->index * cursor->block_bytes;
    }
    cursor->next = next;
}

/* Issues the next block and works out the one after it; 0: the word has run dry, or there is
 * none. */
INLINE word cursor_take(struct cursor *cursor)
{
    word block = cursor->next;
    if (UNLIKELY(block == 0))
        return 0;
    uint64_t left = bit_cleared(*cursor->bits, cursor->index);
    __atomic_store_n(cursor->bits, left, __ATOMIC_RELAXED);
    cursor_aim(cursor, left);
    return block;
}

#endif
