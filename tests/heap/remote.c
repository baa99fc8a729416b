/* remote.c - tests of heap/remote.h: one thread plays owner and freer. */
#include "ground.h"
#include "heap/remote.h"

/* A slab of `class` with all its blocks issued, off its cursor, and full. */
static struct slab *full_slab(struct heap *heap, unsigned class)
{
    bool zero;
    struct slab *slab = cage_slab(heap_alloc(heap, class, &zero));
    for (size_t i = 1; i <= slab->blocks; i++)
        cr_assert_neq(heap_alloc(heap, class, &zero), 0);
    cr_assert_eq(slab_owner(slab), (word)heap | OWNER_FULL);
    return slab;
}

Test(remote, a_free_sets_a_bit_and_the_first_of_a_round_tells_the_owner)
{
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, 0);
    cr_assert_eq(remote_free(slab, 3), FAULT_NONE);
    cr_assert(slab_remote_test(slab, 3) && slab_is_free(slab, 3));
    cr_assert(slab_owner(slab) & OWNER_PENDING);                                  /* R1 */
    cr_assert_eq(heap->pending, slab);
    cr_assert_eq(remote_free(slab, 0), FAULT_NONE);
    cr_assert_eq(heap->pending, slab);
    cr_assert_null(slab->pending_next, "a slab is pushed once a round");
}

Test(remote, a_second_free_is_told_whatever_lies_between)
{
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, 0);
    cr_assert_eq(remote_free(slab, 5), FAULT_NONE);
    cr_assert_eq(remote_free(slab, 5), FAULT_DOUBLE_FREE);
    remote_drain(heap);
    cr_assert_eq(remote_free(slab, 5), FAULT_DOUBLE_FREE);
    cr_assert_eq(slab_remote(slab)[0], 0);
}

Test(remote, a_drain_moves_the_bits_and_relists_the_slab)
{
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, 2);
    size_t taken = slab_taken(slab);
    for (size_t i = 0; i < slab->blocks; i += 3)
        cr_assert_eq(remote_free(slab, i), FAULT_NONE);
    size_t freed = taken - slab_taken(slab);
    remote_drain(heap);
    cr_assert_null(heap->pending);
    cr_assert_eq(slab_owner(slab), (word)heap);
    cr_assert_eq(heap->partial[2], slab);
    cr_assert_eq(taken - slab_taken(slab), freed);
    for (size_t i = 0; i < slab->blocks; i++)
        cr_assert_eq(slab_is_free(slab, i), i % 3 == 0);
    heap_validate(heap);
}

Test(remote, blocks_freed_remotely_are_issued_again)
{
    bool zero;
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, 1);
    for (size_t i = 0; i < slab->blocks; i += 2)
        remote_free(slab, i);
    size_t found = 0;
    for (size_t i = 0; i < 2 * slab->blocks; i++)
        found += cage_slab(heap_alloc(heap, 1, &zero)) == slab;
    cr_assert_eq(found, (slab->blocks + 1) / 2);
    heap_validate(heap);
}

Test(remote, a_slab_emptied_remotely_goes_back)
{
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, class_of(20000));        /* too large to be spared */
    word base = slab->base;
    for (size_t i = 0; i < slab->blocks; i++)
        remote_free(slab, i);
    cr_assert_eq(cage_slab(base), slab);
    remote_drain(heap);
    cr_assert_eq(cage_slab(base), &slab_none);
    heap_validate(heap);
    span_validate();
}

Test(remote, a_slab_under_the_cursor_is_absorbed_and_stays)
{
    bool zero;
    struct heap *heap = attached();
    word block = heap_alloc(heap, 0, &zero);
    struct slab *slab = cage_slab(block);
    cr_assert_eq(remote_free(slab, slab_place(slab, block).index), FAULT_NONE);
    remote_drain(heap);
    cr_assert_eq(heap->cursor[0].slab, slab);
    cr_assert_eq(slab_taken(slab), 0);
    cr_assert_null(heap->partial[0]);
    heap_validate(heap);
}

Test(remote, several_slabs_are_drained_at_once)
{
    struct heap *heap = attached();
    struct slab *slabs[10];
    for (unsigned i = 0; i < 10; i++)
        slabs[i] = full_slab(heap, i);
    for (unsigned i = 0; i < 10; i++)
        remote_free(slabs[i], 1);
    remote_drain(heap);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert_eq(heap->partial[i], slabs[i]);
        cr_assert_eq(slab_owner(slabs[i]), (word)heap);
    }
    cr_assert_eq(heap->listed, 10);
}

/* A free by the owner and one by another thread that meet: the drain tells of the block. */
Test(remote, a_block_freed_from_both_sides_is_noticed)
{
    struct heap *heap = attached();
    struct slab *slab = full_slab(heap, 0);
    cr_assert_eq(heap_free(heap, slab_block(slab, 1)), FAULT_NONE);
    cr_assert_eq(heap->twice, 0);
    slab_remote(slab)[0] |= 2;
    remote_absorb(heap, slab);
    cr_assert_eq(heap->twice, slab_block(slab, 1));
    cr_assert_eq(slab_remote(slab)[0], 0);
}

Test(remote, a_thread_that_frees_into_a_full_slab_takes_it_over)
{
    struct heap *owner = attached(), *thief = attached();
    struct slab *slab = full_slab(owner, 0);
    cr_assert_eq(heap_free(thief, slab_block(slab, 7)), FAULT_NONE);
    cr_assert_eq(slab_owner(slab), (word)thief);
    cr_assert_eq(thief->partial[0], slab);
    cr_assert_eq(slab_remote(slab)[0], 0);
    heap_validate(owner);
    heap_validate(thief);
}

Test(remote, a_thread_that_frees_into_a_slab_in_use_tells_its_owner)
{
    bool zero;
    struct heap *owner = attached(), *other = attached();
    word block = heap_alloc(owner, 0, &zero);
    cr_assert_eq(heap_free(other, block), FAULT_NONE);
    cr_assert_eq(owner->pending, cage_slab(block));
    cr_assert_eq(heap_free(other, block), FAULT_DOUBLE_FREE);
    cr_assert_eq(heap_free(owner, block), FAULT_DOUBLE_FREE);
    cr_assert_eq(heap_free(NULL, block), FAULT_DOUBLE_FREE);
}

Test(remote, what_a_dead_thread_left_is_adopted)
{
    bool zero;
    struct heap *dead = attached(), *heir = attached();
    word block = heap_alloc(dead, 6, &zero), kept = heap_alloc(dead, 6, &zero);
    roster_detach(dead);
    cr_assert_eq(slab_heap(cage_slab(block)), heap_orphans(KIND_MANUAL));
    cr_assert_eq(heap_free(heir, block), FAULT_NONE);
    cr_assert_eq(slab_owner(cage_slab(kept)), (word)heir);
    cr_assert_eq(heap_alloc(heir, 6, &zero), block);
    cr_assert_eq(dead->listed, 0);
    cr_assert_eq(heap_orphans(KIND_MANUAL)->listed, 0);
    cr_assert_eq(attached(), dead, "the heap itself is used again");
}
