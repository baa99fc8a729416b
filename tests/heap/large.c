/* large.c - tests of heap/large.h. */
#include "ground.h"
#include "heap/large.h"

#include <string.h>

static struct slab *slab_of(word block)
{
    return cage_slab(block);
}

static word taken(size_t bytes)
{
    bool zero;
    word block = large_alloc(bytes, 1, false, &zero);
    cr_assert_neq(block, 0);
    return block;
}

static void fill(word block, size_t bytes)
{
    for (size_t i = 0; i + sizeof i <= bytes; i += 4096)
        *(size_t *)(block + i) = i + 1;
    ((char *)block)[bytes - 1] = 'z';
}

static void expect_filled(word block, size_t bytes)
{
    for (size_t i = 0; i + sizeof i <= bytes; i += 4096)
        cr_assert_eq(*(size_t *)(block + i), i + 1);
    cr_assert_eq(((char *)block)[bytes - 1], 'z');
}

Test(large, a_block_is_freed_once)
{
    attached();
    word block = taken(MIB(1));
    struct slab *slab = slab_of(block);
    cr_assert_eq(large_free(slab), FAULT_NONE);
    cr_assert_eq(large_free(slab), FAULT_DOUBLE_FREE);
    cr_assert_eq(slab_of(block), &slab_none);
    cr_assert_eq(used_slices(), 0);
}

Test(large, zero_is_said_only_of_what_is)
{
    bool zero;
    attached();
    for (unsigned i = 0; i < 50; i++) {
        word block = large_alloc(KIB(300) + i * KIB(37), 1, false, &zero);
        size_t bytes = slab_of(block)->block_bytes;
        for (size_t at = 0; zero && at < bytes; at += 8)
            cr_assert_eq(*(word *)(block + at), 0);
        memset((void *)block, 1, bytes);
        if (i % 3 != 0)
            large_free(slab_of(block));
    }
}

Test(large, growth_stays_where_there_is_room)
{
    attached();
    word block = taken(MIB(1));
    fill(block, MIB(1));
    cr_assert_eq(large_resize(slab_of(block), MIB(5)), block);
    expect_filled(block, MIB(1));
    cr_assert_eq(large_resize(slab_of(block), KIB(300)), block);
    cr_assert_eq(slab_of(block)->block_bytes, KIB(300));
}

/* A block that is grown although something stands behind it. */
static void grow_blocked(size_t bytes)
{
    word block;
    do
        block = taken(bytes);
    while (taken(KIB(300)) != block + round_up(bytes, SLICE_BYTES));
    fill(block, bytes);
    word moved = large_resize(slab_of(block), bytes + MIB(7) + 5);
    cr_assert_neq(moved, 0);
    cr_assert_neq(moved, block);
    expect_filled(moved, bytes);
    cr_assert_eq(slab_of(block), &slab_none);
    cr_assert_geq(slab_of(moved)->block_bytes, bytes + MIB(7) + 5);
    slab_validate(slab_of(moved));
    span_validate();
}

Test(large, a_block_that_cannot_stay_moves_by_pages_or_by_bytes)
{
    attached();
    grow_blocked(MIB(4));
    cr_assert_neq(fake.calls_of[FAKE_MOVE], 0);
    size_t moves = fake.calls_of[FAKE_MOVE];
    grow_blocked(KIB(280));
    cr_assert_eq(fake.calls_of[FAKE_MOVE], moves, "a small block is cheaper to copy");
}

/* A block with others before and behind it. */
static word between(size_t bytes)
{
    taken(KIB(300));
    word block = taken(bytes);
    taken(KIB(300));
    return block;
}

Test(large, what_grows_into_pages_that_are_there_is_copied)
{
    attached();
    word hole = between(MIB(5)), block = between(MIB(1));
    fill(block, MIB(1));
    large_free(slab_of(hole));
    cr_assert_eq(large_resize(slab_of(block), MIB(4)), hole);
    expect_filled(hole, MIB(1));
    cr_assert_eq(fake.calls_of[FAKE_MOVE], 0);
}

/* Where pages came from is forgotten when they go. */
Test(large, moved_pages_stay_when_their_block_is_freed)
{
    attached();
    word block = between(MIB(1));
    fill(block, MIB(1));
    word moved = large_resize(slab_of(block), MIB(4));
    cr_assert_neq(fake.calls_of[FAKE_MOVE], 0);
    cr_assert_eq(cage_tables.seams.count, 2);
    size_t purges = fake.calls_of[FAKE_PURGE];
    large_free(slab_of(moved));
    cr_assert_eq(fake.calls_of[FAKE_PURGE], purges);
    cr_assert_eq(between(MIB(4)), moved);
    large_free(slab_of(moved));
    span_purge(0);
    cr_assert_eq(cage_tables.seams.count, 0);
    span_validate();
}

/* One mapping and a piece of the next: a kernel may refuse to move both. */
Test(large, a_block_in_two_mappings_is_copied)
{
    attached();
    word block = between(MIB(1));
    fill(block, MIB(1));
    word moved = large_resize(slab_of(block), MIB(4));
    size_t moves = fake.calls_of[FAKE_MOVE];
    cr_assert_neq(moves, 0);
    while (taken(KIB(300)) != moved + MIB(4))
        continue;
    word again = large_resize(slab_of(moved), MIB(9));
    cr_assert_neq(again, moved);
    expect_filled(again, MIB(1));
    cr_assert_eq(fake.calls_of[FAKE_MOVE], moves);
}

Test(large, pages_that_may_not_move_are_copied)
{
    attached();
    for (size_t call = 1; call < 12; call++) {
        fake.fail_first = fake.calls + call;
        fake.fail_count = 1;
        grow_blocked(MIB(1) + call * KIB(60));
    }
}

/* Every call refused, for as long as it takes: the block is where it was, and whole. */
Test(large, a_growth_that_is_not_to_be_had_changes_nothing)
{
    attached();
    word block = taken(MIB(2)), behind = taken(KIB(300));
    fill(block, MIB(2));
    refuse_calls(1000);
    cr_assert_eq(large_resize(slab_of(block), GIB(3)), 0);
    fake.fail_count = 0;
    cr_assert_eq(large_resize(slab_of(block), cage.bytes), 0);
    expect_filled(block, MIB(2));
    cr_assert_eq(slab_of(block)->block_bytes, MIB(2));
    slab_validate(slab_of(block));
    slab_validate(slab_of(behind));
    span_validate();
}

Test(large, blocks_freed_in_a_handler_wait_for_the_next_slow_path)
{
    attached();
    word block = taken(MIB(1)), other = taken(MIB(1));
    struct slab *slab = slab_of(block);
    thread.nested = 1;
    cr_assert_eq(large_free(slab), FAULT_NONE);
    cr_assert_eq(large_free(slab_of(other)), FAULT_NONE);
    cr_assert_eq(large_free(slab), FAULT_DOUBLE_FREE);
    large_drain();
    cr_assert_neq(used_slices(), 0);
    thread.nested = 0;
    large_drain();
    cr_assert_eq(used_slices(), 0);
    cr_assert_eq(slab_of(block), &slab_none);
}
