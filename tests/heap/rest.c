/* rest.c - tests of heap/rest.h, and of the words a cursor prefers. */
#include "ground.h"
#include "base/count.h"

enum { SIZES = 60 };                             /* classes, up to 48 KiB */

static size_t used_bytes(void)
{
    return used_slices() << SLICE_SHIFT;
}

static word alloc(struct heap *heap, unsigned class)
{
    bool zero;
    word block = heap_alloc(heap, class, &zero);
    cr_assert_neq(block, 0);
    return block;
}

static void release(struct heap *heap, word block)
{
    cr_assert_eq(heap_free(heap, block), FAULT_NONE);
}

/* One block of every size, and all of them back. */
static void request(struct heap *heap)
{
    word block[SIZES];
    for (unsigned class = 0; class < SIZES; class++)
        block[class] = alloc(heap, class);
    for (unsigned class = 0; class < SIZES; class++)
        release(heap, block[class]);
}

Test(rest, slabs_of_sizes_that_come_and_go_are_cut_no_more)
{
    struct heap *heap = attached();
    for (unsigned i = 0; i < 2 * SIZES; i++)
        request(heap);
    uint64_t made = counts.slabs_made;
    for (unsigned i = 0; i < 100; i++)
        request(heap);
    cr_assert_eq(counts.slabs_made, made);
    heap_validate(heap);
}

Test(rest, a_heap_at_first_lets_few_slabs_rest)
{
    struct heap *heap = attached();
    request(heap);
    cr_assert_leq(used_bytes(), KIB(64 + 96), "a little, and the newest");
    heap_validate(heap);
}

/* Sixty slabs rest; then so many of another size come and go that the heap has shrunk. */
Test(rest, an_ebb_wakes_them)
{
    enum { MORE = 5 << 20, MOST = 1024 };
    static word block[MOST];
    struct heap *heap = attached();
    for (unsigned i = 0; i < 2 * SIZES; i++)
        request(heap);
    cr_assert_geq(used_bytes(), KIB(640));
    size_t held = 0, before = used_bytes();
    while (used_bytes() < before + MORE && held < MOST)
        block[held++] = alloc(heap, SIZES);
    cr_assert_geq(used_bytes(), before + MORE);
    while (held > 0)
        release(heap, block[--held]);
    cr_assert_leq(used_bytes(), KIB(64 + 192));
    heap_validate(heap);
}

Test(rest, few_blocks_in_use_stay_in_few_words)
{
    struct heap *heap = attached();
    word held[3] = { alloc(heap, 0), alloc(heap, 0), alloc(heap, 0) };
    struct slab *slab = cage_slab(held[0]);
    for (unsigned i = 0; i < 10000; i++) {
        release(heap, held[i % 3]);
        held[i % 3] = alloc(heap, 0);
    }
    cr_assert_eq(cage_slab(held[0]), slab);
    cr_assert_leq(slab->reached, 2);
}

/* That words were reached is no reason to fetch fresh pages. */
Test(rest, a_slab_that_goes_leaves_its_pages_warm)
{
    struct heap *heap = attached();
    struct slab *slab = slab_make(0, (word)heap, class_slices(0, 0), false);
    slab->reached = 5;
    size_t calls = fake.calls, warm = span_figures().dirty_slices;
    slab_drop(slab);
    cr_assert_eq(fake.calls, calls);
    cr_assert_eq(span_figures().dirty_slices, warm + 1);
}

/* A little more than a slab in use, and a little less: the second is not cut again and again. */
Test(rest, a_slab_more_is_spared)
{
    enum { MOST = 1024 };
    static word block[MOST];
    struct heap *heap = attached();
    size_t held = 1;
    block[0] = alloc(heap, 0);
    struct slab *first = cage_slab(block[0]);
    while (held < MOST && cage_slab(block[held - 1]) == first)
        block[held++] = alloc(heap, 0);
    word more = block[--held];
    release(heap, block[--held]);
    uint64_t made = counts.slabs_made;
    for (unsigned i = 0; i < 1000; i++) {
        release(heap, more);
        word last = alloc(heap, 0);
        more = alloc(heap, 0);
        release(heap, last);
    }
    cr_assert_eq(counts.slabs_made, made);
    release(heap, more);
    while (held > 0)
        release(heap, block[--held]);
    heap_rest(heap, 0);
    cr_assert_eq(used_slices(), 0);
    heap_validate(heap);
}
