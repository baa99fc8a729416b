/* roster.c - heaps come and go with threads; their memory stays. */
#include "heap/roster.h"
#include "heap/remote.h"
#include "heap/shared.h"
#include "heap/trace.h"
#include "base/count.h"

enum { DETACH_ROUNDS = 64, ADOPT_SLICES = SLICES_OF(KIB(16)) };
#define EMPTIES (MIB(1) / (REST_SMALL * SLICE_BYTES))

struct lock roster_lock;

static struct {
    struct heap *first;                          /* every heap ever made */
    struct heap *dead[KIND_COUNT];               /* ready for the next thread */
} state;
static struct heap orphans[KIND_COUNT] = {
    { .state = HEAP_SHARED, .kind = KIND_MANUAL }, { .state = HEAP_SHARED, .kind = KIND_COUNTED },
    { .state = HEAP_SHARED, .kind = KIND_TRACED }, { .state = HEAP_SHARED, .kind = KIND_LEAF },
};

/* What ended threads left empty, of malloc's blocks: EMPTIES small slabs at most. Threads that come
 * and go would cut them again and again. */
static struct heap empties = { .state = HEAP_SHARED, .kind = KIND_MANUAL };

struct heap *heap_orphans(enum heap_kind kind)
{
    return &orphans[kind];
}

struct heap *roster_first(void)
{
    return __atomic_load_n(&state.first, __ATOMIC_ACQUIRE);
}

/* -- birth ------------------------------------------------------------------------------------- */

static struct heap *make_heap(void)
{
    struct heap_lit *lit = meta_take_aligned(sizeof *lit, 2 * HEAP_SHADE);
    if (lit == NULL)
        return NULL;
    struct heap *heap = &lit->heap;
    heap->next = state.first;
    __atomic_store_n(&state.first, heap, __ATOMIC_RELEASE);
    COUNT_ONE(heaps_made);
    return heap;
}

struct heap *roster_attach(enum heap_kind kind)
{
    if (!lock_take(&roster_lock))
        return NULL;
    struct heap *heap = NULL;
    if (cage.base != 0 || cage_init()) {
        heap = state.dead[kind];
        if (heap != NULL) {
            state.dead[kind] = heap->next_dead;
            COUNT_ONE(heaps_reused);
        } else {
            heap = make_heap();
        }
    }
    if (heap != NULL) {
        trace_expect(kind);
        heap->kind = kind;
        heap->state = HEAP_LIVE;
        rest_spares_none(heap);
    }
    lock_give(&roster_lock);
    return heap;
}

/* -- death ------------------------------------------------------------------------------------- */

static bool is_spared(const struct slab *slab)
{
    return slab_all_free(slab) && slab->kind == KIND_MANUAL && slab->slices <= REST_SMALL;
}

/* One slab. A freer between raising PENDING and pushing makes the change of owner fail; draining
 * waits for him, for a while. What still will not go stays with the dead heap, and with whoever
 * gets it next. */
static bool hand_over(struct heap *heap, unsigned class)
{
    for (unsigned round = 0; round < DETACH_ROUNDS; round++) {
        struct slab *slab = heap->partial[class];
        if (slab == NULL)
            return false;
        struct heap *heir = is_spared(slab) ? &empties : &orphans[heap->kind];
        bool more = heir == &empties && empties.listed >= EMPTIES;  /* another ended meanwhile */
        if (more && heap_slab_retire(heap, slab))
            return true;
        if (slab_own(slab, (word)heap, (word)heir)) {
            heap_list_remove(heap, slab);
            heap_list_add(heir, slab);
            return true;
        }
        remote_drain(heap);
    }
    return false;
}

static void hand_over_all(struct heap *heap)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++)
        while (hand_over(heap, class))
            ;
}

static void bury(struct heap *heap)
{
    heap->state = HEAP_DEAD;
    heap->making = 0;
    __builtin_memset(heap->has, 0, sizeof heap->has);
    heap->next_dead = state.dead[heap->kind];
    state.dead[heap->kind] = heap;
}

/* A slab that was full may come back to a list already handed over: freed into by a thread without
 * a heap. */
void roster_detach(struct heap *heap)
{
    size_t left = __atomic_load_n(&empties.listed, __ATOMIC_RELAXED);
    heap_rest(heap, heap->kind == KIND_MANUAL && left < EMPTIES ? EMPTIES - left : 0);
    rest_ends(heap);
    if (!lock_take(&roster_lock))
        return;
    for (unsigned round = 0; heap->listed != 0 && round < DETACH_ROUNDS; round++)
        hand_over_all(heap);
    bury(heap);
    lock_give(&roster_lock);
}

/* -- adoption ---------------------------------------------------------------------------------- */

static void take_from(struct heap *from, struct heap *heap, struct slab *slab)
{
    heap_list_remove(from, slab);
    heap_has_more(heap, slab->class);
    COUNT_ONE(slabs_adopted);
}

static struct slab *take_empty(struct heap *heap, unsigned class)
{
    struct slab *slab = heap->kind == KIND_MANUAL ? empties.partial[class] : NULL;
    if (slab == NULL || !slab_own(slab, (word)&empties, (word)heap))
        return NULL;
    take_from(&empties, heap, slab);
    return slab;
}

static bool none_listed(const struct heap *heap)
{
    return __atomic_load_n(&heap->listed, __ATOMIC_RELAXED) == 0;
}

