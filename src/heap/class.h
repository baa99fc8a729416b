/* class.h - bytes to size class and back.
 * Job         The table of size classes: every class a multiple of 16 bytes; 16 apart to 256 bytes,
 *             then eight a doubling to 2 KiB, four to 32 KiB, eight to 256 KiB. So at most 15 bytes
 *             are wasted up to 256 bytes, an eighth to 2 KiB, a fifth to 32 KiB, and an eighth
 *             again above, where a block is worth many small ones. Each class knows its reciprocal,
 *             and how large the next slab of a heap is that has some already.
 * Invariants  C1  class_bytes(class_of(n)) >= n, and no smaller class fits
 *             C2  for every offset in a slab, of the two words of offset * magic: the high one and
 *                 the six highest bits of the low one are the block's index, that is where its bit
 *                 is; the low one, turned left by six, is below magic iff the offset is a block's
 *                 start. Exact while 64 * offset * block_bytes < 2^58
 * Locking     none: constant.
 */
#ifndef MIDDEN_HEAP_CLASS_H
#define MIDDEN_HEAP_CLASS_H

#include "base/base.h"
#include "base/bits.h"
#include "base/check.h"

/* A slice is the largest page that kernels of the architecture have. */
#ifndef MIDDEN_SLICE_SHIFT
#ifdef __x86_64__
#define MIDDEN_SLICE_SHIFT 12
#else
#define MIDDEN_SLICE_SHIFT 16
#endif
#endif

enum {
    SLICE_SHIFT     = MIDDEN_SLICE_SHIFT,
    CLASS_QUICK     = 16 + 16,                   /* classes up to CLASS_QUICK_MAX */
    CLASS_COUNT     = CLASS_QUICK + 8 + 16 + 24,
    CLASS_QUICK_MAX = 1024,                      /* up to here a table gives the class */
    CLASS_MAX_BYTES = 256 * 1024,                /* above: a span of its own */
    CLASS_ALIGN     = 16,
};
#define SLICE_BYTES      ((size_t)1 << SLICE_SHIFT)
#define SLICES_OF(bytes) (((bytes) + SLICE_BYTES - 1) >> SLICE_SHIFT)

struct class {
    uint64_t magic;                              /* reciprocal: 2^58 / block_bytes, rounded up */
    uint32_t block_bytes;
};
extern const struct class class_table[CLASS_COUNT];
extern const uint8_t class_quick[CLASS_QUICK_MAX / CLASS_ALIGN + 1];    /* by (bytes + 15) / 16 */

INLINE unsigned class_of_quick(size_t bytes)     /* bytes <= CLASS_QUICK_MAX */
{
    return class_quick[(bytes + CLASS_ALIGN - 1) / CLASS_ALIGN];
}

/* The classes between 2^top and 2^(top + 1) bytes are 2^shift bytes apart. */
struct class_octave {
    uint8_t shift, add;
};
enum { CLASS_OCTAVES = 18 - 10 };                /* from CLASS_QUICK_MAX to CLASS_MAX_BYTES */
extern const struct class_octave class_octave[CLASS_OCTAVES] HIDDEN;

INLINE unsigned class_of_medium(size_t bytes)    /* CLASS_QUICK_MAX < bytes <= CLASS_MAX_BYTES */
{
    const struct class_octave *octave = &class_octave[bit_highest(bytes - 1) - 10];
    return (unsigned)((bytes - 1) >> octave->shift) + octave->add;
}

INLINE unsigned class_of(size_t bytes)           /* bytes <= CLASS_MAX_BYTES */
{
    return bytes <= CLASS_QUICK_MAX ? class_of_quick(bytes) : class_of_medium(bytes);
}

INLINE size_t class_bytes(unsigned class)
{
    return class_table[class].block_bytes;
}

/* Slices of the next slab in a heap that has `slabs` of the class: as few as a block or two need at
 * first, more with every eighth. */
size_t class_slices(unsigned class, size_t slabs);
uint32_t class_blocks(unsigned class, size_t slices);                 /* in a slab of so many */

/* The smallest class whose blocks hold `bytes` and start at multiples of `align`, a power of two up
 * to SLICE_BYTES; CLASS_COUNT: none, the block needs a span of its own. */
unsigned class_of_aligned(size_t bytes, size_t align);

INLINE uint64_t class_magic(uint64_t block_bytes)
{
    return (((uint64_t)1 << 58) - 1) / block_bytes + 1;
}

#endif
