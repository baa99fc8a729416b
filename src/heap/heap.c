/* heap.c - refill, and the frees that need a second look. Threads that begin and end: roster.c. */
#include "heap/heap.h"
#include "heap/large.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/span.h"
#include "base/count.h"

enum {
    WARM_STEPS = 6,                              /* words looked at */
    WARM_LEAST = 32,                             /* of 64 blocks */
};

struct heap_lit heap_nobody ALIGNED(2 * HEAP_SHADE);
__thread struct thread thread = { .heap = (word)&heap_nobody.heap };

#define RANGE(class, above, step) \
    [(above) + 1 ... (above) + (step)] = offsetof(struct heap, cursor[class])
#define TWO(class, above, step) \
    RANGE(class, above, step), RANGE((class) + 1, (above) + (step), step)
#define FOUR(class, above, step) \
    TWO(class, above, step), TWO((class) + 2, (above) + 2 * (step), step)
#define EIGHT(class, above, step) \
    FOUR(class, above, step), FOUR((class) + 4, (above) + 4 * (step), step)
const uint16_t heap_quick_at[CLASS_QUICK_MAX + 1] = {
    [0] = offsetof(struct heap, cursor),         /* the smallest class */
    EIGHT(0, 0, 16), EIGHT(8, 128, 16), EIGHT(16, 256, 32), EIGHT(24, 512, 64),
};

/* -- lists ------------------------------------------------------------------------------------- */

void heap_list_add(struct heap *heap, struct slab *slab)         /* behind the newest */
{
    struct slab **oldest = &heap->partial[slab->class];
    __atomic_store_n(&heap->listed, heap->listed + 1, __ATOMIC_RELAXED);      /* for roster_adopt */
    if (*oldest == NULL) {
        slab->next = slab->prev = slab;
        *oldest = slab;
        return;
    }
    slab->next = *oldest;
    slab->prev = (*oldest)->prev;
    slab->prev->next = slab;
    (*oldest)->prev = slab;
}

void heap_list_remove(struct heap *heap, struct slab *slab)
{
    struct slab **oldest = &heap->partial[slab->class];
    __atomic_store_n(&heap->listed, heap->listed - 1, __ATOMIC_RELAXED);
    slab->next->prev = slab->prev;
    slab->prev->next = slab->next;
    if (*oldest == slab)
        *oldest = slab->next == slab ? NULL : slab->next;
    slab->next = slab->prev = NULL;
}

/* `slab` takes the place of the oldest and is the newest: the list goes round. */
static void list_turn(struct heap *heap, struct slab *oldest, struct slab *slab)
{
    bool alone = oldest->next == oldest;
    slab->next = alone ? slab : oldest->next;
    slab->prev = alone ? slab : oldest->prev;
    slab->next->prev = slab->prev->next = slab;
    heap->partial[slab->class] = slab->next;
    oldest->next = oldest->prev = NULL;
}

/* A freer who set the last remote bit may still be on his way to raise PENDING: then the slab
 * stays, and the drain that meets it there retires it. A signal handler may stand above the locks
 * that dropping takes. */
bool heap_slab_retire(struct heap *heap, struct slab *slab)
{
    if (thread.nested || !slab_own(slab, (word)heap, OWNER_NONE))
        return false;
    heap_list_remove(heap, slab);
    heap_has_less(heap, slab->class);
    slab_drop(slab);
    return true;
}

/* -- cursors ----------------------------------------------------------------------------------- */

INLINE void cursor_stand(struct heap *heap, struct cursor *cursor, struct slab *slab, size_t at)
{
    size_t blocks = slab->blocks - at * 64;
    cursor->slab = slab;
    cursor->at = (uint32_t)at;
    cursor->bits = (word)&slab->free[at] - (word)heap;
    cursor->first = slab->base + at * 64 * slab->block_bytes;
    cursor->block_bytes = slab->block_bytes;
    if (slab->words == 1)
        *slab_trimmed(slab) = 0;
    cursor->last = (uint64_t)1 << ((blocks < 64 ? blocks : 64) - 1);
}

static bool is_used(const struct slab *slab)
{
    return slab->reached == slab->words;
}

/* The words that have a free block, a bit for each: there are 64 at most. Looked for all at once,
 * without a branch: which of them do is not to be foretold. Only the last word has padding, which
 * is set and means nothing (S3). */
