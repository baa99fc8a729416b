/* gc.c - the doors of midden/gc.h that make, hold and let go.
 * Job         Check arguments as the header says, then one call inwards; after a slow path, ask the
 *             policy. Collections and what is asked about them: gc_collect.c.
 * Locking     none.
 */
#include "front/gc.h"
#include "front/front.h"
#include "front/watch.h"
#include "gc/root.h"
#include "managed/ask.h"
#include "managed/collect.h"
#include "managed/intern.h"
#include "managed/object.h"
#include "managed/pool.h"
#include "managed/weak.h"

#include <errno.h>
#include <midden/gc.h>

static void *fail(int error)
{
    errno = error;
    return NULL;
}

static int refuse(int error)
{
    errno = error;
    return -1;
}

static bool sum_wraps(size_t a, size_t b)
{
    return a + b < a || a + b > PTRDIFF_MAX;
}

/* -- counted objects --------------------------------------------------------------------------- */

static bool owned_are_valid(const struct midden_type *type)
{
    for (const size_t *at = type->owned; at != NULL && *at != MIDDEN_END; at++)
        if (*at % sizeof(void *) != 0 || *at >= type->object_bytes ||
            type->object_bytes - *at < sizeof(void *))
            return false;
    return true;
}

static bool type_is_valid(const struct midden_type *type)
{
    return type != NULL && type->size == sizeof *type && type->flags <= MIDDEN_CONSERVATIVE &&
           owned_are_valid(type);
}

/* The count goes up before the object is made, and a collection comes before it, as in CPython. */
static void count_one(void)
{
    struct heap *heap = pool_heap(KIND_COUNTED);
    if (heap == NULL)
        return;
    uint32_t fresh = heap->fresh + 1;
    __atomic_store_n(&heap->fresh, fresh, __ATOMIC_RELAXED);
    if (UNLIKELY(fresh > __atomic_load_n(&gc_gate, __ATOMIC_RELAXED)))
        gc_consider_objects();
}

/* A thread without a heap of its own is counted once it has one. */
static NOINLINE void *new_first(const struct midden_type *type, size_t bytes)
{
    gc_begin();
    watch_needed();
    void *object = object_make(type, bytes);
    struct heap *heap = pool_heap(KIND_COUNTED);
    if (object != NULL && heap != NULL)
        __atomic_store_n(&heap->fresh, heap->fresh + 1, __ATOMIC_RELAXED);
    return object;
}

static NOINLINE void *new_again(const struct midden_type *type, size_t bytes)
{
    void *object = gc_exhausted() ? object_make(type, bytes) : NULL;
    return object != NULL ? object : fail(ENOMEM);
}

EXPORT void *midden_new(const struct midden_type *type, size_t extra_bytes)
{
    if (UNLIKELY(!type_is_valid(type)))
        return fail(EINVAL);
    if (UNLIKELY(sum_wraps(type->object_bytes, extra_bytes)))
        return fail(ENOMEM);
    size_t bytes = type->object_bytes + extra_bytes;
    count_one();
    void *object = LIKELY(pool_heap(KIND_COUNTED) != NULL) ? object_make(type, bytes)
                                                            : new_first(type, bytes);
    return LIKELY(object != NULL) ? object : new_again(type, bytes);
}

EXPORT void *midden_retain(void *object)
{
    if (object == NULL)
        return NULL;
    enum fault_kind fault = object_retain((word)object);
    if (UNLIKELY(fault != FAULT_NONE))
        front_fault(fault, (word)object, 0, "midden_retain");
    return object;
}

static void release(void *object, const char *call)
{
    int kept = errno;
    enum fault_kind fault = object_release((word)object);
    if (UNLIKELY(fault != FAULT_NONE))
        front_fault(fault, (word)object, 0, call);
    errno = kept;
}

EXPORT void midden_release(void *object)
{
    if (object != NULL)
        release(object, "midden_release");
}

EXPORT void midden_assign(void *field, void *object)
{
    void **at = field, *before = *at;
    if (object != NULL) {
        enum fault_kind fault = object_retain((word)object);
        if (UNLIKELY(fault != FAULT_NONE)) {
            front_fault(fault, (word)object, 0, "midden_assign");
            return;
        }
    }
    *at = object;
    if (before != NULL)
        release(before, "midden_assign");
}

EXPORT size_t midden_handles(const void *object)
{
    struct trace_block block;
    if (object == NULL || object_find((word)object, &block) != FAULT_NONE)
        return 0;
    return header_count(object_header((word)object));
}

/* -- uncounted objects ------------------------------------------------------------------------- */

static NOINLINE word take_slow(enum heap_kind kind, size_t bytes, bool *zero)
{
    gc_begin();
    gc_consider_volume();
    word block = pool_take(kind, bytes, zero);
    if (UNLIKELY(block == 0) && gc_exhausted())
        block = pool_take(kind, bytes, zero);
    return block;
}

/* Until its address is returned a block is nobody's: whoever stops us before it is clear keeps a
 * little more than he must. */
static NOINLINE void *alloc_slow(size_t bytes)
{
    bool zero = false;
    word block = bytes <= PTRDIFF_MAX ? take_slow(KIND_TRACED, bytes, &zero) : 0;
    if (UNLIKELY(block == 0))
        return fail(ENOMEM);
    if (!zero)
        pool_clear(block, cage_slab(block)->block_bytes);
    return (void *)block;
}

