/* arena.h - blocks that go together.
 * Job         Memory given out by moving a pointer up, and taken back down to a mark or all at
 *             once. A span of an arena is a slab whose "blocks" are granules of 16 bytes, or one
 *             block that is larger than such a slab; spans lie on a stack, the newest on top.
 * Invariants  B1  a clear bit in `free` is the first granule of a block
 *             B2  a set bit in `remote` is a granule where a block ends and none begins
 *             B3  a block ends at the next bit of B1 or B2, at `next`, or with its span
 *             B4  in the top span no bit of B1 or B2 lies at or above `next`
 *             B5  a position is a number of bytes: those of the spans below, and in the span itself
 * Locking     An arena has one user at a time; who asks what lies at an address may do so at any
 *             moment. The list of arenas is guarded by arena_lock.
 */
#ifndef MIDDEN_HEAP_ARENA_H
#define MIDDEN_HEAP_ARENA_H

#include "heap/slab.h"

enum { ARENA_NAME_BYTES = 64, ARENA_GRANULE = CLASS_ALIGN };
enum { ARENA_SLICES = KIB(64) >> SLICE_SHIFT };  /* a span, unless a block needs more */

struct arena {
    word          next, end;                     /* what is left of the top span */
    struct slab  *top;                           /* `next` leads to the span below */
    struct slab  *spare;                         /* an empty span, for the next one needed */
    struct arena *older, *newer;                 /* in the list of arenas */
    char          name[ARENA_NAME_BYTES];
};
extern struct lock arena_lock;

struct arena *arena_make(const char *name);      /* of ARENA_NAME_BYTES with its NUL; NULL: none */
void          arena_drop(struct arena *arena);

/* Aligned to `align`, a power of two of at least ARENA_GRANULE; 0: the top span has no room. */
word   arena_take(struct arena *arena, size_t bytes, size_t align);
bool   arena_grow(struct arena *arena, size_t bytes, size_t align);   /* a span with that room */
size_t arena_position(const struct arena *arena);
bool   arena_rewind(struct arena *arena, size_t position);   /* false: no block ends there */

/* For any address in a span of an arena. */
bool        arena_block(struct slab *slab, word address, word *start, word *end);
const char *arena_name(const struct slab *slab);             /* NULL: its arena is going */
size_t      arena_first(struct slab *slab, size_t from);     /* of B1; `blocks`: none */

/* Calls `visit` for each arena, newest first, under arena_lock. */
void arena_each(void (*visit)(const struct arena *arena, void *arg), void *arg);
void arena_validate(struct arena *arena);

#endif
