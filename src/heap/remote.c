/* remote.c - set a bit, raise a flag, push a slab; absorb. */
#include "heap/remote.h"
#include "base/count.h"

enum { STACK_BOUND = 1 << 24 };                  /* a corrupt list must not hang free */

void remote_push(struct heap *heap, struct slab *slab)
{
    struct slab *top = __atomic_load_n(&heap->pending, __ATOMIC_RELAXED);
    do
        slab->pending_next = top;
    while (!__atomic_compare_exchange_n(&heap->pending, &top, slab, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
}

/* The owner may change under our feet (a thief, an orphan's adopter): whoever he is when PENDING
 * goes up gets the slab. No heap: our bit was the last and has been absorbed, the slab is gone
 * already. */
static void tell_owner(struct slab *slab)
{
    word owner = __atomic_load_n(&slab->owner, __ATOMIC_SEQ_CST);
    while (!(owner & OWNER_PENDING) && (owner & ~(word)OWNER_FLAGS) != 0) {
        if (slab_own(slab, owner, owner | OWNER_PENDING)) {
            remote_push((struct heap *)(owner & ~(word)OWNER_FLAGS), slab);
            return;
        }
        owner = __atomic_load_n(&slab->owner, __ATOMIC_SEQ_CST);
    }
}

enum fault_kind remote_free(struct slab *slab, size_t index)
{
    uint64_t bit = (uint64_t)1 << (index & 63);
    if (__atomic_load_n(&slab->free[index >> 6], __ATOMIC_RELAXED) & bit)
        return FAULT_DOUBLE_FREE;
    if ((__atomic_fetch_or(&slab_remote(slab)[index >> 6], bit, __ATOMIC_SEQ_CST) & bit) != 0)
        return FAULT_DOUBLE_FREE;
    tell_owner(slab);
    return FAULT_NONE;
}

/* Sets `free` before it clears `remote`, so that at no moment a block is in neither (S1). A block
 * in both was freed by its owner while another thread freed it. */
void remote_absorb(struct heap *heap, struct slab *slab)
{
    uint64_t *remote = slab_remote(slab);
    for (size_t i = 0; i < slab->words; i++) {
        uint64_t freed = __atomic_load_n(&remote[i], __ATOMIC_SEQ_CST);
        if (freed == 0)
            continue;
        uint64_t twice = freed & slab->free[i];
        if (UNLIKELY(twice != 0))
            heap->twice = slab_block(slab, i * 64 + bit_lowest(twice));
        __atomic_store_n(&slab->free[i], slab->free[i] | freed, __ATOMIC_RELEASE);
        __atomic_fetch_and(&remote[i], ~freed, __ATOMIC_SEQ_CST);
    }
}

/* A slab that was full rejoins its list, unless what PENDING told of was absorbed and issued again
 * before; one that became empty goes back to the cage. */
static void take_back(struct heap *heap, struct slab *slab)
{
    word kept = ~(word)(OWNER_PENDING | OWNER_FULL);
    word before = __atomic_fetch_and(&slab->owner, kept, __ATOMIC_SEQ_CST);
    remote_absorb(heap, slab);
    if ((before & OWNER_FULL) && !heap_shelve(heap, slab))
        return;
    if (slab->watch != 0)
        heap_free_full_word(heap, slab);
}

void remote_drain(struct heap *heap)
{
    if (__atomic_load_n(&heap->pending, __ATOMIC_RELAXED) == NULL)
        return;
    struct slab *slab = __atomic_exchange_n(&heap->pending, NULL, __ATOMIC_ACQUIRE);
    COUNT_ONE(remote_rounds);
    for (unsigned i = 0; slab != NULL && i < STACK_BOUND; i++) {
        struct slab *next = slab->pending_next;
        take_back(heap, slab);
        slab = next;
    }
}
