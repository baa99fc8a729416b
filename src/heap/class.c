/* class.c - the table, worked out by the compiler. */
#include "heap/class.h"

#define C(bytes) { (((uint64_t)1 << 58) - 1) / (bytes) + 1, (bytes) }

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

/* The first class above 2^top has the number 2^(top - shift) + add. */
const struct class_octave class_octave[CLASS_OCTAVES] = {
    { 7, 24 }, { 9, 36 }, { 10, 40 }, { 11, 44 }, { 12, 48 }, { 12, 48 }, { 13, 56 }, { 14, 64 },
};

enum {
    FIRST_BYTES = 4096,                          /* of the first eight slabs; then twice as much */
    STEP_SLABS  = 8,
    STEPS       = 4,
    LEAST       = 2,                             /* blocks */
    WASTE_PART  = 8,                             /* of a slab, that may belong to no block */
};

/* The largest a slab gets: 64 words of 64 blocks, as a cursor keeps a bit for each word. Small
 * blocks are many, and a slab that runs full and empty costs them most; of large ones a slab of
 * 64 KiB would be few, and hardly ever empty. */
static size_t most_bytes(size_t block_bytes)
{
    return block_bytes <= 128 ? KIB(64) : block_bytes <= 512 ? KIB(32) : KIB(16);
}

/* Debug builds cut slabs of 70 or 4 blocks instead, so that second words, padding and full slabs
 * are met at every turn. */
uint32_t class_blocks(unsigned class, size_t slices)
{
    size_t bytes = class_bytes(class), natural = (slices << SLICE_SHIFT) / bytes;
    size_t shrunk = bytes / CLASS_ALIGN % 2 ? 70 : 4;
    return (uint32_t)(DEBUG_BUILD && shrunk < natural ? shrunk : natural);
}

size_t class_slices(unsigned class, size_t slabs)
{
    size_t block_bytes = class_bytes(class), most = most_bytes(block_bytes);
    size_t step = slabs / STEP_SLABS < STEPS ? slabs / STEP_SLABS : STEPS;
    size_t bytes = (size_t)FIRST_BYTES << step < most ? (size_t)FIRST_BYTES << step : most;
    size_t least = LEAST * block_bytes;
    size_t slices = SLICES_OF(bytes > least ? bytes : least);
    while ((slices << SLICE_SHIFT) % block_bytes * WASTE_PART > slices << SLICE_SHIFT)
        slices++;
    size_t used_bytes = class_blocks(class, slices) * block_bytes;
    return DEBUG_BUILD ? SLICES_OF(used_bytes) : slices;
}

unsigned class_of_aligned(size_t bytes, size_t align)
{
    if (bytes > CLASS_MAX_BYTES || align > SLICE_BYTES)
        return CLASS_COUNT;
    unsigned class = class_of(bytes);
    while (class < CLASS_COUNT && (class_bytes(class) & (align - 1)) != 0)
        class++;
    return class;
}
