/* arena.c - bump, mark, rewind. */
#include "heap/arena.h"
#include "heap/trace.h"

enum { WORD_BITS = 64 };

struct lock arena_lock;

static struct {
    struct arena *newest;
} state;

/* -- bits -------------------------------------------------------------------------------------- */

/* One user writes, others read: plain words, in one piece each. */
static void write_bit(uint64_t *map, size_t at, bool set)
{
    uint64_t bit = (uint64_t)1 << at % WORD_BITS, bits = map[at / WORD_BITS];
    __atomic_store_n(&map[at / WORD_BITS], set ? bits | bit : bits & ~bit, __ATOMIC_RELAXED);
}

static uint64_t starts(const struct slab *slab, size_t at)                               /* B1 */
{
    return ~__atomic_load_n(&slab->free[at], __ATOMIC_RELAXED);
}

static uint64_t ends(struct slab *slab, size_t at)                                       /* B2 */
{
    return __atomic_load_n(&slab_remote(slab)[at], __ATOMIC_RELAXED);
}

static size_t granule_of(const struct slab *slab, word address)
{
    return slab_place(slab, address).index;
}

/* No block begins or ends from this granule up. */
static void forget_from(struct slab *slab, size_t granule)
{
    for (size_t at = granule / WORD_BITS; at < slab->words; at++) {
        uint64_t kept = at == granule / WORD_BITS ? bits_below(granule % WORD_BITS) : 0;
        __atomic_store_n(&slab->free[at], slab->free[at] | ~kept, __ATOMIC_RELAXED);
        __atomic_store_n(&slab_remote(slab)[at], slab_remote(slab)[at] & kept, __ATOMIC_RELAXED);
    }
}

/* The last granule at or below `from` where a block begins or ends; false: none. */
static bool boundary_below(struct slab *slab, size_t from, size_t *found)
{
    for (size_t at = from / WORD_BITS + 1; at-- > 0;) {
        uint64_t bits = starts(slab, at) | ends(slab, at);
        if (at == from / WORD_BITS)
            bits &= bits_below((unsigned)(from % WORD_BITS + 1));
        if (bits != 0) {
            *found = at * WORD_BITS + bit_highest(bits);
            return true;
        }
    }
    return false;
}

/* The first granule at or above `from` where a block begins, or also where one ends; `blocks` where
 * there is none. */
static size_t boundary_above(struct slab *slab, size_t from, bool any)
{
    for (size_t at = from / WORD_BITS; at < slab->words; at++) {
        uint64_t bits = starts(slab, at) | (any ? ends(slab, at) : 0);
        if (at == from / WORD_BITS)
            bits &= ~bits_below((unsigned)(from % WORD_BITS));
        if (bits != 0)
            return at * WORD_BITS + bit_lowest(bits);
    }
    return slab->blocks;
}

/* -- spans ------------------------------------------------------------------------------------- */

static size_t span_bytes(const struct slab *slab)
{
    return slab->blocks * slab->block_bytes;
}

static bool is_one_block(const struct slab *slab)
{
    return slab->blocks == 1;
}

static struct slab *make_span(struct arena *arena, size_t bytes, size_t align)
{
    bool zero;
    struct slab *slab = arena->spare;
    trace_expect(KIND_ARENA);
    if (bytes > class_blocks(0, ARENA_SLICES) * (size_t)ARENA_GRANULE || align > SLICE_BYTES) {
        slab = slab_make_large(bytes, align, false, &zero);
    } else if (slab != NULL) {
        arena->spare = NULL;
        return slab;
    } else {
        slab = slab_make(0, OWNER_ARENA, ARENA_SLICES, false);
    }
    if (slab == NULL)
        return NULL;
    slab->class = CLASS_COUNT;
    slab->kind = KIND_ARENA;
    slab->arena = arena;
    __atomic_store_n(&slab->owner, OWNER_ARENA, __ATOMIC_RELEASE);
    forget_from(slab, 0);
    return slab;
}

/* What is left of the span above the last block belongs to none. */
static void close_top(struct arena *arena)
{
    if (arena->next < arena->end)
        write_bit(slab_remote(arena->top), granule_of(arena->top, arena->next), true);
}

static void set_window(struct arena *arena, word next, word end)
{
    arena->end = end;
    __atomic_store_n(&arena->next, next, __ATOMIC_RELEASE);
}

bool arena_grow(struct arena *arena, size_t bytes, size_t align)
{
    struct slab *slab = make_span(arena, bytes, align), *below = arena->top;
    if (slab == NULL)
        return false;
    if (below != NULL)
        close_top(arena);
    slab->next = below;
    slab->arena_at = below != NULL ? below->arena_at + span_bytes(below) : 0;
    arena->top = slab;
    set_window(arena, slab->base, slab->base + span_bytes(slab));
    return true;
}

/* One span of granules is kept: an arena that swings around a boundary stays off the locks. */
static void pop(struct arena *arena)
{
    struct slab *slab = arena->top;
    arena->top = slab->next;
    if (arena->spare != NULL || is_one_block(slab)) {
        slab_drop(slab);
        return;
    }
    forget_from(slab, 0);
    arena->spare = slab;
}

/* -- blocks ------------------------------------------------------------------------------------ */

/* A start is written before `next` moves over it, so that whoever asks in between finds the block
 * or none (B3). */
