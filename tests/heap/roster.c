/* roster.c - tests of heap/roster.h: what threads that ended leave to those that come. */
#include "ground.h"
#include "base/count.h"

enum { CLASSES = 40 };                           /* up to 4 KiB a block */
#define KEPT_MOST MIB(1)

/* A thread that has a block of every size once, and ends. */
static void life(unsigned classes)
{
    bool zero;
    word block[CLASSES];
    struct heap *heap = roster_attach(KIND_MANUAL);
    cr_assert_not_null(heap);
    for (unsigned class = 0; class < classes; class++)
        cr_assert_neq(block[class] = heap_alloc(heap, class, &zero), 0);
    for (unsigned class = 0; class < classes; class++)
        cr_assert_eq(heap_free(heap, block[class]), FAULT_NONE);
    heap_validate(heap);
    roster_detach(heap);
}

Test(roster, threads_that_come_and_go_cut_no_slabs)
{
    for (unsigned i = 0; i < 10; i++)            /* how much rests has to be found out */
        life(CLASSES);
    uint64_t made = counts.slabs_made, taken = counts.spans_taken;
    for (unsigned i = 0; i < 100; i++)
        life(CLASSES);
    cr_assert_eq(counts.slabs_made, made);
    cr_assert_eq(counts.spans_taken, taken);
}

Test(roster, what_ended_threads_leave_empty_is_bounded_and_goes_on_request)
{
    struct heap *heap[4];
    word block[4][CLASSES];
    bool zero;
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_not_null(heap[i] = roster_attach(KIND_MANUAL));
        for (unsigned class = 0; class < CLASSES; class++)
            cr_assert_neq(block[i][class] = heap_alloc(heap[i], class, &zero), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        for (unsigned class = 0; class < CLASSES; class++)
            cr_assert_eq(heap_free(heap[i], block[i][class]), FAULT_NONE);
    for (unsigned i = 0; i < 4; i++)
        roster_detach(heap[i]);
    cr_assert_gt(used_slices(), 0);
    cr_assert_leq(used_slices() << SLICE_SHIFT, KEPT_MOST);
    roster_rest();
    cr_assert_eq(used_slices(), 0);
    roster_rest();
    life(CLASSES);
    cr_assert_eq(fake_locks_held(), 0);
}

static struct heap *others[7];

static void end_others(void)
{
    for (unsigned i = 0; i < COUNT_OF(others) && fake_locks_held() == 0; i++)
        if (others[i] != NULL) {
            struct heap *heap = others[i];
            others[i] = NULL;
            roster_detach(heap);
        }
}

/* Each counted what was there when it began to end. */
Test(roster, threads_that_end_together_leave_no_more)
{
    struct heap *heap[COUNT_OF(others) + 1];
    size_t at = 0;
    bool zero;
    for (unsigned i = 0; i <= COUNT_OF(others); i++) {
        cr_assert_not_null(heap[i] = roster_attach(KIND_MANUAL));
        for (unsigned class = 0; class < CLASSES; class++) {
            word block = heap_alloc(heap[i], class, &zero);
            cr_assert_eq(heap_free(heap[i], block), FAULT_NONE);
        }
        if (i != 0)
            others[i - 1] = heap[i];
    }
    fake.interrupt = end_others;
    roster_detach(heap[0]);
    fake.interrupt = NULL;
    struct slab *one = slab_next(&at);
    cr_assert_not_null(one);
    struct heap *empties = slab_heap(one);
    cr_assert_eq(empties->state, HEAP_SHARED);
    cr_assert_leq(empties->listed, KEPT_MOST / KIB(16));
    cr_assert_leq(used_slices() << SLICE_SHIFT, KEPT_MOST);
    heap_validate(empties);
    roster_rest();
    cr_assert_eq(used_slices(), 0);
}

/* One who freed into it was stopped before he could tell: what he pushes is met by who rests. */
Test(roster, an_empty_slab_with_a_late_freer_is_not_adopted)
{
    bool zero;
    struct heap *heap = roster_attach(KIND_MANUAL);
    word block = heap_alloc(heap, 3, &zero);
    struct slab *slab = cage_slab(block);
    cr_assert_eq(heap_free(heap, block), FAULT_NONE);
    roster_detach(heap);
    word empties = slab_owner(slab);
    cr_assert(slab_own(slab, empties, empties | OWNER_PENDING));
    struct heap *next = attached();
    cr_assert_neq(cage_slab(heap_alloc(next, 3, &zero)), slab);
    slab->pending_next = NULL;
    ((struct heap *)empties)->pending = slab;
    roster_rest();
    cr_assert_eq(cage_slab(slab->base), &slab_none, "it went");
    cr_assert_eq(((struct heap *)empties)->listed, 0);
}
