/* slab.h - equal blocks cut from one span, and their bitmaps.
 * Job         The descriptor of a span in use: a slab of small blocks, or a large block, which is a
 *             slab of one block. Knows blocks and bits; not threads.
 * Invariants  S1  a block is free iff its bit in `free` or its bit in `remote` is set: never
 *             neither; both only while
 *                 its owner absorbs
 *             S2  block i starts at base + i * block_bytes, for i < blocks
 *             S3  bits at or above `blocks`, to the end of the last word and one word more, are
 *                 always set in `free` (what they stand for cannot be freed) and always clear in
 *                 `remote`
 *             S4  only the owner writes `free`, by plain stores; anyone may set a bit in `remote`;
 *                 only the owner clears it, after it has set `free`
 * Locking     The owner word says who the owner is: a heap, and flags. Anyone may change it by
 *             compare-and-swap from a value that lets him (see the flags).
 */
#ifndef MIDDEN_HEAP_SLAB_H
#define MIDDEN_HEAP_SLAB_H

#include "heap/cage.h"
#include "heap/class.h"
#include "heap/meta.h"

struct heap;

/* What a slab's blocks are; a property of the slab, never of the block. */
enum heap_kind {
    KIND_MANUAL,                                 /* malloc's */
    KIND_COUNTED,                                /* managed objects with handles */
    KIND_TRACED,                                 /* managed objects that words keep */
    KIND_LEAF,                                   /* the same, and never looked into */
    KIND_COUNT,
    KIND_ARENA = KIND_COUNT,                     /* no heap's: a span of a named arena */
};

/* Flags in the low bits of the owner word. A local free compares the whole word, so any flag sends
 * it the long way. */
enum {
    OWNER_FULL    = 1,  /* no free block, in no list: whoever frees into it may take it over */
    OWNER_PENDING = 2,  /* on its heap's stack of slabs with remote frees */
    OWNER_LARGE   = 4,                           /* no heap: one block, any thread may free it */
    OWNER_ARENA   = 8,                           /* no heap: a span of a named arena */
    OWNER_NONE    = 16,                          /* no heap: slab_none */
    OWNER_FLAGS   = 63,
};

struct slab {
    struct slab *next, *prev;                    /* in a list of the owner's */
    union {
        struct slab  *pending_next;              /* on the owner's stack of pending slabs */
        struct arena *arena;                     /* OWNER_ARENA: whose span it is (arena.h) */
    };
    union {
        word   virgin;  /* no block from here up was issued; they are zero */
        size_t arena_at;                         /* OWNER_ARENA: bytes of the arena's spans below */
    };
    uint32_t     slices;
    uint32_t     blocks;
    uint16_t     words;                          /* of each bitmap, padding word not counted */
    uint8_t      class;                          /* CLASS_COUNT: large */
    uint8_t      kind;                           /* enum heap_kind */
    uint16_t     remote_at;                      /* offset of `remote` from the slab, in bytes */
    union {
        uint16_t cold;  /* large: most of its slices had no pages when it was cut */
        uint16_t reached;                        /* words a cursor was on so far */
    };
    uint64_t     padding;  /* S3: the bits of the last word that are no blocks */
    uint64_t     unused;                         /* the next line of the cache begins behind it */

    word         owner;  /* heap + flags; from here on, what a free touches */
    word         base;
    uint64_t     magic;
    uint64_t     block_bytes;
    uint64_t     watch;  /* all ones: a word that becomes so is worth a look; 0: none is (K2) */
    uint64_t     free[];  /* words + 1, slab_trimmed; then `remote` on a line of its own */
};
_Static_assert(offsetof(struct slab, owner) == 64, "one line of the cache for a free");
_Static_assert(offsetof(struct slab, free) + 3 * sizeof(uint64_t) <= 128, "slab_trimmed has room");

extern struct slab slab_none;  /* what slices lead to that belong to no span in use: owns nothing */

INLINE word slab_owner(const struct slab *slab)
{
    return __atomic_load_n(&slab->owner, __ATOMIC_ACQUIRE);
}

