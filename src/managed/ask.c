/* ask.c - looks at a stopped world. */
#include "managed/ask.h"
#include "managed/collect.h"
#include "managed/object.h"
#include "managed/trial.h"
#include "gc/root.h"
#include "heap/arena.h"

enum { UNCOUNTED = 1u << KIND_TRACED | 1u << KIND_LEAF, MANAGED = UNCOUNTED | 1u << KIND_COUNTED };

/* -- one object -------------------------------------------------------------------------------- */

static word object_of(const struct trace_block *block)
{
    return trace_start(block) + (block->slab->kind == KIND_COUNTED ? HEADER_BYTES : 0);
}

/* Remote bits are looked at, too: the world runs. */
static bool find(word address, struct trace_block *block)
{
    return trace_find(address, block) && (1u << block->slab->kind & MANAGED) != 0 &&
           !slab_is_free(block->slab, block->index);
}

word ask_object(word address)
{
    struct trace_block block;
    return find(address, &block) ? object_of(&block) : 0;
}

bool ask_is_counted(word object)
{
    struct trace_block block;
    return object_find(object, &block) == FAULT_NONE;
}

bool ask_is_tracked(word address)
{
    struct trace_block block;
    if (!find(address, &block) || block.slab->kind == KIND_LEAF)
        return false;
    if (block.slab->kind == KIND_TRACED)
        return true;
    return (header_type((struct header *)trace_start(&block))->flags & MIDDEN_LEAF) == 0;
}

bool ask_is_finalized(word address)
{
    struct trace_block block;
    if (!find(address, &block) || block.slab->kind != KIND_COUNTED)
        return false;
    return (header_flags((struct header *)trace_start(&block)) & FLAG_FINALIZED) != 0;
}

/* -- all of them ------------------------------------------------------------------------------- */

struct ask {
    midden_object_visitor    *visit;
    midden_reference_visitor *refer;
    void                     *arg;
    void *const              *objects;
    size_t                    count;
    int                       generation;
    long                      visits;
    bool                      over, wrong;
    /* of a reference */
    enum midden_holder        kind;
    word                      holder;
};

static void visit(struct ask *ask, word object)
{
    if (ask->over)
        return;
    ask->visits++;
    ask->over = ask->visit((void *)object, ask->arg) != 0;
}

static int generation_of(const struct slab *slab, size_t at, unsigned bit)
{
    if (slab->kind == KIND_COUNTED)
        return (int)header_generation((struct header *)slab_block(slab, at * 64 + bit));
    bool frozen = trace.any_frozen && (trace_frozen(slab)[at] >> bit & 1) != 0;
    return frozen ? FROZEN : OLDEST;
}

/* At count zero, or condemned: nobody may retain it any more. */
static bool is_ending(const struct trace_block *block)
{
    const struct header *header = (const struct header *)trace_start(block);
    return block->slab->kind == KIND_COUNTED &&
           (header_count(header) == 0 || (header_flags(header) & FLAG_CONDEMNED) != 0);
}

static void visit_word(struct ask *ask, struct slab *slab, size_t at)
{
    for (uint64_t bits = trace_taken(slab, at); bits != 0 && !ask->over; bits &= bits - 1) {
        unsigned bit = bit_lowest(bits);
        struct trace_block block = { .slab = slab, .index = at * 64 + bit };
        bool asked = ask->generation == -1 || generation_of(slab, at, bit) == ask->generation;
        if (asked && !is_ending(&block))
            visit(ask, object_of(&block));
    }
}

