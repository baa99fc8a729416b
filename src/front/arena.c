/* arena.c - the doors of midden/arena.h.
 * Job         Check arguments, then one call into heap/arena.h. What touches spans does so inside,
 *             so that a handler's malloc leaves the locks alone.
 * Locking     an arena has one user at a time: the caller's business.
 */
#include "front/front.h"
#include "heap/arena.h"
#include "heap/roster.h"
#include "base/text.h"
#include "base/count.h"

#include <errno.h>
#include <midden/arena.h>

_Static_assert((int)MIDDEN_ARENA_NAME_BYTES == (int)ARENA_NAME_BYTES, "one length, said twice");

static struct arena *inner(const struct midden_arena *arena)
{
    return (struct arena *)arena;
}

/* The thread is inside until leave(); what was before is kept for it. */
static bool enter(void)
{
    life_slow_path();
    return heap_enter_was();
}

static void leave(bool outer)
{
    heap_leave_to(outer);
}

static void *fail(int error)
{
    errno = error;
    return NULL;
}

EXPORT struct midden_arena *midden_arena_create(const char *name)
{
    if (name == NULL || name[0] == '\0')
        return fail(EINVAL);
    if (text_length(name) >= ARENA_NAME_BYTES)
        return fail(ENAMETOOLONG);
    if (life_attach() == NULL && cage.base == 0)
        return fail(ENOMEM);
    bool outer = enter();
    struct arena *arena = arena_make(name);
    leave(outer);
    return arena != NULL ? (struct midden_arena *)arena : fail(ENOMEM);
}

/* Memory is full: what this thread holds empty may be enough. */
static bool grow_again(struct arena *arena, size_t bytes, size_t align)
{
    struct heap *heap = heap_mine();
    if (heap_is_nobody(heap))
        return false;
    heap_rest(heap, 0);
    roster_rest();
    return arena_grow(arena, bytes, align);
}

static NOINLINE void *alloc_slow(struct arena *arena, size_t bytes, size_t align)
{
    bool grown = false;
    if (bytes <= PTRDIFF_MAX && align <= PTRDIFF_MAX) {
        bool outer = enter();
        grown = arena_grow(arena, bytes, align) ||
                (!outer && grow_again(arena, bytes, align));
        leave(outer);
    }
    if (!grown)
        COUNT_ONE(out_of_memory);
    return front_give(grown ? arena_take(arena, bytes, align) : 0);
}

static void *alloc(struct arena *arena, size_t bytes, size_t align)
{
    word block = arena_take(arena, bytes, align);
    return LIKELY(block != 0) ? (void *)block : alloc_slow(arena, bytes, align);
}

EXPORT void *midden_arena_alloc(struct midden_arena *arena, size_t bytes)
{
    return alloc(inner(arena), bytes, ARENA_GRANULE);
}

EXPORT void *midden_arena_alloc_aligned(struct midden_arena *arena, size_t bytes, size_t align)
{
    if (!is_power_of_two(align))
        return fail(EINVAL);
    return alloc(inner(arena), bytes, align < ARENA_GRANULE ? (size_t)ARENA_GRANULE : align);
}

EXPORT size_t midden_arena_mark(const struct midden_arena *arena)
{
    return arena_position(inner(arena));
}

EXPORT int midden_arena_rewind(struct midden_arena *arena, size_t mark)
{
    bool outer = enter();
    bool done = arena_rewind(inner(arena), mark);
    VALIDATE(arena_validate(inner(arena)));
    leave(outer);
    if (done)
        return 0;
    errno = EINVAL;
    return -1;
}

EXPORT void midden_arena_destroy(struct midden_arena *arena)
{
    int kept = errno;
    if (arena == NULL)
        return;
    bool outer = enter();
    arena_drop(inner(arena));
    leave(outer);
    errno = kept;
}

EXPORT size_t midden_arena_bytes(const struct midden_arena *arena)
{
    return arena != NULL ? arena_position(inner(arena)) : 0;
}
