/* class.c - tests of heap/class.h: every size, and every byte of every slab. */
#include <criterion/criterion.h>

#include "heap/slab.h"

Test(class, every_size_gets_the_smallest_class_that_holds_it)
{
    for (size_t bytes = 0; bytes <= CLASS_MAX_BYTES; bytes++) {
        unsigned class = class_of(bytes);
        cr_assert_lt(class, CLASS_COUNT, "%zu bytes", bytes);
        cr_assert_geq(class_bytes(class), bytes, "%zu bytes", bytes);
        cr_assert(class == 0 || class_bytes(class - 1) < bytes, "%zu bytes", bytes);
    }
    cr_assert_eq(class_bytes(CLASS_COUNT - 1), CLASS_MAX_BYTES);
}

Test(class, classes_are_multiples_of_sixteen_and_grow)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        cr_assert_eq(class_bytes(class) % CLASS_ALIGN, 0);
        cr_assert(class == 0 || class_bytes(class) > class_bytes(class - 1));
    }
}

/* At most 15 bytes to 256; an eighth of the block to 2 KiB, a fifth to 32 KiB, an eighth above. */
Test(class, waste_is_bounded)
{
    for (size_t bytes = 1; bytes <= CLASS_MAX_BYTES; bytes++) {
        size_t block = class_bytes(class_of(bytes)), waste = block - bytes;
        size_t part = bytes <= KIB(2) ? 8 : bytes <= KIB(32) ? 5 : 8;
        if (bytes <= 256)
            cr_assert_leq(waste, 15, "%zu bytes", bytes);
        else
            cr_assert_lt(waste * part, block, "%zu bytes", bytes);
    }
}

Test(class, a_slab_holds_its_blocks)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        const struct class *shape = &class_table[class];
        cr_assert_eq(shape->magic, class_magic(shape->block_bytes));
        for (size_t slabs = 0; slabs < 100; slabs++) {
            size_t slices = class_slices(class, slabs), bytes = slices * SLICE_BYTES;
            size_t blocks = class_blocks(class, slices);
            cr_assert_leq(blocks * shape->block_bytes, bytes);
            cr_assert_geq(blocks, 2);
            cr_assert_leq(blocks, 64 * 64);      /* a cursor keeps a bit for each word */
            cr_assert(DEBUG_BUILD || bytes % shape->block_bytes <= bytes / 8);
        }
    }
}

/* A slab of one page for the first few of small blocks, of many pages when there are many. */
Test(class, slabs_grow_with_their_number)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        size_t least = class_slices(class, 0), most = class_slices(class, SIZE_MAX), before = least;
        for (size_t slabs = 1; slabs < 100; slabs++) {
            size_t slices = class_slices(class, slabs);
            cr_assert_geq(slices, before);
            cr_assert_leq(slices, most);
            before = slices;
        }
        if (class_bytes(class) <= 128 && !DEBUG_BUILD)
            cr_assert_eq(most * SLICE_BYTES, KIB(64));
        if (class_bytes(class) <= 512)
            cr_assert_eq(least, 1);
        cr_assert_leq(most, (KIB(64) + 2 * class_bytes(class)) >> SLICE_SHIFT);
    }
}

/* C2, proven by trying: the quotient and the remainder of each offset. */
Test(class, the_reciprocal_is_exact_at_every_byte_of_every_slab)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        const struct class *shape = &class_table[class];
        struct slab slab = { .base = SLICE_BYTES, .magic = shape->magic };
        size_t index = 0, rest = 0;
        for (size_t at = 0; at < class_slices(class, SIZE_MAX) * SLICE_BYTES; at++) {
            struct slab_place place = slab_place(&slab, slab.base + at);
            if (place.index != index || place.start != (rest == 0) ||
                place.at != index >> 6 || (place.bit & 63) != (index & 63))
                cr_assert_fail("blocks of %u bytes, offset %zu: block %zu, %s", shape->block_bytes,
                               at, place.index, place.start ? "its start" : "inside");
            rest = rest + 1 == shape->block_bytes ? 0 : rest + 1;
            index += rest == 0;
        }
    }
}

Test(class, the_reciprocal_of_one_block_finds_it_everywhere)
{
    struct slab slab = { .base = SLICE_BYTES, .magic = 1 };
    for (unsigned shift = 0; shift < 46; shift++) {
        struct slab_place place = slab_place(&slab, slab.base + ((word)1 << shift));
        cr_assert_eq(place.index, 0);
        cr_assert_not(place.start);
    }
    cr_assert(slab_place(&slab, slab.base).start);
}

Test(class, aligned_requests_get_the_smallest_class_whose_blocks_all_are)
{
    for (size_t align = 1; align <= SLICE_BYTES; align *= 2) {
        unsigned wanted = 0;
        for (size_t bytes = 1; bytes <= CLASS_MAX_BYTES; bytes++) {
            while (wanted < CLASS_COUNT &&
                   (class_bytes(wanted) < bytes || class_bytes(wanted) % align != 0))
                wanted++;
            cr_assert_eq(class_of_aligned(bytes, align), wanted, "%zu at %zu", bytes, align);
        }
    }
}

Test(class, what_no_slab_can_hold_is_no_class)
{
    cr_assert_eq(class_of_aligned(CLASS_MAX_BYTES + 1, 16), CLASS_COUNT);
    cr_assert_eq(class_of_aligned(16, SLICE_BYTES * 2), CLASS_COUNT);
    cr_assert_eq(class_of_aligned(PTRDIFF_MAX, (size_t)1 << 62), CLASS_COUNT);
}
