/* cursor.c - tests of heap/cursor.h, and of the table that leads to one. */
#include "ground.h"

static word alloc(struct heap *heap, unsigned class)
{
    bool zero;
    word block = heap_alloc(heap, class, &zero);
    cr_assert_neq(block, 0);
    return block;
}

static struct cursor *cursor_on(struct heap *heap, unsigned class)
{
    cr_assert(heap_ready(heap, class));
    return &heap->cursor[class];
}

Test(cursor, the_table_leads_to_the_class_of_every_size)
{
    static struct heap heap;
    for (size_t bytes = 0; bytes <= CLASS_QUICK_MAX; bytes++)
        cr_assert_eq(heap_quick(&heap, bytes), &heap.cursor[class_of(bytes)], "%zu bytes", bytes);
}

Test(cursor, one_of_zeros_aims_nowhere_and_nothing_is_written_there)
{
    static const struct cursor zero;
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        cr_assert_not(cursor_aims(&heap_none.cursor[class]));
        cr_assert_eq(cursor_take(&heap_none.cursor[class]), 0);
        cr_assert_eq(memcmp(&heap_none.cursor[class], &zero, sizeof zero), 0);
    }
}

/* K1: each block of the slab has its turn, and is down only from then on. */
Test(cursor, a_block_is_free_until_it_goes_out)
{
    struct heap *heap = attached();
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct cursor *cursor = cursor_on(heap, class);
        struct slab *slab = cursor->slab;
        for (size_t i = 0; i < slab->blocks; i++) {
            cr_assert_eq(heap_free(heap, slab_block(slab, i)), FAULT_DOUBLE_FREE);
            cr_assert_eq(alloc(heap, class), slab_block(slab, i));
        }
        cr_assert_not(cursor_aims(cursor), "padding is no block");
        cr_assert_eq(slab_taken(slab), slab->blocks);
        cr_assert_eq(heap_alloc_here(heap, class), 0);
        heap_validate(heap);
    }
}

Test(cursor, the_last_of_a_word_goes_out_again_if_it_is_back_in_time)
{
    struct heap *heap = attached();
    struct cursor *cursor = cursor_on(heap, 0);
    word block = 0;
    for (unsigned i = 0; i < 64; i++)
        block = cursor_take(cursor);
    cr_assert_eq(cursor_take(cursor), 0);
    cr_assert_eq(cursor_left(cursor), 0);
    cr_assert_eq(heap_free(heap, block), FAULT_NONE);
    cr_assert_eq(heap_free(heap, block), FAULT_DOUBLE_FREE);
    cr_assert_eq(cursor_take(cursor), block);
    cr_assert_eq(cursor_take(cursor), 0);
    heap_validate(heap);
}

/* A block that comes back is found, lower than the one that was found ahead or not. */
Test(cursor, what_comes_back_into_the_word_is_found)
{
    struct heap *heap = attached();
    struct cursor *cursor = cursor_on(heap, 0);
    word block[64];
    for (unsigned i = 0; i < 62; i++)
        block[i] = cursor_take(cursor);
    cr_assert_eq(heap_free(heap, block[7]), FAULT_NONE);
    block[62] = cursor_take(cursor);
    cr_assert_eq(block[62], block[61] + cursor->block_bytes, "found ahead");
    cr_assert_eq(cursor_take(cursor), block[7]);
    cr_assert_eq(cursor_take(cursor), block[62] + cursor->block_bytes);
    cr_assert_not(cursor_aims(cursor));
    heap_validate(heap);
}

Test(cursor, lifted_it_aims_nowhere)
{
    struct heap *heap = attached();
    struct cursor *cursor = cursor_on(heap, 3);
    cr_assert(cursor_aims(cursor));
    heap_rest(heap, 0);
    cr_assert_not(cursor_aims(cursor));
    cr_assert_null(cursor->slab);
    heap_validate(heap);
}
