/* arena.h - blocks that go together. The conventions of every entry are in midden.h.
 *
 * An arena gives memory by moving a pointer up, and takes it back all at once or down to a mark.
 * Its blocks lie in spans of their own, apart from those of malloc; the first byte of each is noted
 * in a bitmap, so that midden_object_at answers for them and free() of one ends the program with a
 * sentence.
 *
 *     struct midden_arena *scratch = midden_arena_create("request");
 *     size_t before = midden_arena_mark(scratch);
 *     char *line = midden_arena_alloc(scratch, 4096);
 *     ...
 *     midden_arena_rewind(scratch, before);            line is gone
 *     midden_arena_destroy(scratch);
 *
 * Threads    one arena has one user at a time: calls that name the same arena must not overlap.
 *            Calls that name different ones may. Whoever holds a block may read and write it from
 *            any thread.
 * Collector  as long as an arena lives, a collection follows every word in its blocks.
 */
#ifndef MIDDEN_ARENA_H
#define MIDDEN_ARENA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct midden_arena;

enum { MIDDEN_ARENA_NAME_BYTES = 64 };   /* of a name, its NUL included */

/* A new, empty arena. `name` is for reports and sentences; it is copied, and need not be the only
 * one of its kind.
 * Returns    the arena, or NULL: EINVAL name is NULL or empty, ENAMETOOLONG, ENOMEM.
 * Cost       O(1); the first span is taken by the first allocation.
 * Lifetime   until midden_arena_destroy. A forked child has its own copy. */
struct midden_arena *midden_arena_create(const char *name);

/* `bytes` bytes, aligned to 16, not zeroed. 0 bytes: a block of its own that must not be read.
 * Returns    the block, or NULL: ENOMEM.
 * Cost       O(1); a new span where the block is larger than what is left of the last.
 * Lifetime   until a rewind to a mark that was set before, or destroy. None is freed by itself. */
void *midden_arena_alloc(struct midden_arena *arena, size_t bytes);

/* The same, aligned to `align` bytes, a power of two; below 16: 16. NULL: EINVAL align, ENOMEM. */
void *midden_arena_alloc_aligned(struct midden_arena *arena, size_t bytes, size_t align);

/* Where the arena stands now, for midden_arena_rewind. The number means nothing else. Never fails.
 * Cost       O(1).
 * Lifetime   until the arena is rewound to a mark that was set before this one, or destroyed. */
size_t midden_arena_mark(const struct midden_arena *arena);

/* Takes back every block given out since the mark was set. Marks are last in, first out: a mark may
 * be used again and again, and using it ends those set after it.
 * Returns    0, or -1: EINVAL the arena stands below the mark: it has ended.
 * Cost       O(spans taken since); one of them is kept for what comes next. */
int midden_arena_rewind(struct midden_arena *arena, size_t mark);

/* Takes back every block, and the arena. NULL: nothing. errno is preserved.
 * Cost       O(spans). */
void midden_arena_destroy(struct midden_arena *arena);

/* Bytes given out and not taken back: those asked for, and what alignment and ends of spans added.
 * 0 for NULL.
 * Cost       O(1). */
size_t midden_arena_bytes(const struct midden_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
