/* meta.c - a bump allocator with a free list a size. */
#include "heap/meta.h"
#include "heap/cage.h"

enum { SIZES = 24, STEP = 64 * 1024 };           /* pieces up to 23 units are kept by size; larger ones are never given back */

struct spare {
    struct spare *next;
};

struct lock meta_lock;

static struct {
    size_t        used, reach;                   /* bytes handed out and committed, from cage_tables.meta */
    struct spare *spare[SIZES];                  /* by units */
} state;

size_t meta_reach(void)
{
    return state.reach;
}

static void *take_fresh(size_t bytes)
{
    if (state.used + bytes > state.reach) {
        size_t step = round_up(state.used + bytes - state.reach, STEP);
        if (step > cage_tables.meta_bytes - state.reach || !cage_commit(cage_tables.meta + state.reach, step))
            return NULL;
        state.reach += step;
    }
    void *piece = (void *)(cage_tables.meta + state.used);
    state.used += bytes;
    return piece;
}

void *meta_take(size_t bytes)
{
    size_t units = (bytes + META_UNIT - 1) / META_UNIT;
    if (!lock_take(&meta_lock))
        return NULL;
    struct spare *piece = units < SIZES ? state.spare[units] : NULL;
    if (piece != NULL)
        state.spare[units] = piece->next;
    else
        piece = take_fresh(units * META_UNIT);
    lock_give(&meta_lock);
    if (piece != NULL)
        __builtin_memset(piece, 0, units * META_UNIT);
    return piece;
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
