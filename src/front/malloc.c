/* malloc.c - the malloc family of the C ABI.
 * Job         malloc and free by their fast paths (fast.h), the rest of the family around them.
 * Locking     none.
 */
#include "front/fast.h"
#include "heap/large.h"

#include <errno.h>

/* -- malloc, free: fast.h, or the long way ----------------------------------------------------- */

static NOINLINE void *malloc_slow(size_t bytes)
{
    bool zero;
    return front_give(front_alloc(bytes, &zero));
}

static NOINLINE void *malloc_dry(size_t at)
{
    word block = fast_dry(at);
    return LIKELY(block != 0) ? (void *)block : malloc_slow(heap_bytes_at(at));
}

static NOINLINE void *malloc_medium(size_t bytes)
{
    word block = fast_medium(bytes);
    return LIKELY(block != 0) ? (void *)block : malloc_slow(bytes);
}

EXPORT void *PUBLIC(malloc)(size_t bytes)
{
    if (UNLIKELY(bytes > CLASS_QUICK_MAX))
        return malloc_medium(bytes);
    size_t at = heap_quick_at[bytes];
    word block = fast_malloc(at);
    return LIKELY(block != 0) ? (void *)block : malloc_dry(at);
}

static NOINLINE void free_slow(word pointer)
{
    if (!fast_free_into_full(pointer))
        front_free(pointer, "free");
}

EXPORT void PUBLIC(free)(void *pointer)
{
    if (UNLIKELY(!fast_free((word)pointer, 0)))
        free_slow((word)pointer);
}

/* -- calloc, realloc --------------------------------------------------------------------------- */

static NOINLINE void *calloc_large(size_t bytes)
{
    bool zero = false;
    void *block = front_give(front_alloc(bytes, &zero));
    return block == NULL || zero ? block : __builtin_memset(block, 0, bytes);
}

EXPORT void *PUBLIC(calloc)(size_t count, size_t bytes)
{
    size_t total;
    if (UNLIKELY(__builtin_mul_overflow(count, bytes, &total)))
        return front_give(0);
    if (UNLIKELY(total > CLASS_QUICK_MAX))
        return calloc_large(total);
    void *block = PUBLIC(malloc)(total);
    return LIKELY(block != NULL) ? __builtin_memset(block, 0, total) : NULL;
}

/* Stays while the block is not more than twice what is asked for: a vector that shrinks a little is
 * not copied. */
INLINE bool stays(const struct slab *slab, size_t bytes)
{
    size_t has = slab->block_bytes;
    return bytes <= has && (bytes > has / 2 || has == CLASS_ALIGN);
}

static word copy_to_new(word pointer, size_t had, size_t bytes)
{
    bool zero;
    word block = front_alloc(bytes, &zero);
    if (block == 0)
        return 0;
    __builtin_memcpy((void *)block, (void *)pointer, had < bytes ? had : bytes);
    front_free(pointer, "realloc");
    return block;
}

static word resize(struct slab *slab, word pointer, size_t bytes)
{
    if (stays(slab, bytes) && slab->class != CLASS_COUNT)
        return pointer;
    bool large = slab->class == CLASS_COUNT && bytes > CLASS_MAX_BYTES && bytes <= PTRDIFF_MAX;
    if (large && !heap_is_inside()) {
        life_slow_path();
        heap_enter();
        word block = large_resize(slab, bytes);
        heap_leave();
        return block;
    }
    return copy_to_new(pointer, slab->block_bytes, bytes);
}

static NOINLINE void *realloc_slow(void *pointer, size_t bytes)
{
    struct slab *slab;
    size_t index;
    if (bytes == 0 && front_zero_frees()) {
        front_free((word)pointer, "realloc");
        return NULL;
    }
    if (UNLIKELY(!cage_holds((word)pointer)))
        return foreign_realloc((word)pointer, bytes);
    enum fault_kind fault = heap_find((word)pointer, &slab, &index);
    if (UNLIKELY(fault != FAULT_NONE)) {
        front_fault(fault, (word)pointer, 0, "realloc");
        return front_give(0);
    }
    return front_give(resize(slab, (word)pointer, bytes));
}

