/* heap.h - a thread's heap: its cursors and its slabs.
 * Job         Blocks of the small classes for one thread at a time. The fast paths stand in
 *             front/malloc.c; here is what they fall back on: refill, slabs that run full or empty,
 *             frees that need a second look, heaps of threads that end.
 * Invariants  H1  a slab of a heap is in exactly one place: under a cursor, in `partial` of its
 *                 class, or full (OWNER_FULL, in no list). One that ran dry is in `partial` until
 *                 its turn comes there
 *             H2  lists and cursors of a heap are touched by its thread only, between heap_enter
 *                 and heap_leave
 *             H3  heaps are never unmapped; a dead heap keeps no listed slab, at most full ones,
 *                 which anybody may take
 * Locking     none of its own: the thread is alone with its heap. Shared heaps have a lock, taken
 *             by the front.
 */
#ifndef MIDDEN_HEAP_HEAP_H
#define MIDDEN_HEAP_HEAP_H

#include "base/fault.h"
#include "heap/cursor.h"
#include "heap/rest.h"

enum { HEAP_DENSE_AFTER = 32 };  /* slabs of a class before it asks for huge pages */
enum heap_state { HEAP_NONE, HEAP_LIVE, HEAP_DEAD, HEAP_SHARED };

struct heap {
    struct cursor cursor[CLASS_COUNT];
    struct slab  *partial[CLASS_COUNT];  /* oldest first, circular (H1) */
    uint16_t      has[CLASS_COUNT];  /* slabs, and full ones that others may have taken over */
    size_t        listed;                        /* slabs in `partial` */
    /* slabs others freed into; pushed by anyone, popped whole by the owner */
    struct slab  *pending;
    struct heap  *next;                          /* every heap ever made */
    struct heap  *next_dead;
    /* a block freed here and elsewhere at the same time; for the front to tell */
    word          twice;
    uint32_t     *inside;                        /* the thread's flag; NULL: shared heap */
    struct rest   rest;                          /* what stays empty under cursors */
    enum heap_state state;
    enum heap_kind kind;                         /* of all its slabs */
    uint32_t      fresh;  /* KIND_COUNTED: objects made less objects gone, since it was reset */
    size_t        volume;                        /* managed kinds: bytes issued, in the large */
    word          making;  /* KIND_COUNTED: a block that is issued, but no object yet */
    struct lock   lock;                          /* shared heaps only */
} ALIGNED(64);

/* What a thread has of its own. `heap` leads to heap_none until the first slow path, and again
 * after the thread's last destructor; `inside` is set from entry to exit of every call that touches
 * the heap, so that a signal handler, or somebody who stops the world, knows. */
struct thread {
    struct heap *heap;                           /* KIND_MANUAL */
    uint32_t     inside;                         /* 0 or 1 */
    uint8_t      nested;  /* a signal handler's call that interrupted another one */
    uint8_t      late;                           /* past its last destructor */
    uint8_t      rounds;                         /* of destructors, that ours was called in */
    struct heap *managed[KIND_COUNT - 1];        /* the other kinds, by kind - 1; NULL: none yet */
};
extern __thread struct thread thread __attribute__((tls_model("initial-exec")));
extern struct heap heap_none;                    /* no cursor aims anywhere, owns nothing */
/* by bytes: where the cursor lies in a heap */
extern const uint16_t heap_quick_at[CLASS_QUICK_MAX + 1] HIDDEN;

/* bytes <= CLASS_QUICK_MAX */
INLINE struct cursor *heap_quick(struct heap *heap, size_t bytes)
{
    return (struct cursor *)((char *)heap + heap_quick_at[bytes]);
}

INLINE void heap_has_more(struct heap *heap, unsigned class)
{
    heap->has[class] += heap->has[class] < UINT16_MAX;
}

INLINE void heap_has_less(struct heap *heap, unsigned class)
{
    heap->has[class] -= heap->has[class] != 0;
}

INLINE void heap_enter(void)
{
    thread.inside = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Enters, unless it was entered; says whether it was. */
INLINE bool heap_enter_was(void)
{
    bool was = bit_set_here(&thread.inside);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return was;
}

INLINE void heap_leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread.inside = 0;
}

/* All of these are called between heap_enter and heap_leave, or under a shared heap's lock. */
word heap_alloc(struct heap *heap, unsigned class, bool *zero);       /* 0: out of memory */
/* the cursor has a block to give; false: out of memory */
bool heap_ready(struct heap *heap, unsigned class);
/* from the slab under its cursor, or 0 */
word heap_alloc_here(struct heap *heap, unsigned class);
/* any pointer the cage holds; every case of it */
enum fault_kind heap_free(struct heap *heap, word pointer);
/* a block in use of a managed kind, by the heap of that kind or by none (NULL) */
void heap_give(struct heap *heap, struct slab *slab, size_t index);
/* a block in use, by its start; else why not */
enum fault_kind heap_find(word pointer, struct slab **slab, size_t *index);
/* a word of its bitmap became all free */
void heap_free_full_word(struct heap *heap, struct slab *slab);

/* absorbs and gives back all that is empty, cursors' slabs too; so many small ones stay listed */
void heap_rest(struct heap *heap, size_t spared);
void heap_validate(struct heap *heap);

/* For remote.c, rest.c and roster.c alone. */
void heap_list_add(struct heap *heap, struct slab *slab);
/* into its list; false: it is full, and anybody's */
bool heap_shelve(struct heap *heap, struct slab *slab);
void heap_list_remove(struct heap *heap, struct slab *slab);
/* not under a cursor, all free; false: it stays for a while */
bool heap_slab_retire(struct heap *heap, struct slab *slab);
struct slab *heap_cursor_lift(struct cursor *cursor);
struct heap *heap_orphans(enum heap_kind kind);

#endif