/* Several small ones at a time: one is left to the caller, the others are listed. */
struct slab *roster_adopt(struct heap *heap, unsigned class)
{
    struct heap *from = &orphans[heap->kind];
    if ((none_listed(from) && none_listed(&empties)) || !lock_try(&roster_lock))
        return NULL;
    if (!thread.nested)                          /* a handler could not give back what is empty */
        remote_drain(from);
    struct slab *slab = NULL, *next;
    size_t slices = 0;
    while (slices < ADOPT_SLICES && (next = from->partial[class]) != NULL &&
           slab_own(next, (word)from, (word)heap)) {
        take_from(from, heap, next);
        if (slab != NULL)
            heap_list_add(heap, slab);
        slab = next;
        slices += slab->slices;
    }
    if (slab == NULL)
        slab = take_empty(heap, class);
    lock_give(&roster_lock);
    return slab;
}

bool roster_adopt_slab(struct heap *heap, struct slab *slab)
{
    if (!lock_take(&roster_lock))
        return false;
    remote_drain(&orphans[heap->kind]);
    bool ours = slab_own(slab, (word)&orphans[heap->kind], (word)heap);
    if (ours)
        take_from(&orphans[heap->kind], heap, slab);
    lock_give(&roster_lock);
    if (ours)
        heap_list_add(heap, slab);
    return ours;
}

void roster_rest(void)
{
    if (none_listed(&empties) || !lock_take(&roster_lock))
        return;
    remote_drain(&empties);
    for (unsigned class = 0; class < CLASS_COUNT; class++)
        for (struct slab *slab; (slab = empties.partial[class]) != NULL;)
            if (!heap_slab_retire(&empties, slab))
                break;
    lock_give(&roster_lock);
}

/* -- fork -------------------------------------------------------------------------------------- */

static void forget_lists(struct heap *heap)
{
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        heap->cursor[class] = (struct cursor){ 0 };
        heap->partial[class] = NULL;
    }
    heap->listed = 0;
    heap->pending = NULL;
    rest_spares_none(heap);
}

/* A block whose thread was on its way to make an object of it is nobody's. */
static void unmake(struct heap *heap)
{
    word block = heap->making;
    heap->making = 0;
    if (block == 0 || !cage_holds(block))
        return;
    struct slab *slab = cage_slab(block);
    size_t index = slab_place(slab, block).index;
    if (slab->kind != KIND_COUNTED || index >= slab->blocks)
        return;
    if (slab_owner(slab) & OWNER_LARGE)
        slab_drop(slab);
    else
        slab->free[index >> 6] |= (uint64_t)1 << (index & 63);
}

/* The thread may have been stopped half way through a list, but its bitmaps are whole at every
 * instruction: what it owned is found by them alone. */
static void rescue(struct slab *slab, struct heap *heap)
{
    slab->watch = ~(uint64_t)0;
    remote_absorb(heap, slab);
    if (slab_all_free(slab)) {
        slab_drop(slab);
        return;
    }
    for (size_t i = 0; i < slab->words; i++)
        if ((slab->free[i] & ~slab_padding(slab, i)) != 0) {
            slab->owner = (word)&orphans[slab->kind];
            heap_list_add(&orphans[slab->kind], slab);
            return;
        }
    slab->owner = (word)heap | OWNER_FULL;
}

static bool has_remote(struct slab *slab)
{
    for (size_t i = 0; i < slab->words; i++)
        if (slab_remote(slab)[i] != 0)
            return true;
    return false;
}

/* Whoever freed into it may have been stopped anywhere on his way to the stack, which is empty
 * now. */
static void tell_again(struct heap *heap, struct slab *slab)
{
    slab->owner |= OWNER_PENDING;
    remote_push(heap, slab);
}

static void rescue_slabs(void)
{
    struct slab *slab;
    for (size_t at = 0; (slab = slab_next(&at)) != NULL;) {
        struct heap *heap = slab_heap(slab);
        if (heap == NULL)
            continue;
        if (heap->state == HEAP_DEAD && slab->owner != ((word)heap | OWNER_FULL))
            rescue(slab, heap);
        else if ((slab->owner & OWNER_PENDING) || has_remote(slab))
            tell_again(heap, slab);
    }
}

static bool is_his(const struct thread *owner, const struct heap *heap)
{
    if (heap->kind == KIND_MANUAL)
        return heap == heap_of(owner);
    return heap == owner->managed[heap->kind - 1];
}

/* A heap that was dead before may have kept a slab in a list (hand_over); it is found by its
 * bitmaps as well. */
static bool forget_others(const struct thread *owner)
{
    bool others = false;
    for (struct heap *heap = state.first; heap != NULL; heap = heap->next)
        others |= !is_his(owner, heap) && heap->state == HEAP_LIVE;
    for (struct heap *heap = state.first; others && heap != NULL; heap = heap->next) {
        if (is_his(owner, heap)) {
            heap->pending = NULL;
            continue;
        }
        unmake(heap);
        forget_lists(heap);
        if (heap->state == HEAP_LIVE)
            bury(heap);
    }
    return others;
}

void roster_fork_child(const struct thread *owner)
{
    if (!forget_others(owner))  /* nobody but us can have left anything half done */
        return;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        orphans[kind].pending = NULL;
    empties.pending = NULL;
    shared_forget_pending();
    rescue_slabs();
}