/* From one small block of this thread's to another: a vector that grows. */
static NOINLINE void *realloc_quick(const struct slab *slab, void *pointer, size_t bytes)
{
    size_t had = slab->block_bytes;
    if (stays(slab, bytes))                      /* of the smallest there is no half */
        return pointer;
    size_t at = heap_quick_at[bytes];
    word block = fast_malloc(at);
    if (UNLIKELY(block == 0) && (block = fast_dry(at)) == 0)
        return realloc_slow(pointer, bytes);
    __builtin_memcpy((void *)block, pointer, had < bytes ? had : bytes);
    if (UNLIKELY(!fast_free((word)pointer, 0)))
        front_free((word)pointer, "realloc");
    return (void *)block;
}

EXPORT void *PUBLIC(realloc)(void *pointer, size_t bytes)
{
    struct slab *slab = fast_slab((word)pointer);
    if (LIKELY(slab != NULL)) {
        size_t had = slab->block_bytes;
        if (LIKELY(bytes <= had) && LIKELY(bytes > had / 2))
            return pointer;
        if (bytes - 1 < CLASS_QUICK_MAX)
            return realloc_quick(slab, pointer, bytes);
    }
    return pointer == NULL ? PUBLIC(malloc)(bytes) : realloc_slow(pointer, bytes);
}

EXPORT void *PUBLIC(reallocarray)(void *pointer, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total))
        return front_give(0);
    return PUBLIC(realloc)(pointer, total);
}

/* -- aligned ----------------------------------------------------------------------------------- */

static NOINLINE word aligned_slow(size_t at, size_t align, size_t bytes)
{
    bool zero;
    word block = at != 0 ? fast_dry(at) : 0;
    return block != 0 ? block : front_alloc_aligned(bytes, align, &zero);
}

INLINE word alloc_aligned(size_t align, size_t bytes)
{
    size_t at = fast_aligned_at(align, bytes);
    word block = LIKELY(at != 0) ? fast_malloc(at) : 0;
    return LIKELY(block != 0) ? block : aligned_slow(at, align, bytes);
}

static void *aligned(size_t align, size_t bytes)
{
    return front_give(alloc_aligned(align, bytes));
}

EXPORT int PUBLIC(posix_memalign)(void **out, size_t align, size_t bytes)
{
    if (!is_power_of_two(align) || align % sizeof(void *) != 0)
        return EINVAL;
    word block = alloc_aligned(align, bytes);
    if (block == 0)
        return ENOMEM;
    *out = (void *)block;
    return 0;
}

EXPORT void *PUBLIC(aligned_alloc)(size_t align, size_t bytes)
{
    if (!is_power_of_two(align)) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(align, bytes);
}

/* Old programs ask for alignments that are no power of two, and mean the next one up. */
EXPORT void *PUBLIC(memalign)(size_t align, size_t bytes)
{
    if (align > PTRDIFF_MAX) {
        errno = EINVAL;
        return NULL;
    }
    return aligned(power_of_two_up(align), bytes);
}

EXPORT void *PUBLIC(valloc)(size_t bytes)
{
    return aligned(front_page_bytes(), bytes);
}

EXPORT void *PUBLIC(pvalloc)(size_t bytes)
{
    size_t page = front_page_bytes();
    if (bytes > PTRDIFF_MAX)
        return front_give(0);
    return aligned(page, round_up(bytes == 0 ? 1 : bytes, page));
}

/* -- sized frees, sizes ------------------------------------------------------------------------ */

EXPORT void PUBLIC(free_sized)(void *pointer, size_t bytes)
{
    front_free_sized((word)pointer, bytes, 1, "free_sized");
}

EXPORT void PUBLIC(free_aligned_sized)(void *pointer, size_t align, size_t bytes)
{
    front_free_sized((word)pointer, bytes, align, "free_aligned_sized");
}

EXPORT void PUBLIC(cfree)(void *pointer)
{
    front_free((word)pointer, "cfree");
}

EXPORT size_t PUBLIC(malloc_usable_size)(void *pointer)
{
    struct slab *slab = fast_slab((word)pointer);
    return LIKELY(slab != NULL) ? slab->block_bytes : front_usable((word)pointer);
}

ALIAS(__libc_malloc, malloc)
ALIAS(__libc_free, free)
ALIAS(__libc_calloc, calloc)
ALIAS(__libc_realloc, realloc)
ALIAS(__libc_memalign, memalign)
ALIAS(__libc_valloc, valloc)
ALIAS(__libc_pvalloc, pvalloc)
ALIAS(__libc_cfree, cfree)
ALIAS(__posix_memalign, posix_memalign)
ALIAS(__libc_free_sized, free_sized)
ALIAS(__libc_free_aligned_sized, free_aligned_sized)