static uint64_t words_with_some(const struct slab *slab)
{
    size_t at = slab->words - 1u;
    uint64_t some = (slab->free[at] & ~slab->padding) != 0;
    while (at-- > 0)
        some = some + some + (slab->free[at] != 0);
    return some;
}

/* On the first of them; the others come next. */
INLINE void cursor_stand_among(struct heap *heap, struct cursor *cursor, struct slab *slab,
                               uint64_t some)
{
    cursor_stand(heap, cursor, slab, bit_lowest_wide(some));
    cursor->ahead = some & (some - 1);
}

struct slab *heap_cursor_lift(struct cursor *cursor)
{
    struct slab *slab = cursor->slab;
    slab->watch = ~(uint64_t)0;
    *cursor = (struct cursor){ 0 };
    return slab;
}

/* A word that was in use before, and of which half is free again; else the first that was not.
 * So a slab with few blocks in use stays small, and in the cache. */
INLINE size_t warm_word(struct slab *slab, size_t at)
{
    size_t reached = slab->reached;
    for (size_t step = reached < WARM_STEPS ? reached : WARM_STEPS; step > 0; step--) {
        at = at + 1 >= reached ? 0 : at + 1;
        uint64_t bits = slab->free[at];          /* no padding: there is a word behind it */
        if (bits != 0 && bit_count(bits) >= WARM_LEAST)
            return at;
    }
    slab->reached = (uint16_t)(reached + 1);
    return reached;
}

static bool advance_warm(struct heap *heap, struct cursor *cursor)
{
    struct slab *slab = cursor->slab;
    if (is_used(slab))
        return false;
    if (slab_owner(slab) != (word)heap)
        remote_absorb(heap, slab);
    cursor_stand(heap, cursor, slab, warm_word(slab, cursor->at));
    cursor->ahead = 0;
    cursor_aim(cursor, *cursor_bits(heap, cursor));
    return true;
}

/* The next word with a free block, round and round: by the time it comes again, a word has had the
 * most time to fill. */
static bool cursor_advance(struct heap *heap, struct cursor *cursor)
{
    struct slab *slab = cursor->slab;
    uint64_t some = cursor->ahead;
    if (some == 0 && slab->words != 1 && advance_warm(heap, cursor))
        return true;
    if (some == 0)
        some = words_with_some(slab);
    if (some == 0)
        return false;
    cursor_stand_among(heap, cursor, slab, some);
    cursor_aim(cursor, *cursor_bits(heap, cursor));
    return true;
}

/* A slab no cursor is on goes into its list, or is full (H1). A free that comes between the look
 * and the flag raises PENDING, whatever it sees. */
bool heap_shelve(struct heap *heap, struct slab *slab)
{
    bool listed = words_with_some(slab) != 0;
    if (listed)
        heap_list_add(heap, slab);
    else
        __atomic_fetch_or(&slab->owner, OWNER_FULL, __ATOMIC_SEQ_CST);
    return listed;
}

static bool land_on(struct heap *heap, struct slab *slab)
{
    struct cursor *cursor = &heap->cursor[slab->class];
    cursor->looks = 0;
    if (rest_may_spare(&heap->rest, slab->class))
        rest_landed(heap, slab);
    cursor->slab = slab;
    cursor->ahead = 0;
    cursor->at = slab->words - 1u;               /* so that the first word comes next */
    if (cursor_advance(heap, cursor))
        return true;
    *cursor = (struct cursor){ 0 };
    heap_shelve(heap, slab);
    return false;
}

/* Those that are still dry, since the cursor was there, are full. */
static bool refill_from_list(struct heap *heap, unsigned class)
{
    for (struct slab *slab; (slab = heap->partial[class]) != NULL;) {
        heap_list_remove(heap, slab);
        if (land_on(heap, slab))
            return true;
    }
    return false;
}

/* The slab under the cursor has run dry. Frees of other threads may be waiting in it. If not, it
 * goes to the end of the list: where a few slabs go round, the frees that come until its turn are
 * short ones. */
static bool refill_from_remote(struct heap *heap, struct cursor *cursor)
{
    if (slab_owner(cursor->slab) != (word)heap) {
        remote_absorb(heap, cursor->slab);
        if (cursor_advance(heap, cursor))
            return true;
    }
    heap_list_add(heap, heap_cursor_lift(cursor));
    return false;
}