word arena_take(struct arena *arena, size_t bytes, size_t align)
{
    size_t need = bytes != 0 ? round_up(bytes, ARENA_GRANULE) : ARENA_GRANULE;
    word start = round_up(arena->next, align);
    if (start < arena->next || start > arena->end || need < bytes || need > arena->end - start)
        return 0;
    if (is_one_block(arena->top))
        need = arena->end - start;
    if (start != arena->next)
        write_bit(slab_remote(arena->top), granule_of(arena->top, arena->next), true);
    write_bit(arena->top->free, granule_of(arena->top, start), false);
    set_window(arena, start + need, arena->end);
    return start;
}

size_t arena_position(const struct arena *arena)
{
    return arena->top != NULL ? arena->top->arena_at + (arena->next - arena->top->base) : 0;
}

/* Blocks given out after a mark begin there, or leave a gap there: a mark inside a block, or inside
 * a gap, has ended. */
static bool may_stand(struct slab *slab, size_t offset)
{
    size_t granule = granule_of(slab, slab->base + offset);
    if (offset == 0 || offset == span_bytes(slab))
        return true;
    return offset % ARENA_GRANULE == 0 && !is_one_block(slab) &&
           boundary_above(slab, granule, true) == granule;
}

bool arena_rewind(struct arena *arena, size_t position)
{
    size_t now = arena_position(arena);
    struct slab *slab = arena->top;
    if (position >= now)
        return position == now;
    while (slab->arena_at > position)
        slab = slab->next;
    if (!may_stand(slab, position - slab->arena_at))
        return false;
    while (arena->top != NULL && arena->top->arena_at >= position)
        pop(arena);
    slab = arena->top;
    if (slab == NULL) {
        set_window(arena, 0, 0);
        return true;
    }
    word next = slab->base + (position - slab->arena_at), end = slab->base + span_bytes(slab);
    if (next < end)
        forget_from(slab, granule_of(slab, next));
    set_window(arena, next, end);
    return true;
}

/* -- arenas ------------------------------------------------------------------------------------ */

static bool list_add(struct arena *arena)
{
    if (!lock_take(&arena_lock))
        return false;
    arena->older = state.newest;
    if (state.newest != NULL)
        state.newest->newer = arena;
    state.newest = arena;
    lock_give(&arena_lock);
    return true;
}

static void list_remove(struct arena *arena)
{
    if (!lock_take(&arena_lock))
        return;
    if (arena->older != NULL)
        arena->older->newer = arena->newer;
    if (arena->newer != NULL)
        arena->newer->older = arena->older;
    else
        state.newest = arena->older;
    lock_give(&arena_lock);
}

struct arena *arena_make(const char *name)
{
    struct arena *arena = meta_take(sizeof *arena);
    if (arena == NULL)
        return NULL;
    for (size_t i = 0; i + 1 < ARENA_NAME_BYTES && name[i] != '\0'; i++)
        arena->name[i] = name[i];
    if (list_add(arena))
        return arena;
    meta_give(arena, sizeof *arena);
    return NULL;
}

void arena_drop(struct arena *arena)
{
    list_remove(arena);
    while (arena->top != NULL)
        pop(arena);
    if (arena->spare != NULL)
        slab_drop(arena->spare);
    meta_give(arena, sizeof *arena);
}

void arena_each(void (*visit)(const struct arena *arena, void *arg), void *arg)
{
    if (!lock_take(&arena_lock))
        return;
    for (struct arena *arena = state.newest; arena != NULL; arena = arena->older)
        visit(arena, arg);
    lock_give(&arena_lock);
}

/* -- what lies there --------------------------------------------------------------------------- */

/* `next` is read of an arena that may move or go meanwhile: it bounds the block where it lies in
 * this span, and says nothing where it does not. */
static word used_end(const struct slab *slab)
{
    const struct arena *arena = __atomic_load_n(&slab->arena, __ATOMIC_RELAXED);
    word end = slab->base + span_bytes(slab);
    word next = arena != NULL ? __atomic_load_n(&arena->next, __ATOMIC_ACQUIRE) : end;
    return next > slab->base && next < end ? next : end;
}

bool arena_block(struct slab *slab, word address, word *start, word *end)
{
    size_t granule = granule_of(slab, address), first;
    word limit = used_end(slab);
    if (granule >= slab->blocks || !boundary_below(slab, granule, &first))
        return false;
    if (!(starts(slab, first / WORD_BITS) >> first % WORD_BITS & 1))
        return false;
    *start = slab_block(slab, first);
    *end = slab_block(slab, boundary_above(slab, granule + 1, true));
    *end = *end < limit ? *end : limit;
    return address < *end;
}

const char *arena_name(const struct slab *slab)
{
    const struct arena *arena = __atomic_load_n(&slab->arena, __ATOMIC_RELAXED);
    return arena != NULL ? arena->name : NULL;
}

size_t arena_first(struct slab *slab, size_t from)
{
    return boundary_above(slab, from, false);
}

void arena_validate(struct arena *arena)
{
    for (struct slab *slab = arena->top; slab != NULL; slab = slab->next) {
        size_t below = slab->next != NULL ? slab->next->arena_at + span_bytes(slab->next) : 0;
        ASSERT(slab_owner(slab) == OWNER_ARENA && slab->arena == arena);
        ASSERT(slab->arena_at == below);                                                 /* B5 */
        slab_validate(slab);
        for (size_t at = 0; at < slab->words; at++)
            ASSERT((starts(slab, at) & ends(slab, at)) == 0);                      /* B1, B2 */
    }
    if (arena->top != NULL && arena->next < arena->end)
        ASSERT(boundary_above(arena->top, granule_of(arena->top, arena->next), true) ==
               arena->top->blocks);                                                      /* B4 */
    ASSERT(arena->spare == NULL || arena_first(arena->spare, 0) == arena->spare->blocks);
}
