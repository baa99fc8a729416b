/* object.c - counted objects live by their handles, and end at once at the last.
 * The cascade of an ending object runs over a list through the headers of those that reached zero,
 * so a chain of a million needs no stack.
 * Source: reference counting is Collins' (1960); the list in place of recursion, Weizenbaum's
 * (1963).
 */
#include "managed/object.h"
#include "managed/pool.h"
#include "managed/weak.h"

enum { NESTING = 40 };  /* endings inside finalizers, before they are put off */

/* Of the thread: objects at count zero that wait for their turn. */
static __thread struct {
    struct header *first;
    unsigned       depth;                        /* of nested cascades */
} ending;

static void no_fault(enum fault_kind kind, word pointer, const char *call)
{
    (void)kind;
    (void)pointer;
    (void)call;
}

void (*object_fault)(enum fault_kind kind, word pointer, const char *call) = no_fault;

/* -- made -------------------------------------------------------------------------------------- */

static void note_young(word block)
{
    struct slab *slab = cage_slab(block);
    size_t index = slab_place(slab, block).index;
    uint64_t *young = trace_young(slab) + (index >> 6);
    __atomic_store_n(young, *young | (uint64_t)1 << (index & 63), __ATOMIC_RELAXED);
    uint8_t *has = &trace.has_young[cage_slice(slab->base)];
    if ((*has & TRACE_NEWEST) == 0)
        *has |= TRACE_NEWEST;
}

/* Nobody may stop us between the block and its header: a collector reads both. */
static void *begin(const struct midden_type *type, word block, bool zero)
{
    struct header *header = (struct header *)block;
    size_t bytes = cage_slab(block)->block_bytes;
    if (!zero)
        pool_clear(block, bytes);
    header->word = (word)type;
    __atomic_store_n(&header->count, 1, __ATOMIC_RELAXED);
    note_young(block);
    struct heap *heap = pool_heap(KIND_COUNTED);
    if (LIKELY(heap != NULL))
        pool_end_making(heap);
    return (void *)header_object(header);
}

static word take_quick(size_t bytes)
{
    struct heap *heap = pool_heap(KIND_COUNTED);
    if (UNLIKELY(heap == NULL || bytes > CLASS_QUICK_MAX))
        return 0;
    struct cursor *cursor = heap_quick(heap, bytes);
    uint64_t left;
    word block = cursor_next(heap, cursor, &left);
    if (UNLIKELY(block == 0))
        return 0;
    pool_begin_making(heap, block);
    cursor_move(heap, cursor, left);
    __atomic_store_n(&heap->volume, heap->volume + cursor->block_bytes, __ATOMIC_RELAXED);
    return block;
}

static NOINLINE void *make_slow(const struct midden_type *type, size_t bytes)
{
    bool zero;
    word block = pool_take_inside(KIND_COUNTED, bytes, &zero);
    return block != 0 ? begin(type, block, zero) : NULL;
}

void *object_make(const struct midden_type *type, size_t bytes)
{
    size_t whole = (bytes != 0 ? bytes : 1) + HEADER_BYTES;   /* its address lies inside */
    if (whole > PTRDIFF_MAX || heap_enter_was())
        return NULL;
    word block = take_quick(whole);
    void *object = LIKELY(block != 0) ? begin(type, block, false) : make_slow(type, whole);
    heap_leave();
    return object;
}

/* -- handles ----------------------------------------------------------------------------------- */

enum fault_kind object_retain(word object)
{
    struct trace_block block;
    enum fault_kind fault = object_find(object, &block);
    if (UNLIKELY(fault != FAULT_NONE))
        return fault;
    struct header *header = object_header(object);
    if (LIKELY(__atomic_fetch_add(&header->count, 1, __ATOMIC_RELAXED) != 0))
        return FAULT_NONE;
    __atomic_fetch_sub(&header->count, 1, __ATOMIC_RELAXED);
    return FAULT_OBJECT_GONE;
}

bool object_try_retain(struct header *header)
{
    uint32_t count = header_count(header);
    while (count != 0)
        if (__atomic_compare_exchange_n(&header->count, &count, count + 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

/* -- owned fields ------------------------------------------------------------------------------ */

struct each {
    object_visit *visit;
    void         *arg;
};

static void each_visited(void **field, void *arg)
{
    const struct each *each = arg;
    each->visit((word *)field, each->arg);
}

void object_each_owned(word object, object_visit *visit, void *arg)
{
    const struct midden_type *type = header_type(object_header(object));
    for (const size_t *at = type->owned; at != NULL && *at != MIDDEN_END; at++)
        visit((word *)(object + *at), arg);
    struct each each = { visit, arg };
    if (type->visit != NULL)
        type->visit((void *)object, each_visited, &each);
}

/* -- the end ----------------------------------------------------------------------------------- */

static void wait_for_turn(struct header *header)
{
    header_link(header, ending.first);
    ending.first = header;
}

/* True: that was the last handle. */
static bool drop_handle(word object, enum fault_kind *fault)
{
    struct trace_block block;
    *fault = object_find(object, &block);
    if (UNLIKELY(*fault != FAULT_NONE))
        return false;
    struct header *header = object_header(object);
    uint32_t before = __atomic_fetch_sub(&header->count, 1, __ATOMIC_ACQ_REL);
    if (LIKELY(before > 1))
        return false;
    if (before == 1)
        return true;
    __atomic_fetch_add(&header->count, 1, __ATOMIC_RELAXED);
    *fault = FAULT_OBJECT_GONE;
    return false;
}

static void drop_field(word *field, void *unused)
{
    enum fault_kind fault;
    word object = *field;
    (void)unused;
    *field = 0;
    if (object == 0)
        return;
    if (drop_handle(object, &fault))
        wait_for_turn(object_header(object));
    else if (UNLIKELY(fault != FAULT_NONE))
        object_fault(fault, object, "an owned field");
}

static bool is_finalized_for_good(struct header *header)
{
    const struct midden_type *type = header_type(header);
    if (type->finalize == NULL || (header_flags(header) & FLAG_FINALIZED))
        return true;
    header_raise(header, FLAG_FINALIZED);
    __atomic_store_n(&header->count, 1, __ATOMIC_RELAXED);     /* it may be retained by its own */
    object_busy++;
    type->finalize((void *)header_object(header));
    object_busy--;
    return __atomic_fetch_sub(&header->count, 1, __ATOMIC_ACQ_REL) == 1;
}

static void end_one(struct header *header)
{
    struct trace_block block;
    if (header_flags(header) & FLAG_WEAK)
        weak_clear(header);
    if (!is_finalized_for_good(header))
        return;                                  /* it lives */
    if (header_flags(header) & FLAG_WEAK)        /* made by the finalizer */
        weak_clear(header);
    object_each_owned(header_object(header), drop_field, NULL);
    if (object_find(header_object(header), &block) == FAULT_NONE)
        pool_give(block.slab, block.index);
}

/* A finalizer may release others, and those end before it goes on; nested too deep, they wait for
 * the cascade that is under way. */
static void cascade(void)
{
    if (ending.depth >= NESTING)
        return;
    ending.depth++;
    while (ending.first != NULL) {
        struct header *header = ending.first;
        ending.first = header_next(header);
        end_one(header);
    }
    ending.depth--;
}

enum fault_kind object_release(word object)
{
    enum fault_kind fault;
    if (LIKELY(!drop_handle(object, &fault)))
        return fault;
    wait_for_turn(object_header(object));
    cascade();
    return FAULT_NONE;
}

void object_drop_owned(word object)
{
    object_each_owned(object, drop_field, NULL);
    cascade();
}
