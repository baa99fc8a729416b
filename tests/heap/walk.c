/* walk.c - tests of heap/walk.h. */
#include "ground.h"
#include "heap/large.h"
#include "heap/walk.h"

enum { BLOCKS = 3000 };

static struct {
    word   at;
    size_t bytes;
    bool   used;
} blocks[BLOCKS];

static void take(struct heap *heap, size_t i, uint64_t *seed)
{
    bool zero;
    size_t bytes = next(seed) % 8 == 0 ? next(seed) % KIB(400) : next(seed) % 600;
    word at = bytes <= CLASS_MAX_BYTES ? heap_alloc(heap, class_of(bytes), &zero)
                                       : large_alloc(bytes, 1, false, &zero);
    cr_assert_neq(at, 0);
    blocks[i].at = at;
    blocks[i].bytes = cage_slab(at)->block_bytes;
    blocks[i].used = true;
}

/* Blocks of two threads, a third of them freed, some by the one who did not take them. */
static void populate(void)
{
    struct heap *heaps[2] = { attached(), attached() };
    uint64_t seed = 31415;
    for (size_t i = 0; i < BLOCKS; i++)
        take(heaps[i % 2], i, &seed);
    for (size_t i = 0; i < BLOCKS; i += 3) {
        cr_assert_eq(heap_free(heaps[next(&seed) % 2], blocks[i].at), FAULT_NONE);
        blocks[i].used = false;
    }
}

Test(walk, a_block_is_found_from_any_of_its_bytes)
{
    populate();
    for (size_t i = 0; i < BLOCKS; i++) {
        struct ref ref;
        for (size_t at = 0; blocks[i].used && at < blocks[i].bytes; at += at < 64 ? 1 : 997) {
            cr_assert(walk_resolve(blocks[i].at + at, &ref));
            cr_assert_eq(ref.start, blocks[i].at);
        }
        if (blocks[i].used) {
            cr_assert(walk_resolve(blocks[i].at + blocks[i].bytes - 1, &ref));
            cr_assert_eq(ref.start, blocks[i].at);
            cr_assert(!walk_resolve(blocks[i].at + blocks[i].bytes, &ref) ||
                      ref.start == blocks[i].at + blocks[i].bytes);
        }
    }
}

Test(walk, a_free_block_is_seen_and_not_resolved)
{
    populate();
    for (size_t i = 0; i < BLOCKS; i += 3) {
        struct ref ref;
        struct walk_block block;
        cr_assert_not(walk_resolve(blocks[i].at, &ref));
        if (walk_look(blocks[i].at, &block))     /* else its slab is gone */
            cr_assert(block.free && block.start == blocks[i].at);
    }
}

Test(walk, what_is_no_block_is_nothing)
{
    struct walk_block block;
    populate();
    cr_assert_not(walk_look(0, &block));
    cr_assert_not(walk_look((word)&block, &block));
    cr_assert_not(walk_look(cage.base - 1, &block));
    cr_assert_not(walk_look(cage.base + cage.reach, &block));
    cr_assert_not(walk_look(UINTPTR_MAX, &block));
    cr_assert_not(walk_look((word)cage.slab_of, &block));
}

static size_t visited;
static word last;

static bool visit(const struct walk_block *block, void *arg)
{
    size_t *most = arg;
    cr_assert_not(block->free);
    cr_assert(visited == 0 || block->start > last);
    last = block->start;
    return ++visited != *most;
}

Test(walk, the_walk_shows_each_block_in_use_once_in_order)
{
    size_t used = 0, most = SIZE_MAX;
    populate();
    for (size_t i = 0; i < BLOCKS; i++)
        used += blocks[i].used;
    cr_assert(walk_blocks(visit, &most));
    cr_assert_eq(visited, used);
}

Test(walk, the_walk_ends_when_the_visitor_says_so)
{
    size_t most = 10;
    populate();
    cr_assert_not(walk_blocks(visit, &most));
    cr_assert_eq(visited, 10);
}

Test(walk, figures_are_sums_of_what_is_there)
{
    struct walk_figures figures;
    struct walk_class class;
    size_t used = 0, bytes = 0, small = 0;
    populate();
    for (size_t i = 0; i < BLOCKS; i++) {
        used += blocks[i].used;
        bytes += blocks[i].used ? blocks[i].bytes : 0;
    }
    walk_figures(&figures);
    cr_assert_eq(figures.taken_blocks, used);
    cr_assert_eq(figures.taken_bytes, bytes);
    cr_assert_eq(figures.heaps, 2);
    cr_assert_eq(figures.live_heaps, 2);
    cr_assert_eq(figures.span_bytes, used_slices() << SLICE_SHIFT);
    cr_assert_geq(figures.span_bytes, figures.taken_bytes + figures.free_bytes);
    cr_assert_geq(figures.peak_span_bytes, figures.span_bytes);
    for (unsigned i = 0; i < walk_class_count(); i++) {
        walk_class_figures(i, &class);
        cr_assert_leq(class.taken, class.blocks);
        small += class.taken;
    }
    cr_assert_eq(small + figures.large_blocks, used);
}
