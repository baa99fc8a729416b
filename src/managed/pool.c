/* pool.c - heaps of the managed kinds, attached at first use. */
#include "managed/pool.h"
#include "heap/large.h"
#include "heap/roster.h"
#include "heap/trace.h"

/* What is larger is a span of its own, to the page: what is collected waits for its turn, and what
 * a class rounds up, or a slab of two blocks holds free, would wait with it. */
#define SMALL_MOST (4 * SLICE_BYTES)

static struct {
    uint64_t volume;  /* of large blocks, and of threads that have none of their own any more */
    uint32_t used;
} state;

bool pool_without_malloc;

/* -- heaps ------------------------------------------------------------------------------------- */

static struct heap *attach(enum heap_kind kind)
{
    struct heap *heap = pool_heap(kind);
    bool waits = heap_is_nobody(heap_mine()) && !pool_without_malloc;                     /* P1 */
    if (heap != NULL || thread.late || waits)
        return heap;
    heap = roster_attach(kind);
    thread.managed[kind - 1] = heap;
    __atomic_store_n(&state.used, 1, __ATOMIC_RELEASE);
    return heap;
}

bool pool_is_used(void)
{
    return __atomic_load_n(&state.used, __ATOMIC_ACQUIRE) != 0;
}

/* A thread past its last destructor borrows a heap for one call. */
void pool_detach(void)
{
    for (unsigned kind = KIND_COUNTED; kind < KIND_COUNT; kind++) {
        struct heap *heap = thread.managed[kind - 1];
        if (heap == NULL)
            continue;
        thread.managed[kind - 1] = NULL;
        roster_detach(heap);
    }
}

/* -- blocks ------------------------------------------------------------------------------------ */

/* Of a quick class, what the cursor finds in a word is taken for issued when it comes to that word:
 * right to within 64 blocks a class. */
static word take_small(struct heap *heap, size_t bytes, bool *zero)
{
    unsigned class = class_of(bytes);
    struct cursor *cursor = &heap->cursor[class];
    bool next_word = !cursor_aims(heap, cursor);
    if (!heap_ready(heap, class))
        return 0;
    uint64_t left;
    if (heap->kind == KIND_COUNTED)
        pool_begin_making(heap, cursor_next(heap, cursor, &left));
    word block = heap_alloc(heap, class, zero);
    /* the others come here every time, or are counted where they are made */
    bool quick = bytes <= CLASS_QUICK_MAX && heap->kind != KIND_COUNTED;
    size_t in_word = next_word ? bit_count(cursor_left(heap, cursor)) + 1 : 0;
    size_t blocks = quick ? in_word : 1;
    size_t volume = heap->volume + blocks * cursor->block_bytes;
    __atomic_store_n(&heap->volume, volume, __ATOMIC_RELAXED);
    return block;
}

static word take_large(struct heap *heap, size_t bytes, bool *zero)
{
    word block = large_alloc(bytes, 1, true, zero);
    if (block == 0)
        return 0;
    struct slab *slab = cage_slab(block);
    if (heap->kind == KIND_COUNTED)
        pool_begin_making(heap, block);
    slab->kind = (uint8_t)heap->kind;
    __atomic_fetch_add(&state.volume, slab->block_bytes, __ATOMIC_RELAXED);
    return block;
}

static word take_from(struct heap *heap, size_t bytes, bool *zero)
{
    return bytes <= SMALL_MOST ? take_small(heap, bytes, zero) : take_large(heap, bytes, zero);
}

/* No table of marks reaches there. */
static void take_back(struct heap *heap, word block)
{
    struct slab *slab = cage_slab(block);
    pool_end_making(heap);
    heap_give(heap, slab, slab_place(slab, block).index);
    heap_rest(heap, 0);                          /* no cursor stays there */
}

static word take(enum heap_kind kind, size_t bytes, bool *zero)
{
    struct heap *heap = trace_cover() ? attach(kind) : NULL, *borrowed = NULL;
    if (heap == NULL && (heap = borrowed = roster_attach(kind)) == NULL)
        return 0;
    word block = take_from(heap, bytes, zero);
    if (block == 0) {                            /* what is empty here may be enough elsewhere */
        heap_rest(heap, 0);
        block = take_from(heap, bytes, zero);
    }
    if (block != 0 && !trace_cover()) {
        take_back(heap, block);
        block = 0;
    }
    if (borrowed != NULL) {
        pool_end_making(borrowed);               /* nobody else will */
        roster_detach(borrowed);
    }
    return block;
}

word pool_take_inside(enum heap_kind kind, size_t bytes, bool *zero)
{
    *zero = false;
    return take(kind, bytes, zero);
}

word pool_take(enum heap_kind kind, size_t bytes, bool *zero)
{
    *zero = false;
    if (bytes > PTRDIFF_MAX || heap_enter_was())
        return 0;
    word block = take(kind, bytes == 0 ? 1 : bytes, zero);
    heap_leave();
    return block;
}

void pool_give(struct slab *slab, size_t index)
{
    struct heap *heap = pool_heap(KIND_COUNTED);
    bool outer = heap_enter_was();
    if (heap != NULL) {
        if (heap->fresh != 0)
            __atomic_store_n(&heap->fresh, heap->fresh - 1, __ATOMIC_RELAXED);
        __atomic_store_n(&heap->volume, heap->volume - slab->block_bytes, __ATOMIC_RELAXED);
    } else {
        __atomic_fetch_sub(&state.volume, slab->block_bytes, __ATOMIC_RELAXED);
    }
    heap_give(outer ? NULL : heap, slab, index);
    heap_leave_to(outer);
}

void pool_clear(word block, size_t bytes)
{
    if (bytes <= POOL_CLEAR_HERE)
        pool_clear_here(block, bytes);
    else
        __builtin_memset((void *)block, 0, bytes);
}

/* -- figures ----------------------------------------------------------------------------------- */

uint64_t pool_volume(void)
{
    uint64_t sum = __atomic_load_n(&state.volume, __ATOMIC_RELAXED);
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        if (heap->kind != KIND_MANUAL)
            sum += __atomic_load_n(&heap->volume, __ATOMIC_RELAXED);
    return sum;
}

uint64_t pool_fresh(void)
{
    uint64_t sum = 0;
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        sum += __atomic_load_n(&heap->fresh, __ATOMIC_RELAXED);
    return sum;
}

void pool_reset_fresh(void)
{
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        __atomic_store_n(&heap->fresh, 0, __ATOMIC_RELAXED);
}
