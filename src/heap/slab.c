/* slab.c - descriptors and bitmaps: cut, dropped, counted. */
#include "heap/slab.h"
#include "heap/span.h"
#include "heap/trace.h"
#include "base/count.h"

enum { WORD_BITS = 64, CACHE_LINE = 64, LONG_RUN = 64 };
#define DENSE_LARGE MIB(4)                       /* larger blocks are taken to be used whole */

struct slab slab_none = { .owner = OWNER_NONE, .class = CLASS_COUNT };

static size_t remote_offset(size_t words)
{
    return round_up(sizeof(struct slab) + (words + 1) * sizeof(uint64_t), CACHE_LINE);
}

static size_t descriptor_bytes(size_t words)
{
    return remote_offset(words) + round_up(words * sizeof(uint64_t), CACHE_LINE);
}

static struct slab *descriptor_make(uint32_t blocks, uint64_t block_bytes)
{
    size_t words = (blocks + WORD_BITS - 1) / WORD_BITS;
    struct slab *slab = meta_take(descriptor_bytes(words));
    if (slab == NULL)
        return NULL;
    slab->words = (uint16_t)words;
    slab->blocks = blocks;
    slab->block_bytes = block_bytes;
    slab->remote_at = (uint16_t)remote_offset(words);
    slab->padding = ~bits_below((blocks - 1) % WORD_BITS + 1);
    slab->free[words] = ~(uint64_t)0;
    return slab;
}

/* A freer who was stopped since the descriptor's last use may look at the owner word, and push the
 * slab on the stack of the heap he finds: whatever else he touches is written before. */
static void slab_become(struct slab *slab, word owner)
{
    __atomic_store_n(&slab->owner, owner, __ATOMIC_RELEASE);
}

/* From one slice on. A large block may have hundreds: they are written by the widest stores there
 * are, none of which is torn inside an entry. */
static void lead_to(size_t first, size_t slices, struct slab *target)
{
    struct slab **entry = &cage.slab_of[first];
#ifdef __x86_64__
    if (slices >= LONG_RUN) {
        __asm__ volatile("rep stosq" : "+D"(entry), "+c"(slices) : "a"(target) : "memory");
        return;
    }
#endif
    for (size_t i = 0; i < slices; i++)
        __atomic_store_n(&entry[i], target, __ATOMIC_RELEASE);
}

static void publish(struct slab *slab, struct slab *target)
{
    lead_to(cage_slice(slab->base), slab->slices, target);
}

static void settle(struct slab *slab, word owner)
{
    trace_forget(slab);
    slab_become(slab, owner);
    publish(slab, slab);
}

struct slab *slab_make(unsigned class, word owner, size_t slices, bool dense)
{
    const struct class *shape = &class_table[class];
    size_t warm;
    struct slab *slab = descriptor_make(class_blocks(class, slices), shape->block_bytes);
    if (slab == NULL)
        return NULL;
    slab->base = span_take(&(struct span_wish){ slices, 1, dense }, &warm);
    if (slab->base == 0) {
        meta_give(slab, descriptor_bytes(slab->words));
        return NULL;
    }
    slab->slices = (uint32_t)slices;
    slab->class = (uint8_t)class;
    slab->magic = shape->magic;
    slab->reached = slab->words == 1;            /* the one a cursor is on at once */
    bool watched = warm == 0 && shape->block_bytes > CLASS_QUICK_MAX && slab->words == 1;
    slab->virgin = watched ? slab->base : UINTPTR_MAX;
    slab->watch = ~(uint64_t)0;
    __builtin_memset(slab->free, 0xff, slab->words * sizeof(uint64_t));
    settle(slab, owner);
    COUNT_ONE(slabs_made);
    return slab;
}

struct slab *slab_make_large(size_t bytes, size_t align, bool dense, bool *zero)
{
    size_t rounded = round_up(bytes, cage.facts.page_bytes);
    size_t slices = SLICES_OF(rounded);
    size_t align_slices = align <= SLICE_BYTES ? 1 : align >> SLICE_SHIFT;
    struct span_wish wish = { slices, align_slices, dense || bytes >= DENSE_LARGE };
    struct slab *slab = descriptor_make(1, rounded);
    size_t warm = 0;
    if (slab == NULL)
        return NULL;
    slab->base = slices <= UINT32_MAX ? span_take(&wish, &warm) : 0;
    if (slab->base == 0) {
        meta_give(slab, descriptor_bytes(slab->words));
        return NULL;
    }
    slab->slices = (uint32_t)slices;
    slab->class = CLASS_COUNT;
    slab->cold = warm < slices - warm;
    *zero = warm == 0;
    slab->magic = 1;  /* C2 for a slab of one block: index 0 everywhere, start at offset 0 */
    slab->free[0] = slab_padding(slab, 0);
    settle(slab, OWNER_LARGE);
    COUNT_ONE(large_made);
    return slab;
}

