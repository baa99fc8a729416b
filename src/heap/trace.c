/* trace.c - tables of marks, and the sweep. */
#include "heap/trace.h"
#include "heap/heap.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/shared.h"
#include "heap/span.h"

struct trace trace = { .kinds = 1u << KIND_MANUAL };

static struct {
    word   at;                                   /* the reservation of all tables */
    size_t bytes;
    struct slab *empty;                          /* swept, to be given back */
} state;

/* -- tables ------------------------------------------------------------------------------------ */

static size_t bits_bytes(size_t cage_bytes)
{
    return round_up((cage_bytes >> TRACE_SHIFT) + 2 * sizeof(uint64_t), KIB(64));
}

static size_t slice_bytes(size_t cage_bytes)     /* a byte a slice */
{
    return round_up((cage_bytes >> SLICE_SHIFT) + sizeof(uint64_t), KIB(64));
}

static bool reserve(void)
{
    size_t bits = bits_bytes(cage.bytes), slices = slice_bytes(cage.bytes);
    size_t bytes = 4 * bits + 2 * slices;
    word at = cage.bytes != 0 ? os_reserve(bytes, KIB(64)) : 0;
    if (at == 0)
        return false;
    state.at = at;
    state.bytes = bytes;
    trace.young = at + bits;
    trace.frozen = at + 2 * bits;
    trace.before = at + 3 * bits;
    trace.has_young = (uint8_t *)(at + 4 * bits);
    trace.spilled = (uint8_t *)(at + 4 * bits + slices);
    __atomic_store_n(&trace.marks, at, __ATOMIC_RELEASE);
    return true;
}

static bool cover(size_t reach)
{
    size_t bits = bits_bytes(reach), slices = slice_bytes(reach);
    return os_commit(trace.marks, bits) && os_commit(trace.young, bits) &&
           os_commit(trace.frozen, bits) && os_commit(trace.before, bits) &&
           os_commit((word)trace.has_young, slices) && os_commit((word)trace.spilled, slices);
}

/* Committing again what is committed changes nothing; two threads that grow the tables at once do
 * no harm. Steps follow the cage's own. */
bool trace_cover(void)
{
    size_t reach = cage_reach(), covered = __atomic_load_n(&trace.reach, __ATOMIC_ACQUIRE);
    if (LIKELY(covered >= reach))
        return true;
    if (!lock_take(&span_lock))
        return false;
    bool done = trace.marks != 0 || reserve();
    reach = cage_reach() + cage_reach() / 8;
    reach = reach < cage.bytes ? reach : cage.bytes;
    done = done && cover(reach);
    if (done)
        __atomic_store_n(&trace.reach, reach, __ATOMIC_RELEASE);
    lock_give(&span_lock);
    return done;
}

struct trace_range trace_range(void)
{
    return (struct trace_range){ state.at, state.at + state.bytes };
}

struct trace_range trace_unused(void)
{
    struct trace_range unused;
    unused.lo = shared_last_resort_unused(&unused.hi);
    return unused;
}

/* -- slabs ------------------------------------------------------------------------------------- */

struct slab *trace_next(size_t *slice, unsigned kinds)
{
    struct slab *slab;
    if ((trace.kinds & kinds) == 0)
        return NULL;
    do
        slab = slab_next(slice);
    while (slab != NULL && !(kinds >> slab->kind & 1));
    return slab;
}

struct slab *trace_next_young(size_t *slice)
{
    size_t end = cage_reach() >> SLICE_SHIFT, at = *slice;
    if ((trace.kinds >> KIND_COUNTED & 1) == 0)
        return NULL;
    while (at < end) {
        uint64_t eight;
        __builtin_memcpy(&eight, &trace.has_young[at], sizeof eight);
        if (eight == 0) {
            at += 8;
            continue;
        }
        at += bit_lowest(eight) / 8;
        *slice = at + 1;
        if (at < end && cage.slab_of[at]->kind == KIND_COUNTED &&
            cage.slab_of[at]->base == cage_address(at))
            return cage.slab_of[at];
        trace.has_young[at++] = 0;               /* its slab has gone */
    }
    *slice = end;
    return NULL;
}

/* -- a stopped world --------------------------------------------------------------------------- */

static void settle(struct heap *heap)
{
    for (struct slab *slab = heap->pending; slab != NULL; slab = slab->pending_next)
        remote_absorb(heap, slab);
}

void trace_settle(void)
{
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        settle(heap);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        settle(heap_orphans((enum heap_kind)kind));
    shared_each(settle);
}

static uint64_t *marks_before(const struct slab *slab)
{
    return (uint64_t *)(trace.before + ((slab->base - cage.base) >> TRACE_SHIFT));
}

static void clear_marks(const struct slab *slab)
{
    __builtin_memset(trace_marks(slab), 0, slab->words * sizeof(uint64_t));
}

void trace_clear(void)
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next(&slice, ~0u)) != NULL; )
        clear_marks(slab);
    trace.stand = false;
}

/* Slabs that went while marks stood left theirs in the table, and nobody who clears marks finds
 * them there. The table may not reach so far yet: then nothing was ever marked there. */
