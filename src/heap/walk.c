/* walk.c - read the bitmaps, change nothing. */
#include "heap/walk.h"
#include "heap/arena.h"
#include "heap/meta.h"
#include "heap/roster.h"
#include "heap/span.h"

/* One that goes while others run is nobody's already. */
static struct slab *next_owned(size_t *slice)
{
    struct slab *slab;
    do
        slab = slab_next(slice);
    while (slab != NULL && slab_owner(slab) == OWNER_NONE);
    return slab;
}

static enum walk_kind kind_of(const struct slab *slab)
{
    static const enum walk_kind managed[] = {
        [KIND_COUNTED] = WALK_COUNTED, [KIND_TRACED] = WALK_TRACED, [KIND_LEAF] = WALK_LEAF,
    };
    word owner = slab_owner(slab);
    if (slab->kind != KIND_MANUAL && slab->kind < KIND_COUNT)
        return managed[slab->kind];
    return owner & OWNER_LARGE ? WALK_LARGE : owner & OWNER_ARENA ? WALK_ARENA : WALK_MANUAL;
}

static struct walk_block block_of(struct slab *slab, size_t index)
{
    return (struct walk_block){ slab_block(slab, index), slab->block_bytes, kind_of(slab),
                                slab_is_free(slab, index) };
}

static bool look_arena(struct slab *slab, word address, struct walk_block *block)
{
    word start, end;
    if (!arena_block(slab, address, &start, &end))
        return false;
    *block = (struct walk_block){ start, end - start, WALK_ARENA, false };
    return true;
}

bool walk_look(word address, struct walk_block *block)
{
    if (!cage_holds(address))
        return false;
    struct slab *slab = cage_slab(address);
    if (slab == &slab_none || slab->blocks == 0)
        return false;
    if (slab_owner(slab) & OWNER_ARENA)
        return look_arena(slab, address, block);
    size_t index = slab_place(slab, address).index;
    if (index >= slab->blocks)
        return false;
    *block = block_of(slab, index);
    return address - block->start < block->bytes;
}

bool walk_resolve(word address, struct ref *ref)
{
    struct walk_block block;
    if (!walk_look(address, &block) || block.free)
        return false;
    ref->start = block.start;
    return true;
}

typedef bool block_visit(const struct walk_block *block, void *arg);

static bool walk_slab(struct slab *slab, block_visit *visit, void *arg)
{
    for (size_t i = 0; i < slab->blocks; i++) {
        struct walk_block block = block_of(slab, i);
        if (!block.free && !visit(&block, arg))
            return false;
    }
    return true;
}

static bool walk_arena_span(struct slab *slab, bool (*visit)(const struct walk_block *, void *),
                            void *arg)
{
    struct walk_block block;
    for (size_t i = arena_first(slab, 0); i < slab->blocks; i = arena_first(slab, i + 1))
        if (look_arena(slab, slab_block(slab, i), &block) && !visit(&block, arg))
            return false;
    return true;
}

bool walk_blocks(bool (*visit)(const struct walk_block *, void *), void *arg)
{
    struct slab *slab;
    for (size_t at = 0; (slab = next_owned(&at)) != NULL;) {
        bool on = slab_owner(slab) & OWNER_ARENA ? walk_arena_span(slab, visit, arg)
                                                 : walk_slab(slab, visit, arg);
        if (!on)
            return false;
    }
    return true;
}

size_t walk_good_bytes(size_t bytes)
{
    if (bytes <= CLASS_MAX_BYTES)
        return class_bytes(class_of(bytes));
    return bytes <= cage.bytes ? round_up(bytes, cage.facts.page_bytes) : 0;
}

/* -- figures ----------------------------------------------------------------------------------- */

static bool add_arena_block(const struct walk_block *block, void *arg)
{
    struct walk_figures *figures = arg;
    figures->arena_blocks++;
    figures->arena_bytes += block->bytes;
    figures->taken_blocks++;
    figures->taken_bytes += block->bytes;
    return true;
}

static void add_slab(struct walk_figures *figures, struct slab *slab)
{
    if (slab_owner(slab) & OWNER_ARENA) {
        walk_arena_span(slab, add_arena_block, figures);
        return;
    }
    size_t taken = slab_taken(slab);
    figures->taken_blocks += taken;
    figures->taken_bytes += taken * slab->block_bytes;
    if (slab_owner(slab) & OWNER_LARGE) {
        figures->large_blocks += taken;
        figures->large_bytes += taken * slab->block_bytes;
    } else {
        figures->free_blocks += slab->blocks - taken;
        figures->free_bytes += (slab->blocks - taken) * slab->block_bytes;
    }
}

void walk_figures(struct walk_figures *figures)
{
    struct span_figures span = span_figures();
    *figures = (struct walk_figures){
        .cage_bytes = cage.bytes, .reach_bytes = cage_committed(),
        .span_bytes = span.used_slices << SLICE_SHIFT,
        .dirty_bytes = span.dirty_slices << SLICE_SHIFT,
        .peak_span_bytes = span.peak_slices << SLICE_SHIFT, .meta_bytes = meta_reach(),
    };
    struct slab *slab;
    for (size_t at = 0; (slab = next_owned(&at)) != NULL;)
        add_slab(figures, slab);
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next) {
        figures->heaps++;
        figures->live_heaps += heap->state == HEAP_LIVE;
    }
}

size_t walk_class_count(void)
{
    return CLASS_COUNT;
}

void walk_class_figures(unsigned class, struct walk_class *figures)
{
    *figures = (struct walk_class){ .block_bytes = class_bytes(class) };
    struct slab *slab;
    for (size_t at = 0; (slab = next_owned(&at)) != NULL;) {
        if (slab->class != class)
            continue;
        figures->slabs++;
        figures->blocks += slab->blocks;
        figures->taken += slab_taken(slab);
    }
}
