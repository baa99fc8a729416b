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
    for (size_t bytes = 0; bytes <= CLASS_QUICK_MAX; bytes++)
        cr_assert_eq(heap_bytes_at(heap_quick_at[bytes]), class_bytes(class_of(bytes)));
}

Test(cursor, one_of_zeros_aims_nowhere_and_nothing_is_written_there)
{
    static const struct cursor zero;
    struct heap *none = &heap_nobody.heap;
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        cr_assert_not(cursor_aims(none, &none->cursor[class]));
        cr_assert_eq(cursor_take(none, &none->cursor[class]), 0);
        cr_assert_eq(memcmp(&none->cursor[class], &zero, sizeof zero), 0);
    }
}

static word take(word heap, size_t at)
{
    return cursor_take_at(&heap, at);
}

Test(cursor, by_its_place_it_gives_what_it_would_by_its_address)
{
    struct heap *heap = attached();
    for (unsigned class = 0; class < CLASS_QUICK; class++) {
        struct cursor *cursor = cursor_on(heap, class);
        size_t at = heap_quick_at[class_bytes(class)];
        for (size_t i = 0; cursor_aims(heap, cursor); i++)
            cr_assert_eq(take((word)heap, at), slab_block(cursor->slab, i));
        cr_assert_eq(take((word)heap, at), 0);
    }
    heap_validate(heap);
}

/* Whatever the heap has to give, and in the heap of nobody as well. */
Test(cursor, in_the_shade_of_a_heap_none_aims)
{
    struct heap *heap = attached(), *nobody = &heap_nobody.heap;
    for (unsigned class = 0; class < CLASS_COUNT; class++)
        (void)cursor_on(heap, class);
    for (size_t bytes = 0; bytes <= CLASS_QUICK_MAX; bytes++) {
        cr_assert_eq(take((word)heap - HEAP_SHADE, heap_quick_at[bytes]), 0);
        cr_assert_eq(take((word)nobody, heap_quick_at[bytes]), 0);
        cr_assert_eq(take((word)nobody - HEAP_SHADE, heap_quick_at[bytes]), 0);
    }
    cr_assert_eq((word)heap & (2 * HEAP_SHADE - 1), HEAP_SHADE);
    cr_assert_eq((word)nobody & (2 * HEAP_SHADE - 1), HEAP_SHADE);
}

Test(cursor, who_enters_is_in_the_shade_until_he_leaves)
{
    struct heap *heap = attached();
    cr_assert(heap_is_nobody(heap_mine()) && !heap_is_inside());
    cr_assert_not(heap_enter_was());
    cr_assert(heap_is_nobody(heap_mine()) && heap_is_inside());
    heap_become(heap);
    cr_assert(heap_mine() == heap && heap_is_inside() && heap_enter_was());
    heap_leave_to(true);
    cr_assert(heap_is_inside());
    heap_leave_like((word)heap - HEAP_SHADE);
    cr_assert(heap_is_inside());
    heap_leave_to(false);
    cr_assert(heap_mine() == heap && !heap_is_inside());
    heap_enter();
    heap_leave_as((word)heap);
    cr_assert(heap_mine() == heap && !heap_is_inside());
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
        cr_assert_not(cursor_aims(heap, cursor), "padding is no block");
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
        block = cursor_take(heap, cursor);
    cr_assert_eq(cursor_take(heap, cursor), 0);
    cr_assert_eq(cursor_left(heap, cursor), 0);
    cr_assert_eq(heap_free(heap, block), FAULT_NONE);
    cr_assert_eq(heap_free(heap, block), FAULT_DOUBLE_FREE);
    cr_assert_eq(cursor_take(heap, cursor), block);
    cr_assert_eq(cursor_take(heap, cursor), 0);
    heap_validate(heap);
}

/* A block that comes back is found, lower than the one that was found ahead or not. */
Test(cursor, what_comes_back_into_the_word_is_found)
{
    struct heap *heap = attached();
    struct cursor *cursor = cursor_on(heap, 0);
    word block[64];
    for (unsigned i = 0; i < 62; i++)
        block[i] = cursor_take(heap, cursor);
    cr_assert_eq(heap_free(heap, block[7]), FAULT_NONE);
    block[62] = cursor_take(heap, cursor);
    cr_assert_eq(block[62], block[61] + cursor->block_bytes, "found ahead");
    cr_assert_eq(cursor_take(heap, cursor), block[7]);
    cr_assert_eq(cursor_take(heap, cursor), block[62] + cursor->block_bytes);
    cr_assert_not(cursor_aims(heap, cursor));
    heap_validate(heap);
}

Test(cursor, lifted_it_aims_nowhere)
{
    struct heap *heap = attached();
    struct cursor *cursor = cursor_on(heap, 3);
    cr_assert(cursor_aims(heap, cursor));
    heap_rest(heap, 0);
    cr_assert_not(cursor_aims(heap, cursor));
    cr_assert_null(cursor->slab);
    heap_validate(heap);
}