static void look_objects(word lowest, void *arg)
{
    size_t slice = 0;
    struct ask *ask = arg;
    (void)lowest;
    for (struct slab *slab; !ask->over && (slab = trace_next(&slice, MANAGED)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            visit_word(ask, slab, i);
}

long ask_objects(int generation, midden_object_visitor *visitor, void *arg)
{
    struct ask ask = { .visit = visitor, .arg = arg, .generation = generation };
    return collect_look(look_objects, &ask) ? ask.visits : -1;
}

/* -- who refers -------------------------------------------------------------------------------- */

/* Those asked about are marked for the time of the look, so one bit tells. */
static bool mark_asked(struct ask *ask, bool up)
{
    bool all = true;
    for (size_t i = 0; i < ask->count; i++) {
        struct trace_block block;
        if (!find((word)ask->objects[i], &block))
            all = false;
        else if (up)
            *block.mark |= block.bit;
        else
            *block.mark &= ~block.bit;
    }
    return all;
}

static void refer(struct ask *ask, word field, word object)
{
    struct midden_reference reference = { sizeof reference, ask->kind, (void *)ask->holder,
                                          (void *)field, (void *)object };
    if (ask->over)
        return;
    ask->visits++;
    ask->over = ask->refer(&reference, ask->arg) != 0;
}

static void refer_words(struct ask *ask, const word *at, size_t words, word address)
{
    for (size_t i = 0; i < words && !ask->over; i++) {
        struct trace_block block;
        if (trace_find(at[i], &block) && trace_is_marked(&block))
            refer(ask, address + i * sizeof(word), object_of(&block));
    }
}

static void refer_piece(const struct root_piece *piece, void *arg)
{
    static const enum midden_holder kinds[] = {
        [ROOT_REGISTERED] = MIDDEN_HOLDER_ROOT, [ROOT_STACK] = MIDDEN_HOLDER_STACK,
        [ROOT_STATIC] = MIDDEN_HOLDER_STATIC, [ROOT_MAPPING] = MIDDEN_HOLDER_MAPPING,
    };
    struct ask *ask = arg;
    ask->kind = kinds[piece->kind];
    ask->holder = piece->base;
    refer_words(ask, piece->at, piece->words, piece->address);
}

static void refer_owned(word *field, void *arg)
{
    struct ask *ask = arg;
    refer_words(ask, field, 1, (word)field);
}

static void refer_counted(struct ask *ask, struct slab *slab, word start)
{
    word object = start + HEADER_BYTES;
    const struct midden_type *type = header_type((struct header *)start);
    if (type->flags & MIDDEN_CONSERVATIVE)       /* owned fields are among its words */
        refer_words(ask, (const word *)object, (slab->block_bytes - HEADER_BYTES) / sizeof(word),
                    object);
    else
        object_each_owned(object, refer_owned, ask);
}

static void refer_block(struct ask *ask, struct slab *slab, word start)
{
    ask->holder = start + (slab->kind == KIND_COUNTED ? HEADER_BYTES : 0);
    ask->kind = slab->kind == KIND_MANUAL ? MIDDEN_HOLDER_BLOCK : MIDDEN_HOLDER_OBJECT;
    if (slab->kind == KIND_COUNTED)
        refer_counted(ask, slab, start);
    else
        refer_words(ask, (const word *)start, slab->block_bytes / sizeof(word), start);
}

static void refer_arena(struct ask *ask, struct slab *slab)
{
    ask->kind = MIDDEN_HOLDER_ARENA;
    for (size_t i = arena_first(slab, 0); i < slab->blocks; i = arena_first(slab, i + 1)) {
        word start, end;
        if (!arena_block(slab, slab_block(slab, i), &start, &end))
            continue;
        ask->holder = start;
        refer_words(ask, (const word *)start, (end - start) / sizeof(word), start);
    }
}

static void look_referrers(word lowest, void *arg)
{
    size_t slice = 0;
    struct ask *ask = arg;
    ask->wrong = !mark_asked(ask, true);
    if (!ask->wrong) {
        root_each_registered(refer_piece, ask);
        root_each_mapping(lowest, refer_piece, ask);
    }
    while (!ask->wrong && !ask->over) {
        struct slab *slab = trace_next(&slice, ~(1u << KIND_LEAF));
        if (slab == NULL)
            break;
        if (slab->kind == KIND_ARENA) {
            refer_arena(ask, slab);
            continue;
        }
        for (size_t i = 0; i < slab->words; i++)
            for (uint64_t bits = trace_taken(slab, i); bits != 0; bits &= bits - 1)
                refer_block(ask, slab, slab_block(slab, i * 64 + bit_lowest(bits)));
    }
    mark_asked(ask, false);
}

long ask_referrers(void *const *objects, size_t count, midden_reference_visitor *visitor, void *arg)
{
    struct ask ask = { .refer = visitor, .arg = arg, .objects = objects, .count = count };
    if (!collect_look(look_referrers, &ask))
        return -1;
    return ask.wrong ? -2 : ask.visits;
}

/* -- what is referred to ----------------------------------------------------------------------- */

static void visit_words(struct ask *ask, const word *at, size_t words)
{
    for (size_t i = 0; i < words && !ask->over; i++) {
        struct trace_block block;
        if (find(at[i], &block))
            visit(ask, object_of(&block));
    }
}

static void visit_owned(word *field, void *arg)
{
    visit_words(arg, field, 1);
}

static void visit_referents(struct ask *ask, const struct trace_block *block)
{
    word start = trace_start(block);
    size_t words = block->slab->block_bytes / sizeof(word);
    if (block->slab->kind == KIND_TRACED) {
        visit_words(ask, (const word *)start, words);
    } else if (block->slab->kind == KIND_COUNTED) {
        if (header_type((struct header *)start)->flags & MIDDEN_CONSERVATIVE)
            visit_words(ask, (const word *)(start + HEADER_BYTES),
                        words - HEADER_BYTES / sizeof(word));
        else
            object_each_owned(start + HEADER_BYTES, visit_owned, ask);
    }
}

static void look_referents(word lowest, void *arg)
{
    struct ask *ask = arg;
    (void)lowest;
    for (size_t i = 0; i < ask->count && !ask->over; i++) {
        struct trace_block block;
        ask->wrong |= !find((word)ask->objects[i], &block);
    }
    for (size_t i = 0; i < ask->count && !ask->over && !ask->wrong; i++) {
        struct trace_block block;
        if (find((word)ask->objects[i], &block))
            visit_referents(ask, &block);
    }
}

long ask_referents(void *const *objects, size_t count, midden_object_visitor *visitor, void *arg)
{
    struct ask ask = { .visit = visitor, .arg = arg, .objects = objects, .count = count };
    if (!collect_look(look_referents, &ask))
        return -1;
    return ask.wrong ? -2 : ask.visits;
}

/* -- frozen ------------------------------------------------------------------------------------ */

static void freeze_one(struct header *header, void *arg)
{
    unsigned from = *(const unsigned *)arg;
    if (from == FROZEN && header_generation(header) != FROZEN)
        return;
    header_age(header, from == FROZEN ? OLDEST : FROZEN);
}

/* The young bits go: only generations below OLDEST have one (B4). */
static void look_freeze(word lowest, void *arg)
{
    size_t slice = 0;
    bool freeze = *(const bool *)arg;
    unsigned from = freeze ? OLDEST : FROZEN;
    (void)lowest;
    trial_each(from, freeze_one, &from);
    if (freeze)
        for (struct slab *slab; (slab = trace_next_young(&slice)) != NULL; ) {
            trace.has_young[cage_slice(slab->base)] = 0;
            __builtin_memset(trace_young(slab), 0, slab->words * sizeof(uint64_t));
        }
    slice = 0;
    for (struct slab *slab; (slab = trace_next(&slice, UNCOUNTED)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            trace_frozen(slab)[i] = freeze ? trace_taken(slab, i) : 0;
    trace.any_frozen = freeze;
}

bool ask_freeze(void)
{
    bool freeze = true;
    return collect_look(look_freeze, &freeze);
}

bool ask_unfreeze(void)
{
    bool freeze = false;
    return collect_look(look_freeze, &freeze);
}

static void count_frozen(struct header *header, void *arg)
{
    *(size_t *)arg += header_generation(header) == FROZEN;
}

static void look_frozen(word lowest, void *arg)
{
    size_t slice = 0, *count = arg;
    (void)lowest;
    trial_each(FROZEN, count_frozen, count);
    if (!trace.any_frozen)
        return;
    for (struct slab *slab; (slab = trace_next(&slice, UNCOUNTED)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            *count += bit_count(trace_frozen(slab)[i]);
}

size_t ask_frozen(void)
{
    size_t count = 0;
    return collect_look(look_frozen, &count) ? count : 0;
}
