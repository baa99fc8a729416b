/* large.c - spans as blocks. */
#include "heap/large.h"
#include "heap/heap.h"
#include "heap/span.h"
#include "base/count.h"

#define MOVE_MIN KIB(512)  /* below, copying costs no more than moving */

static struct slab *deferred;  /* freed inside a signal handler; any thread pops the whole stack */

word large_alloc(size_t bytes, size_t align, bool dense, bool *zero)
{
    struct slab *slab = slab_make_large(bytes, align, dense, zero);
    return slab != NULL ? slab->base : 0;
}

static void defer(struct slab *slab)
{
    struct slab *top = __atomic_load_n(&deferred, __ATOMIC_RELAXED);
    do
        slab->pending_next = top;
    while (!__atomic_compare_exchange_n(&deferred, &top, slab, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
}

/* The bit decides between two threads that free the same block. In a signal handler that
 * interrupted malloc or free the locks may be ours already: the span waits for the next slow
 * path. */
enum fault_kind large_free(struct slab *slab)
{
    if (__atomic_fetch_or(&slab->free[0], 1, __ATOMIC_ACQ_REL) & 1)
        return FAULT_DOUBLE_FREE;
    if (thread.nested)
        defer(slab);
    else
        slab_drop(slab);
    return FAULT_NONE;
}

void large_drain(void)
{
    if (LIKELY(__atomic_load_n(&deferred, __ATOMIC_RELAXED) == NULL) || thread.nested)
        return;
    struct slab *slab = __atomic_exchange_n(&deferred, NULL, __ATOMIC_ACQUIRE);
    while (slab != NULL) {
        struct slab *next = slab->pending_next;
        slab_drop(slab);
        slab = next;
    }
}

/* Into pages that are there it is copied: moving would give them up. */
static word move(struct slab *slab, size_t bytes)
{
    bool zero;
    size_t kept = slab->block_bytes < bytes ? slab->block_bytes : bytes;
    struct slab *target = slab_make_large(bytes, 1, false, &zero);
    if (target == NULL)
        return 0;
    word block = target->base;
    bool may = target->cold && kept >= MOVE_MIN;
    enum os_moved moved = may ? slab_move_large(slab, target, kept) : OS_REFUSED;
    if (moved == OS_LOST)
        return 0;
    if (moved == OS_MOVED)
        COUNT_ONE(large_moved);
    else
        __builtin_memcpy((void *)block, (void *)slab->base, kept);
    large_free(slab);
    return block;
}

word large_resize(struct slab *slab, size_t bytes)
{
    if (slab_resize_large(slab, bytes)) {
        COUNT_ONE(large_grown);
        return slab->base;
    }
    return move(slab, bytes);
}
