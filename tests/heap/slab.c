/* slab.c - tests of heap/slab.h. */
#include "ground.h"
#include "heap/slab.h"

static void expect_leads_to(word base, size_t slices, const struct slab *slab)
{
    for (size_t i = 0; i < slices; i++)
        cr_assert_eq(cage_slab(base + (i << SLICE_SHIFT) + 1), slab);
}

Test(slab, a_fresh_slab_of_any_class_is_all_free)
{
    struct heap *heap = attached();
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct slab *slab = slab_make(class, (word)heap, class_slices(class, 0), class % 2);
        cr_assert_not_null(slab);
        slab_validate(slab);
        cr_assert(slab_all_free(slab));
        cr_assert_eq(slab_taken(slab), 0);
        cr_assert_eq(slab_heap(slab), heap);
        cr_assert_eq(slab->block_bytes, class_bytes(class));
        expect_leads_to(slab->base, slab->slices, slab);
    }
}

/* S2 and S3: every block has one index and one address, the padding none. */
Test(slab, blocks_and_indices_are_one_to_one)
{
    struct heap *heap = attached();
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct slab *slab = slab_make(class, (word)heap, class_slices(class, 0), false);
        for (size_t i = 0; i < slab->blocks; i++) {
            struct slab_place start = slab_place(slab, slab_block(slab, i));
            struct slab_place last = slab_place(slab, slab_block(slab, i + 1) - 1);
            cr_assert(start.start && start.index == i);
            cr_assert(!last.start && last.index == i);
        }
        size_t padding = 0;
        for (size_t i = 0; i < slab->words; i++)
            padding += bit_count(slab_padding(slab, i));
        cr_assert_eq(padding + slab->blocks, (size_t)slab->words * 64);
    }
}

Test(slab, taken_counts_what_neither_bitmap_calls_free)
{
    struct slab *slab = slab_make(0, (word)attached(), class_slices(0, 0), false);
    slab->free[0] = ~(uint64_t)0xff;
    cr_assert_eq(slab_taken(slab), 8);
    slab_remote(slab)[0] = 0x0f;
    cr_assert_eq(slab_taken(slab), 4);
    cr_assert(slab_is_free(slab, 0) && slab_is_free(slab, 8));
    cr_assert_not(slab_is_free(slab, 4));
    cr_assert_not(slab_all_free(slab));
    slab_validate(slab);
}

Test(slab, a_dropped_slab_owns_nothing_and_its_span_is_free)
{
    struct heap *heap = attached();
    struct slab *slab = slab_make(40, (word)heap, class_slices(40, 0), false);
    word base = slab->base;
    size_t slices = slab->slices, used = used_slices();
    slab_drop(slab);
    expect_leads_to(base, slices, &slab_none);
    cr_assert_eq(used_slices(), used - slices);
    cr_assert_null(slab_heap(slab), "a stale pointer to it may still be read");
    span_validate();
    struct slab *again = slab_make(40, (word)heap, class_slices(40, 0), false);
    cr_assert_eq(again, slab, "the descriptor is used again");
    slab_validate(again);
    cr_assert_eq(slab_taken(again), 0);
}

Test(slab, blocks_that_were_never_issued_read_as_zero)
{
    struct heap *heap = attached();
    for (unsigned class = class_of(2000); class < CLASS_COUNT; class++) {
        struct slab *slab = slab_make(class, (word)heap, class_slices(class, 0), false);
        if (slab->virgin == UINTPTR_MAX)
            continue;
        cr_assert_eq(slab->virgin, slab->base);
        for (size_t i = 0; i < slab->blocks; i++)
            cr_assert_eq(*(word *)slab_block(slab, i), 0);
        *(word *)slab->base = 1;
        slab_drop(slab);
    }
}

Test(slab, a_large_one_is_one_block_of_whole_pages)
{
    bool zero;
    attached();
    for (size_t bytes = CLASS_MAX_BYTES + 1; bytes < MIB(20); bytes = bytes * 3 / 2 + 77) {
        struct slab *slab = slab_make_large(bytes, 1, false, &zero);
        cr_assert_not_null(slab);
        cr_assert_geq(slab->block_bytes, bytes);
        cr_assert_lt(slab->block_bytes, bytes + fake.page_bytes);
        cr_assert_eq(slab_taken(slab), 1);
        slab_validate(slab);
        expect_leads_to(slab->base, slab->slices, slab);
        cr_assert_eq(slab_place(slab, slab->base + bytes - 1).index, 0);
    }
}

Test(slab, a_large_one_is_aligned_as_asked)
{
    bool zero;
    attached();
    for (size_t align = 1; align <= MIB(64); align *= 2) {
        struct slab *slab = slab_make_large(MIB(1), align, false, &zero);
        cr_assert_not_null(slab);
        cr_assert_eq(slab->base % align, 0);
        slab_validate(slab);
    }
}

Test(slab, a_large_one_grows_and_shrinks_where_it_stands)
{
    bool zero;
    attached();
    struct slab *slab = slab_make_large(MIB(1), 1, false, &zero);
    word base = slab->base;
    for (size_t bytes = MIB(1); bytes < MIB(30); bytes += bytes / 3)
        cr_assert(slab_resize_large(slab, bytes));
    cr_assert(slab_resize_large(slab, MIB(2)));
    cr_assert_eq(slab->base, base);
    cr_assert_eq(slab->block_bytes, MIB(2));
    cr_assert_eq(used_slices(), MIB(2) / SLICE_BYTES);
    slab_validate(slab);
    expect_leads_to(base + MIB(2), 10, &slab_none);
    span_validate();
}

Test(slab, a_large_one_does_not_grow_into_its_neighbour)
{
    bool zero;
    attached();
    struct slab *slab = slab_make_large(MIB(1), 1, false, &zero);
    struct slab *behind = slab_make_large(MIB(1), 1, false, &zero);
    cr_assert_eq(behind->base, slab->base + MIB(1));
    cr_assert_not(slab_resize_large(slab, MIB(1) + 1));
    cr_assert_eq(slab->block_bytes, MIB(1));
    slab_validate(slab);
    slab_validate(behind);
}

/* Each call of a making is refused in turn: no slab, no span, no descriptor is lost. */
Test(slab, a_refusal_leaves_nothing_behind)
{
    bool zero;
    struct heap *heap = attached();
    for (size_t i = 1; i < 200; i++) {
        size_t used = used_slices();
        refuse_calls(1 + i % 40);
        unsigned class = (unsigned)(i % CLASS_COUNT);
        struct slab *small = slab_make(class, (word)heap, class_slices(class, i % 32), i % 2);
        struct slab *large = slab_make_large(MIB(3), 1, false, &zero);
        fake.fail_count = 0;
        used += small != NULL ? small->slices : 0;
        used += large != NULL ? large->slices : 0;
        cr_assert_eq(used_slices(), used);
        span_validate();
        if (large != NULL && i % 3 == 0)
            slab_drop(large);
    }
    cr_assert_not_null(slab_make(3, (word)heap, class_slices(3, 0), false));
    cr_assert_eq(fake_locks_held(), 0);
}
