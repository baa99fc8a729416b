/* meta.c - a bump allocator with a free list a size. */
#include "heap/meta.h"
#include "heap/cage.h"
#include "heap/span.h"

/* pieces up to 23 units are kept by size; larger ones are never given back */
enum { SIZES = 24, STEP = 64 * 1024, MORE_SLICES = STEP >> SLICE_SHIFT };

struct spare {
    struct spare *next;
};

struct lock meta_lock;

static struct {
    word          next, end;                     /* what is left of the piece we cut from */
    size_t        reach;                         /* bytes committed, from cage_tables.meta */
    size_t        slices;                        /* of the cage, taken where there was no more */
    struct spare *spare[SIZES];                  /* by units */
} state;

size_t meta_reach(void)
{
    return state.reach;
}

size_t meta_slices(void)
{
    return state.slices;
}

/* What is skipped for an alignment is lost: heaps alone ask for more than that of a unit. */
static void *take_fresh(size_t bytes, size_t align)
{
    word at = round_up(state.next, align);
    if (at + bytes > state.end)
        return NULL;
    state.next = at + bytes;
    return (void *)at;
}

static bool more_of_our_own(size_t bytes)
{
    size_t step = round_up(bytes, STEP);
    if (step > cage_tables.meta_bytes - state.reach ||
        !cage_commit(cage_tables.meta + state.reach, step))
        return false;
    if (state.end != cage_tables.meta + state.reach)  /* the first, or a span came between */
        state.next = cage_tables.meta + state.reach;
    state.reach += step;
    state.end = cage_tables.meta + state.reach;
    return true;
}

static void *take_locked(size_t units, size_t align)
{
    size_t bytes = units * META_UNIT, most = bytes + align - META_UNIT;
    struct spare *piece = units < SIZES && align == META_UNIT ? state.spare[units] : NULL;
    if (piece != NULL) {
        state.spare[units] = piece->next;
        return piece;
    }
    piece = take_fresh(bytes, align);
    if (piece == NULL && more_of_our_own(most - (state.end - state.next)))
        piece = take_fresh(bytes, align);
    return piece;
}

/* Where the process may have no more address space, the cage may still have an empty span: it
 * becomes ours for good. Called without the lock: spans come before tables. */
static bool more_from_the_cage(void)
{
    size_t warm;
    word span = span_take(&(struct span_wish){ MORE_SLICES, 1, false }, &warm);
    if (span == 0 || !lock_take(&meta_lock))
        return false;
    state.next = span;
    state.end = span + STEP;
    state.slices += MORE_SLICES;
    lock_give(&meta_lock);
    return true;
}

/* Word by word: somebody may still read the owner word of what the piece was before. */
static void clear(uint64_t *words, size_t bytes)
{
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        __atomic_store_n(&words[i], 0, __ATOMIC_RELAXED);
}

void *meta_take_aligned(size_t bytes, size_t align)
{
    void *piece = NULL;
    size_t units = (bytes + META_UNIT - 1) / META_UNIT;
    for (unsigned attempt = 0; attempt < 2 && piece == NULL; attempt++) {
        if (!lock_take(&meta_lock))
            return NULL;
        piece = take_locked(units, align);
        lock_give(&meta_lock);
        if (piece == NULL && !more_from_the_cage())
            return NULL;
    }
    if (piece != NULL)
        clear(piece, units * META_UNIT);
    return piece;
}

void *meta_take(size_t bytes)
{
    return meta_take_aligned(bytes, META_UNIT);
}

/* A signal handler that interrupted the holder leaks the piece: it is a few cache lines. */
void meta_give(void *piece, size_t bytes)
{
    size_t units = (bytes + META_UNIT - 1) / META_UNIT;
    ASSERT(units < SIZES);
    struct spare *spare = piece;
    if (!lock_take(&meta_lock))
        return;
    spare->next = state.spare[units];
    state.spare[units] = spare;
    lock_give(&meta_lock);
}
