/* class.c - the table, worked out by the compiler. */
#include "heap/class.h"

/* A slab has at least four blocks where a slice would hold fewer; eight of those above 64 KiB, as
 * they fill their slices so. Debug builds cut slabs of 70 or 4 blocks instead, so that second
 * words, padding and full slabs are met at every turn. */
#define LEAST(bytes)   ((bytes) > SLICE_BYTES ? 8 : 4)
#define SLICES(bytes)  (((bytes) * LEAST(bytes) + SLICE_BYTES - 1) / SLICE_BYTES)
#define NATURAL(bytes) (SLICES(bytes) * SLICE_BYTES / (bytes))
#define SHRUNK(bytes)  ((bytes) / 16 % 2 ? 70 : 4)
#define BLOCKS(bytes) \
    (DEBUG_BUILD && SHRUNK(bytes) < NATURAL(bytes) ? SHRUNK(bytes) : NATURAL(bytes))
#define C(bytes) { (((uint64_t)1 << 58) - 1) / (bytes) + 1, (bytes), BLOCKS(bytes), SLICES(bytes) }

#define TWO(base, step)  C((base) + (step)), C((base) + 2 * (step))
#define FOUR(base, step) TWO(base, step), TWO((base) + 2 * (step), step)
#define EIGHT(base)      FOUR(base, (base) / 8), FOUR((base) + (base) / 2, (base) / 8)

const struct class class_table[CLASS_COUNT] = {
    FOUR(0, 16), FOUR(64, 16), FOUR(128, 16), FOUR(192, 16),
    EIGHT(256), EIGHT(512), EIGHT(1024),
    FOUR(2048, 512), FOUR(4096, 1024), FOUR(8192, 2048), FOUR(16384, 4096),
    EIGHT(32768), EIGHT(65536), EIGHT(131072),
};

#define Q2(class) (class), (class)
#define Q4(class) (class), (class), (class), (class)

const uint8_t class_quick[CLASS_QUICK_MAX / CLASS_ALIGN + 1] = {
    0,                                           /* malloc(0) is a smallest block */
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    Q2(16), Q2(17), Q2(18), Q2(19), Q2(20), Q2(21), Q2(22), Q2(23),
    Q4(24), Q4(25), Q4(26), Q4(27), Q4(28), Q4(29), Q4(30), Q4(31),
};

unsigned class_of_aligned(size_t bytes, size_t align)
{
    if (bytes > CLASS_MAX_BYTES || align > SLICE_BYTES)
        return CLASS_COUNT;
    unsigned class = class_of(bytes);
    while (class < CLASS_COUNT && (class_bytes(class) & (align - 1)) != 0)
        class++;
    return class;
}