void trace_forget(const struct slab *slab)
{
    if (LIKELY(slab->base - cage.base >= __atomic_load_n(&trace.reach, __ATOMIC_ACQUIRE)))
        return;
    clear_marks(slab);
    if (trace.compared)                          /* else it is written before it is read */
        __builtin_memset(marks_before(slab), 0, slab->words * sizeof(uint64_t));
}

/* Nobody can free into it any more: whatever pointed here is gone. */
static void retire(struct slab *slab)
{
    __atomic_store_n(&slab->owner, OWNER_NONE, __ATOMIC_RELEASE);
    slab->next = state.empty;
    state.empty = slab;
}

/* Its owner's lists learn what changed; a dead heap has none, and the slab becomes an orphan. */
static void relist(struct slab *slab, bool empty)
{
    struct heap *heap = slab_heap(slab);
    ASSERT(heap != NULL && heap->kind == (enum heap_kind)slab->kind);
    bool full = (slab_owner(slab) & OWNER_FULL) != 0;
    if (heap->cursor[slab->class].slab == slab)
        return;
    if (empty) {
        if (!full)
            heap_list_remove(heap, slab);
        heap_has_less(heap, slab->class);
        retire(slab);
        return;
    }
    if (!full)
        return;
    if (heap->state == HEAP_DEAD)
        heap = heap_orphans((enum heap_kind)slab->kind);
    slab->owner = (word)heap;
    heap_list_add(heap, slab);
}

static void count(struct trace_swept *swept, const struct slab *slab, size_t live, size_t dead)
{
    swept->live += live;
    swept->live_bytes += live * slab->block_bytes;
    swept->leaf_bytes += slab->kind == KIND_LEAF ? live * slab->block_bytes : 0;
    swept->dead += dead;
    swept->dead_bytes += dead * slab->block_bytes;
}

static void sweep_large(struct slab *slab, struct trace_swept *swept)
{
    uint64_t taken = trace_taken(slab, 0), dead = taken & ~trace_old(slab, 0);
    count(swept, slab, taken & ~dead & 1, dead & 1);
    if (dead == 0)
        return;
    slab->free[0] |= dead;
    retire(slab);
    swept->slabs++;
}

/* A slab that has become empty now is wanted again, most often, before the next sweep. */
static void sweep_slab(struct slab *slab, bool all, struct trace_swept *swept)
{
    uint64_t left = 0;
    size_t live = 0, dead_blocks = 0;
    for (size_t i = 0; i < slab->words; i++) {
        uint64_t taken = trace_taken(slab, i), dead = taken & ~trace_old(slab, i);
        live += bit_count(taken & ~dead);
        left |= taken & ~dead;
        if (dead == 0)
            continue;
        dead_blocks += bit_count(dead);
        slab->free[i] |= dead;
    }
    count(swept, slab, live, dead_blocks);
    bool idle = left == 0 && (all || dead_blocks == 0) && slab_owner(slab) != OWNER_NONE;
    swept->slabs += idle;
    if (dead_blocks != 0 || idle)
        relist(slab, idle);
}

static void compare(const struct slab *slab, struct trace_swept *swept)
{
    const uint64_t *marks = trace_marks(slab);
    uint64_t *before = marks_before(slab);
    for (size_t i = 0; i < slab->words; i++) {
        if (trace.compared) {
            swept->old += bit_count(before[i]);
            swept->old_dead += bit_count(before[i] & ~marks[i]);
        }
        before[i] = marks[i];
    }
}

static void sweep(struct slab *slab, unsigned flags, struct trace_swept *swept)
{
    if (flags & TRACE_COMPARE)
        compare(slab, swept);
    if (slab->class == CLASS_COUNT)
        sweep_large(slab, swept);
    else
        sweep_slab(slab, (flags & TRACE_RETURN) != 0, swept);
}

void trace_sweep(unsigned flags, struct trace_swept *swept)
{
    size_t slice = 0;
    bool stand = (flags & TRACE_STAND) != 0;
    *swept = (struct trace_swept){ 0 };
    for (struct slab *slab; (slab = trace_next(&slice, ~0u)) != NULL; ) {
        bool uncounted = slab->kind == KIND_TRACED || slab->kind == KIND_LEAF;
        if (uncounted)
            sweep(slab, flags, swept);
        if (!stand || !(uncounted || slab->kind == KIND_MANUAL))
            clear_marks(slab);
    }
    trace.stand = stand;
    if (!stand || (flags & TRACE_COMPARE))       /* a full one, that is */
        trace.compared = (flags & TRACE_COMPARE) != 0;
}

static uint64_t marks_allowed(const struct slab *slab, size_t at)
{
    if (!trace.stand || slab->kind == KIND_COUNTED || slab->kind == KIND_ARENA)
        return 0;
    return slab->kind == KIND_MANUAL ? ~(uint64_t)0 : trace_taken(slab, at);
}

void trace_validate(void)
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next(&slice, ~0u)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            ASSERT((trace_marks(slab)[i] & ~marks_allowed(slab, i)) == 0);
}

void trace_give_back(void)
{
    struct slab *slab = __atomic_exchange_n(&state.empty, NULL, __ATOMIC_ACQUIRE);
    while (slab != NULL) {
        struct slab *next = slab->next;
        slab->next = slab->prev = NULL;
        slab_drop(slab);
        slab = next;
    }
}