/* A class that has filled some slabs will fill the next: it may lie in huge pages. One slab of each
 * of many classes would waste most of them; not so in a managed heap, which a collection reads
 * through. Where there is no room for a large one, a small one may find some. */
static struct slab *make_slab(struct heap *heap, unsigned class)
{
    size_t has = heap->has[class], slices = class_slices(class, has);
    size_t least = class_slices(class, 0);
    bool dense = has >= HEAP_DENSE_AFTER || heap->kind != KIND_MANUAL;
    struct slab *slab = slab_make(class, (word)heap, slices, dense);
    if (slab == NULL && slices > least)
        slab = slab_make(class, (word)heap, least, false);
    if (slab == NULL)
        return NULL;
    slab->kind = (uint8_t)heap->kind;
    heap_has_more(heap, class);
    rest_made(heap, slab);
    return slab;
}

static NOINLINE bool refill(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    if (cursor->slab != NULL && (cursor_advance(heap, cursor) || refill_from_remote(heap, cursor)))
        return true;
    remote_drain(heap);
    large_drain();
    if (refill_from_list(heap, class))
        return true;
    struct slab *slab = roster_adopt(heap, class);
    if (slab != NULL && land_on(heap, slab))
        return true;
    slab = make_slab(heap, class);
    return slab != NULL && land_on(heap, slab);
}

/* By what the heap has in this class: no lock is taken, nothing asked of anybody. */
static bool refill_here(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    struct slab *dry = cursor->slab, *oldest = heap->partial[class];
    if (dry == NULL)
        return false;
    if (cursor_advance(heap, cursor))
        return true;
    if (oldest == NULL)
        return false;
    if (slab_owner(dry) != (word)heap)
        return refill_from_remote(heap, cursor) || refill_from_list(heap, class);
    dry->watch = ~(uint64_t)0;
    list_turn(heap, oldest, dry);
    return land_on(heap, oldest) || refill_from_list(heap, class);
}

/* -- the short ways --------------------------------------------------------------------------- */

/* The word under the cursor has some. */
INLINE word take_here(struct heap *heap, struct cursor *cursor)
{
    word block = cursor_take_lowest(heap, cursor);
    (void)heap_is_virgin(cursor, block);
    return block;
}

INLINE word take_among(struct heap *heap, struct cursor *cursor, struct slab *slab, uint64_t some)
{
    cursor_stand_among(heap, cursor, slab, some);
    return take_here(heap, cursor);
}

/* By what the heap has in this class, whatever that is. */
static NOINLINE word alloc_listed(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    if (!refill_here(heap, class))
        return 0;
    word block = cursor_take(heap, cursor);
    (void)heap_is_virgin(cursor, block);
    return block;
}

/* In a slab that was not used to its end. */
static NOINLINE word alloc_warm(struct heap *heap, struct cursor *cursor)
{
    struct slab *slab = cursor->slab;
    cursor_stand(heap, cursor, slab, warm_word(slab, cursor->at));
    return take_here(heap, cursor);
}

/* A slab that is dry when its turn comes is full; the next that has some comes under the cursor. */
static NOINLINE word alloc_behind(struct heap *heap, struct slab *slab)
{
    unsigned class = slab->class;
    struct cursor *cursor = &heap->cursor[class];
    uint64_t some;
    while ((some = words_with_some(slab)) == 0) {
        __atomic_fetch_or(&slab->owner, OWNER_FULL, __ATOMIC_SEQ_CST);
        slab = heap->partial[class];
        if (slab == NULL || !is_used(slab)) {
            *cursor = (struct cursor){ 0 };
            return 0;
        }
        heap_list_remove(heap, slab);
    }
    if (rest_may_spare(&heap->rest, class))
        rest_landed(heap, slab);
    return take_among(heap, cursor, slab, some);
}

/* The dry slab goes to the end of the list; the oldest is next. */
static NOINLINE word alloc_in_turn(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    struct slab *dry = cursor->slab, *slab = heap->partial[class];
    if (slab == NULL || !is_used(slab) || slab_owner(dry) != (word)heap)
        return alloc_listed(heap, class);
    dry->watch = ~(uint64_t)0;
    list_turn(heap, slab, dry);
    cursor->looks = 0;
    uint64_t some = words_with_some(slab);
    if (some == 0 || rest_may_spare(&heap->rest, class))
        return alloc_behind(heap, slab);
    return take_among(heap, cursor, slab, some);
}