EXPORT void *midden_alloc(size_t bytes)
{
    size_t block_bytes;
    if (UNLIKELY(bytes > CLASS_QUICK_MAX))
        return alloc_slow(bytes);
    word block = pool_take_quick(KIND_TRACED, bytes, &block_bytes);
    if (UNLIKELY(block == 0))
        return alloc_slow(bytes);
    if (LIKELY(block_bytes <= POOL_CLEAR_HERE))
        pool_clear_here(block, block_bytes);
    else
        __builtin_memset((void *)block, 0, block_bytes);
    return (void *)block;
}

static NOINLINE void *leaf_slow(size_t bytes)
{
    bool zero;
    word block = bytes <= PTRDIFF_MAX ? take_slow(KIND_LEAF, bytes, &zero) : 0;
    return LIKELY(block != 0) ? (void *)block : fail(ENOMEM);
}

EXPORT void *midden_alloc_leaf(size_t bytes)
{
    size_t block_bytes;
    word block = bytes <= CLASS_QUICK_MAX ? pool_take_quick(KIND_LEAF, bytes, &block_bytes) : 0;
    return LIKELY(block != 0) ? (void *)block : leaf_slow(bytes);
}

EXPORT const void *midden_intern(const void *bytes, size_t count)
{
    if (bytes == NULL && count != 0)
        return fail(EINVAL);
    if (sum_wraps(count, 1))
        return fail(ENOMEM);
    gc_begin();
    gc_consider_volume();
    word object = intern(bytes != NULL ? bytes : "", count);
    if (UNLIKELY(object == 0) && gc_exhausted())
        object = intern(bytes != NULL ? bytes : "", count);
    return object != 0 ? (const void *)object : fail(ENOMEM);
}

/* -- weak handles ------------------------------------------------------------------------------ */

EXPORT struct midden_weak *midden_weak(void *object)
{
    struct trace_block block;
    if (object == NULL || object_find((word)object, &block) != FAULT_NONE)
        return fail(EINVAL);
    struct midden_weak *weak = weak_make(object_header((word)object));
    return weak != NULL ? weak : fail(ENOMEM);
}

EXPORT void *midden_weak_get(struct midden_weak *weak)
{
    struct header *header = weak != NULL ? weak_get(weak) : NULL;
    return header != NULL ? (void *)header_object(header) : NULL;
}

EXPORT void midden_weak_drop(struct midden_weak *weak)
{
    if (weak != NULL)
        weak_drop(weak);
}

/* -- roots ------------------------------------------------------------------------------------- */

/* The thread is inside while it holds the lock, so that nobody stops it there. */
static int with_roots(int (*call)(word base, size_t bytes), word base, size_t bytes)
{
    gc_begin();
    bool outer = heap_enter_was();
    int error = call(base, bytes);
    heap_leave_to(outer);
    return error == 0 ? 0 : refuse(error);
}

EXPORT int midden_root_add(const void *base, size_t bytes)
{
    word start = (word)base;
    if (start == 0 || start % sizeof(void *) != 0 || bytes == 0 || start + bytes <= start)
        return refuse(EINVAL);
    return with_roots(root_add, start, bytes);
}

static int remove_root(word base, size_t unused)
{
    (void)unused;
    return root_remove(base);
}

EXPORT int midden_root_remove(const void *base)
{
    return with_roots(remove_root, (word)base, 0);
}

EXPORT int midden_scan(int what)
{
    if (what != MIDDEN_SCAN_ALL && what != MIDDEN_SCAN_REGISTERED)
        return refuse(EINVAL);
    collect_scan(what);
    return 0;
}

/* -- asked ------------------------------------------------------------------------------------- */

static long answer(long visits)
{
    if (visits >= 0)
        return visits;
    return refuse(visits == -1 ? EAGAIN : EINVAL);
}

EXPORT long midden_get_objects(int generation, midden_object_visitor *visit, void *arg)
{
    if (visit == NULL || generation < -1 || generation > MIDDEN_FULL)
        return refuse(EINVAL);
    life_notice();
    return answer(ask_objects(generation, visit, arg));
}

EXPORT long midden_get_referrers(void *const *objects, size_t count,
                                 midden_reference_visitor *visit, void *arg)
{
    if (visit == NULL || (objects == NULL && count != 0))
        return refuse(EINVAL);
    life_notice();
    return answer(ask_referrers(objects, count, visit, arg));
}

EXPORT long midden_get_referents(void *const *objects, size_t count, midden_object_visitor *visit,
                                 void *arg)
{
    if (visit == NULL || (objects == NULL && count != 0))
        return refuse(EINVAL);
    life_notice();
    return answer(ask_referents(objects, count, visit, arg));
}

EXPORT int midden_is_tracked(const void *address)
{
    return ask_is_tracked((word)address);
}

EXPORT int midden_is_finalized(const void *address)
{
    return ask_is_finalized((word)address);
}

EXPORT long midden_garbage(midden_object_visitor *visit, void *arg)
{
    life_notice();
    return visit != NULL ? collect_garbage(visit, arg) : refuse(EINVAL);
}

EXPORT long midden_garbage_clear(void)
{
    life_notice();
    return collect_garbage_clear();
}

EXPORT int midden_freeze(void)
{
    life_notice();
    return ask_freeze() ? 0 : refuse(EAGAIN);
}

EXPORT int midden_unfreeze(void)
{
    life_notice();
    return ask_unfreeze() ? 0 : refuse(EAGAIN);
}

EXPORT size_t midden_get_freeze_count(void)
{
    life_notice();
    return ask_frozen();
}
