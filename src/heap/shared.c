/* shared.c - heaps behind locks, and a last resort. */
#include "heap/shared.h"
#include "heap/remote.h"

enum { SHARED_HEAPS = 4, LAST_RESORT = 256 * 1024 };

static struct heap heaps[SHARED_HEAPS] = {
    { .state = HEAP_SHARED }, { .state = HEAP_SHARED },
    { .state = HEAP_SHARED }, { .state = HEAP_SHARED },
};

static struct heap *lock_any(void)
{
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        if (lock_try(&heaps[i].lock))
            return &heaps[i];
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        if (lock_take(&heaps[i].lock))           /* waits, unless this very thread holds it */
            return &heaps[i];
    return NULL;
}

word shared_alloc(unsigned class, bool *zero)
{
    struct heap *heap = lock_any();
    if (heap == NULL)
        return 0;
    remote_drain(heap);
    word block = heap_alloc(heap, class, zero);
    lock_give(&heap->lock);
    return block;
}

void shared_fork_child(void)
{
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        lock_reset(&heaps[i].lock);
}

void shared_forget_pending(void)
{
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        heaps[i].pending = NULL;
}

/* -- the last resort --------------------------------------------------------------------------- */

struct parcel {
    size_t bytes, unused;
    char   block[];
};
static char room[LAST_RESORT] ALIGNED(16);
static size_t used;

word shared_last_resort(size_t bytes)
{
    if (bytes > LAST_RESORT / 2)
        return 0;
    size_t need = sizeof(struct parcel) + round_up(bytes, 16);
    size_t at = __atomic_fetch_add(&used, need, __ATOMIC_RELAXED);
    if (at + need > LAST_RESORT) {
        __atomic_fetch_sub(&used, need, __ATOMIC_RELAXED);
        return 0;
    }
    struct parcel *parcel = (struct parcel *)(room + at);
    parcel->bytes = bytes;
    return (word)parcel->block;
}

bool shared_is_last_resort(word pointer)
{
    return pointer - (word)room < LAST_RESORT;
}

size_t shared_last_resort_bytes(word pointer)
{
    return ((struct parcel *)(pointer - sizeof(struct parcel)))->bytes;
}
