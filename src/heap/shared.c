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

void shared_each(void (*visit)(struct heap *heap))
{
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        visit(&heaps[i]);
}

void shared_forget_pending(void)
{
    for (unsigned i = 0; i < SHARED_HEAPS; i++)
        heaps[i].pending = NULL;
}

/* -- the last resort --------------------------------------------------------------------------- */

struct parcel {
    size_t bytes;
    word   own;                                  /* its own address while it is given out */
    char   block[];
};
static char room[LAST_RESORT] ALIGNED(16);
static uint64_t parcels;  /* how many are out; in the upper half, the bytes of the room in use */

word shared_last_resort(size_t bytes)
{
    uint64_t now = __atomic_load_n(&parcels, __ATOMIC_RELAXED), then;
    uint64_t need = sizeof(struct parcel) + round_up(bytes, 16);
    if (bytes > LAST_RESORT / 2)
        return 0;
    do {
        if ((now >> 32) + need > LAST_RESORT)
            return 0;
        then = now + (need << 32) + 1;
    } while (!__atomic_compare_exchange_n(&parcels, &now, then, true, __ATOMIC_ACQUIRE,
                                          __ATOMIC_RELAXED));
    struct parcel *parcel = (struct parcel *)(room + (now >> 32));
    parcel->bytes = bytes;
    __atomic_store_n(&parcel->own, (word)parcel, __ATOMIC_RELAXED);
    return (word)parcel->block;
}

/* The room begins anew when the last parcel is back. What is no parcel, or back already, is left
 * alone. */
void shared_last_resort_give(word pointer)
{
    struct parcel *parcel = (struct parcel *)(pointer - sizeof *parcel);
    word own = (word)parcel;
    if (own % 16 != 0 || own < (word)room ||
        !__atomic_compare_exchange_n(&parcel->own, &own, 0, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return;
    uint64_t now = __atomic_load_n(&parcels, __ATOMIC_RELAXED), then;
    do
        then = (uint32_t)now == 1 ? 0 : now - 1;
    while (!__atomic_compare_exchange_n(&parcels, &now, then, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
}

bool shared_is_last_resort(word pointer)
{
    return pointer - (word)room < LAST_RESORT;
}

size_t shared_last_resort_bytes(word pointer)
{
    return ((struct parcel *)(pointer - sizeof(struct parcel)))->bytes;
}

/* Nobody writes there while the world is stopped. */
word shared_last_resort_unused(word *end)
{
    *end = (word)room + LAST_RESORT;
    return (word)room + (__atomic_load_n(&parcels, __ATOMIC_RELAXED) >> 32);
}