word heap_alloc_here(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    struct slab *slab = cursor->slab;
    if (slab == NULL)
        return alloc_listed(heap, class);
    if (!is_used(slab))
        return slab_owner(slab) == (word)heap ? alloc_warm(heap, cursor)
                                              : alloc_listed(heap, class);
    if (slab->words == 1)                        /* has it some again, since it was aimed? */
        return cursor_left(heap, cursor) != 0 ? take_here(heap, cursor)
                                              : alloc_in_turn(heap, class);
    uint64_t some = cursor->ahead != 0 ? cursor->ahead : words_with_some(slab);
    return some != 0 ? take_among(heap, cursor, slab, some) : alloc_in_turn(heap, class);
}

bool heap_ready(struct heap *heap, unsigned class)
{
    return cursor_aims(heap, &heap->cursor[class]) || refill(heap, class);
}

word heap_alloc(struct heap *heap, unsigned class, bool *zero)
{
    struct cursor *cursor = &heap->cursor[class];
    word block = cursor_take(heap, cursor);
    if (UNLIKELY(block == 0)) {
        if (!refill(heap, class))
            return 0;
        block = cursor_take(heap, cursor);
    }
    *zero = heap_is_virgin(cursor, block);
    return block;
}

/* -- frees ------------------------------------------------------------------------------------- */

static enum fault_kind why_no_block(word pointer)
{
    return cage_slice(pointer) < span_highest() ? FAULT_STALE : FAULT_UNISSUED;
}

/* What every free checks, whoever owns the slab. */
static enum fault_kind check_block(struct slab *slab, word pointer, size_t *index)
{
    word owner = slab_owner(slab);
    if (owner & OWNER_ARENA)
        return FAULT_ARENA;
    if ((owner & OWNER_NONE) || owner == 0)
        return why_no_block(pointer);
    struct slab_place place = slab_place(slab, pointer);
    *index = place.index;
    if (place.index >= slab->blocks)
        return FAULT_UNISSUED;
    if (slab->kind != KIND_MANUAL && !slab_is_free(slab, place.index))
        return FAULT_MANAGED;
    if (!place.start)
        return slab_is_free(slab, place.index) ? FAULT_INTERIOR_FREE : FAULT_INTERIOR;
    return slab_is_free(slab, place.index) ? FAULT_DOUBLE_FREE : FAULT_NONE;
}

enum fault_kind heap_find(word pointer, struct slab **slab, size_t *index)
{
    *slab = cage_slab(pointer);
    *index = 0;
    return check_block(*slab, pointer, index);
}

void heap_free_full_word(struct heap *heap, struct slab *slab)
{
    if (heap->cursor[slab->class].slab == slab) {
        rest_look(heap, slab);
    } else if (slab_all_free(slab) && !rest_spares(heap, slab)) {
        size_t slices = slab->slices;
        if (heap_slab_retire(heap, slab))
            rest_given(heap, slices);
    }
}

static void free_local(struct heap *heap, struct slab *slab, size_t index)
{
    uint64_t *bits = &slab->free[index >> 6];
    __atomic_store_n(bits, *bits | (uint64_t)1 << (index & 63), __ATOMIC_RELAXED);
    if (*bits == slab->watch)
        heap_free_full_word(heap, slab);
}

/* Makes the slab ours if it is, was full, or belongs to nobody alive; false: it is another
 * thread's. */
static bool claim(struct heap *heap, struct slab *slab)
{
    word owner = slab_owner(slab), mine = (word)heap;
    if (owner == (mine | OWNER_FULL) && slab_own(slab, owner, mine)) {
        heap_list_add(heap, slab);
        return true;
    }
    if (owner == (mine | OWNER_PENDING) || owner == (mine | OWNER_PENDING | OWNER_FULL)) {
        remote_drain(heap);
        owner = slab_owner(slab);
    }
    if (owner == mine)
        return true;
    if ((owner & ~(word)OWNER_FLAGS) == (word)heap_orphans(heap->kind))
        return roster_adopt_slab(heap, slab);
    if ((owner & OWNER_FLAGS) != OWNER_FULL || !slab_own(slab, owner, mine))
        return false;
    COUNT_ONE(slabs_stolen);
    heap_has_more(heap, slab->class);
    heap_list_add(heap, slab);
    return true;
}