void slab_drop(struct slab *slab)
{
    word base = slab->base;
    size_t slices = slab->slices;
    ASSERT(cage_slab(base) == slab);             /* not twice */
    publish(slab, &slab_none);
    slab_become(slab, OWNER_NONE);
    meta_give(slab, descriptor_bytes(slab->words));
    span_give(base, slices);
}

static void shrink_large(struct slab *slab, size_t slices)
{
    lead_to(cage_slice(slab->base) + slices, slab->slices - slices, &slab_none);
    span_give(slab->base + (slices << SLICE_SHIFT), slab->slices - slices);
    slab->slices = (uint32_t)slices;
}

bool slab_resize_large(struct slab *slab, size_t bytes)
{
    size_t rounded = round_up(bytes, cage.facts.page_bytes);
    size_t slices = SLICES_OF(rounded);
    size_t warm;
    if (slices < slab->slices)
        shrink_large(slab, slices);
    if (slices > slab->slices) {
        size_t more = slices - slab->slices;
        if (slices > UINT32_MAX || !span_extend(slab->base, slab->slices, more, &warm))
            return false;
        slab->slices = (uint32_t)slices;
        publish(slab, slab);
    }
    slab->block_bytes = rounded;
    return true;
}

/* Slices that are lost stay in use for ever: nobody else may be given them. */
enum os_moved slab_move_large(struct slab *from, struct slab *to, size_t bytes)
{
    enum os_moved moved = span_move(from->base, to->base, SLICES_OF(bytes));
    if (moved == OS_LOST)
        publish(to, &slab_none);
    return moved;
}

/* The next slice behind one that leads to no slab: over what the bitmap says is free, a word of it
 * at a time, and over the gap between the zones. */
static size_t skip_free(size_t slice)
{
    const struct cage_zone *sparse = &cage.zone[ZONE_SPARSE], *dense = &cage.zone[ZONE_DENSE];
    size_t reach = __atomic_load_n(&sparse->reach, __ATOMIC_RELAXED);
    size_t low = round_down(slice, WORD_BITS);
    if (slice >= reach && slice < dense->first)
        return dense->first;
    const uint64_t *map = cage_tables.available.map;
    uint64_t free = __atomic_load_n(&map[slice / WORD_BITS], __ATOMIC_RELAXED);
    uint64_t taken = ~(free | bits_below((unsigned)(slice - low) + 1));
    return taken != 0 ? low + bit_lowest(taken) : low + WORD_BITS;
}

struct slab *slab_next(size_t *slice)
{
    size_t end = cage_reach() >> SLICE_SHIFT, i = *slice;
    while (i < end) {
        struct slab *slab = __atomic_load_n(&cage.slab_of[i], __ATOMIC_RELAXED);
        if (slab != &slab_none && slab->base == cage_address(i)) {
            *slice = i + (slab->slices != 0 ? slab->slices : 1);
            return slab;
        }
        i = slab == &slab_none ? skip_free(i) : i + 1;
    }
    *slice = end;
    return NULL;
}

bool slab_all_free(const struct slab *slab)
{
    for (size_t i = 0; i < slab->words; i++)
        if (slab->free[i] != ~(uint64_t)0)
            return false;
    return true;
}

size_t slab_taken(struct slab *slab)
{
    size_t taken = 0;
    for (size_t i = 0; i < slab->words; i++) {
        uint64_t free = __atomic_load_n(&slab->free[i], __ATOMIC_RELAXED);
        uint64_t remote = __atomic_load_n(&slab_remote(slab)[i], __ATOMIC_RELAXED);
        taken += bit_count(~(free | remote | slab_padding(slab, i)));
    }
    return taken;
}

void slab_validate(struct slab *slab)
{
    ASSERT(slab->blocks > 0 && slab->words == (slab->blocks + WORD_BITS - 1) / WORD_BITS);
    ASSERT(slab->blocks * slab->block_bytes <= (size_t)slab->slices << SLICE_SHIFT);      /* S2 */
    for (size_t i = 0; i < slab->words; i++) {
        uint64_t padding = slab_padding(slab, i);
        ASSERT((slab->free[i] & padding) == padding);  /* S3 */
        ASSERT((slab_remote(slab)[i] & padding) == 0);
    }
    ASSERT(slab->free[slab->words] == ~(uint64_t)0);
    for (size_t i = 0; i < slab->slices; i++)
        ASSERT(cage.slab_of[cage_slice(slab->base) + i] == slab);  /* G2 */
}