/* Whether it is this very word now. A plain read: compared where it lies, once. */
INLINE bool slab_is_of(const struct slab *slab, word owner)
{
#ifdef __SANITIZE_THREAD__
    return __atomic_load_n(&slab->owner, __ATOMIC_RELAXED) == owner;
#else
    return slab->owner == owner;
#endif
}

/* Whether it is this very word now, or that and OWNER_FULL. */
INLINE bool slab_is_of_or_full(const struct slab *slab, word owner)
{
#ifdef __SANITIZE_THREAD__
    return (__atomic_load_n(&slab->owner, __ATOMIC_RELAXED) ^ owner) <= OWNER_FULL;
#else
    return (slab->owner ^ owner) <= OWNER_FULL;
#endif
}

INLINE struct heap *slab_heap(const struct slab *slab)
{
    return (struct heap *)(slab_owner(slab) & ~(word)OWNER_FLAGS);
}

/* From one owner word to another; acquires what the last owner did. */
INLINE bool slab_own(struct slab *slab, word from, word to)
{
    return __atomic_compare_exchange_n(&slab->owner, &from, to, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_RELAXED);
}

INLINE uint64_t *slab_remote(struct slab *slab)
{
    return (uint64_t *)((char *)slab + slab->remote_at);
}

INLINE bool slab_remote_test(struct slab *slab, size_t index)
{
    return __atomic_load_n(&slab_remote(slab)[index >> 6], __ATOMIC_ACQUIRE) >> (index & 63) & 1;
}

INLINE uint64_t slab_padding(const struct slab *slab, size_t at)   /* of word `at` */
{
    return at + 1 == slab->words ? slab->padding : 0;
}

/* In a slab of one word: free blocks whose pages went by a trim, and that no cursor came by
 * since. */
INLINE uint64_t *slab_trimmed(struct slab *slab)
{
    return &slab->free[2];
}

INLINE uint64_t *slab_bits_anew(struct slab *slab, size_t at)     /* &free[at], by word_anew */
{
    uint64_t *words = (uint64_t *)slab + word_anew(at);
    return words + offsetof(struct slab, free) / sizeof(uint64_t);
}

/* Where a word points to inside a slab: the index of the block, and whether it is the block's first
 * byte (C2). */
struct slab_place {
    size_t   index;
    bool     start;
    size_t   at;                                 /* the word of a bitmap where its bit is */
    uint64_t bit;                                /* which one, modulo 64 */
};

INLINE struct slab_place slab_place(const struct slab *slab, word address)
{
    uint64_t low, at = multiply_wide(address - slab->base, &slab->magic, &low);
    uint64_t bit = bits_turned(low, 6);
    return (struct slab_place){ at << 6 | low >> 58, bit < slab->magic, at, bit };
}

INLINE word slab_block(const struct slab *slab, size_t index)
{
    return slab->base + index * slab->block_bytes;
}

/* by either bitmap; exact for the owner */
INLINE bool slab_is_free(struct slab *slab, size_t index)
{
    uint64_t bits = __atomic_load_n(&slab->free[index >> 6], __ATOMIC_RELAXED);
    return (bits >> (index & 63) & 1) || slab_remote_test(slab, index);
}

/* takes a span; NULL: out of memory */
struct slab *slab_make(unsigned class, word owner, size_t slices, bool dense);
/* one block, page-rounded; NULL: out of memory */
struct slab *slab_make_large(size_t bytes, size_t align, bool dense, bool *zero);
void         slab_drop(struct slab *slab);  /* gives the span back; nothing in it is in use */
/* in place, down or up; false: no room */
bool         slab_resize_large(struct slab *slab, size_t bytes);
/* pages, not bytes; OS_REFUSED: copy; OS_LOST: `to` has gone */
enum os_moved slab_move_large(struct slab *from, struct slab *to, size_t bytes);
/* In order of address: of the span that begins at *slice or next above, which is moved behind it;
 * NULL: no more. */
struct slab *slab_next(size_t *slice);
bool         slab_all_free(const struct slab *slab);                          /* by `free` alone */
size_t       slab_taken(struct slab *slab);  /* blocks in use; exact when its owner rests */
void         slab_validate(struct slab *slab);

#endif