bool heap_free_into_full(struct heap *heap, struct slab *slab, word block)
{
    struct slab_place place = slab_place(slab, block);
    if (!place.start || place.index >= slab->blocks || slab_is_free(slab, place.index) ||
        !slab_own(slab, (word)heap | OWNER_FULL, (word)heap))
        return false;
    heap_list_add(heap, slab);
    free_local(heap, slab, place.index);
    return true;
}

enum fault_kind heap_free(struct heap *heap, word pointer)
{
    size_t index = 0;
    struct slab *slab = cage_slab(pointer);
    enum fault_kind fault = check_block(slab, pointer, &index);
    if (fault != FAULT_NONE)
        return fault;
    if (slab_owner(slab) & OWNER_LARGE)
        return large_free(slab);
    if (heap == NULL || !claim(heap, slab))
        return remote_free(slab, index);
    if (slab_is_free(slab, index))               /* a remote free of it was absorbed just now */
        return FAULT_DOUBLE_FREE;
    free_local(heap, slab, index);
    return FAULT_NONE;
}

void heap_give(struct heap *heap, struct slab *slab, size_t index)
{
    if (slab_owner(slab) & OWNER_LARGE)
        large_free(slab);
    else if (heap == NULL || !claim(heap, slab))
        remote_free(slab, index);
    else
        free_local(heap, slab, index);
}

/* -- rest -------------------------------------------------------------------------------------- */

static void shelve_or_retire(struct heap *heap, struct slab *slab, size_t *spared)
{
    if (!heap_shelve(heap, slab) || !slab_all_free(slab))
        return;
    if (*spared != 0 && slab->slices <= REST_SMALL)
        --*spared;
    else
        (void)heap_slab_retire(heap, slab);
}

static void shelve_list(struct heap *heap, unsigned class, size_t *spared)
{
    struct slab *slab = heap->partial[class], *last = slab != NULL ? slab->prev : NULL;
    while (slab != NULL) {
        struct slab *next = slab != last ? slab->next : NULL;
        heap_list_remove(heap, slab);
        shelve_or_retire(heap, slab, spared);
        slab = next;
    }
}

void heap_rest(struct heap *heap, size_t spared)
{
    remote_drain(heap);
    large_drain();
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        shelve_list(heap, class, &spared);
        struct cursor *cursor = &heap->cursor[class];
        if (cursor->slab == NULL)
            continue;
        remote_absorb(heap, cursor->slab);
        shelve_or_retire(heap, heap_cursor_lift(cursor), &spared);
    }
    rest_spares_none(heap);
}

static void validate_list(struct heap *heap, unsigned class)
{
    struct slab *slab = heap->partial[class];
    for (size_t bound = 0; slab != NULL; bound++) {
        ASSERT(bound < cage.bytes >> SLICE_SHIFT);
        ASSERT(slab->class == class && slab->watch != 0 && slab != heap->cursor[class].slab);
        ASSERT(slab_heap(slab) == heap && !(slab_owner(slab) & OWNER_FULL));     /* H1 */
        ASSERT(slab->next->prev == slab);
        slab_validate(slab);
        slab = slab->next == heap->partial[class] ? NULL : slab->next;
    }
}

static void validate_cursor(struct heap *heap, struct cursor *cursor)
{
    struct slab *slab = cursor->slab;
    size_t index = cursor->at * 64 + cursor->index;
    ASSERT(cursor_bits(heap, cursor) == &slab->free[cursor->at]);
    ASSERT(cursor->index < 64 && index < slab->blocks);                                 /* K1 */
    ASSERT(cursor->first + cursor->index * cursor->block_bytes == slab_block(slab, index));
    ASSERT((cursor->last & slab_padding(slab, cursor->at)) == 0);
    ASSERT(slab->watch + 1 <= 1);                                                       /* K2 */
    ASSERT((cursor->ahead & ~words_with_some(slab)) == 0);                              /* K4 */
    slab_validate(slab);
}

void heap_validate(struct heap *heap)
{
    ASSERT(heap->none == 0);                                                            /* K3 */
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct cursor *cursor = &heap->cursor[class];
        ASSERT(cursor->slab != NULL || cursor->bits == 0);                              /* K3 */
        if (cursor->slab != NULL)
            validate_cursor(heap, cursor);
        validate_list(heap, class);
    }
}
