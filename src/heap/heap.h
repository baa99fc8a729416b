/* heap.h - a thread's heap: its cursors and its slabs.
 * Job         Blocks of the small classes for one thread at a time. The fast paths stand in
 *             front/fast.h; here is what they fall back on: refill, slabs that run full or empty,
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

enum {
    HEAP_DENSE_AFTER = 32,  /* slabs of a class before malloc's asks for huge pages */
    HEAP_SHADE_BIT   = 11,
    HEAP_SHADE       = 1 << HEAP_SHADE_BIT,      /* bytes */
};
enum heap_state { HEAP_NONE, HEAP_LIVE, HEAP_DEAD, HEAP_SHARED };

struct heap {
    uint64_t      none;                          /* 0: what cursors of zeros look at (K3) */
    size_t        listed;                        /* slabs in `partial` */
    struct heap  *next;                          /* every heap ever made */
    struct heap  *next_dead;
    /* a block freed here and elsewhere at the same time; for the front to tell */
    word          twice;
    size_t        volume;                        /* managed kinds: bytes issued, in the large */
    word          making;  /* KIND_COUNTED: a block that is issued, but no object yet */
    struct cursor cursor[CLASS_COUNT];
    struct slab  *partial[CLASS_COUNT];  /* oldest first, circular (H1) */
    uint16_t      has[CLASS_COUNT];  /* slabs, and full ones that others may have taken over */
    struct rest   rest;                          /* what stays empty under cursors */
    /* slabs others freed into; pushed by anyone, popped whole by the owner */
    struct slab  *pending;
    enum heap_state state;
    enum heap_kind kind;                         /* of all its slabs */
    uint32_t      fresh;  /* KIND_COUNTED: objects made less objects gone, since it was reset */
    struct lock   lock;                          /* shared heaps only */
} ALIGNED(64);

/* A heap has a shade: as many zeros as its quick cursors take up, right below it. So it lies at an
 * odd multiple of HEAP_SHADE, and its shade at the even one. */
struct heap_lit {
    uint8_t     shade[HEAP_SHADE];
    struct heap heap;
};
_Static_assert(offsetof(struct heap, cursor[CLASS_QUICK - 1]) <= HEAP_SHADE &&
               offsetof(struct cursor, bits) == offsetof(struct heap, none),
               "the shade, and `none` behind it, cover what is read of quick cursors");
_Static_assert(sizeof(struct heap_lit) <= 4 * HEAP_SHADE, "heaps lie two small pages apart");

/* What a thread has of its own. `heap` is heap_nobody's until the first slow path, and again after
 * the thread's last destructor. From entry to exit of every call that touches the heap it is that
 * heap's shade: so a signal handler, or somebody who stops the world, knows that the thread is
 * inside, and malloc and free, from such a handler, find no block and own no slab. */
struct thread {
    word         heap;                           /* KIND_MANUAL */
    uint8_t      nested;  /* a signal handler's call that interrupted another one */
    uint8_t      late;                           /* past its last destructor */
    uint8_t      rounds;                         /* of destructors, that ours was called in */
    struct heap *managed[KIND_COUNT - 1];        /* the other kinds, by kind - 1; NULL: none yet */
};
extern __thread struct thread thread __attribute__((tls_model("initial-exec")));
extern struct heap_lit heap_nobody HIDDEN;       /* no cursor aims anywhere, owns nothing */
/* by bytes: where the cursor lies in a heap */
extern const uint16_t heap_quick_at[CLASS_QUICK_MAX + 1] HIDDEN;

/* Whose cursor lies there: what was asked for need not be kept. */
INLINE unsigned heap_class_at(size_t at)
{
    return (unsigned)((at - offsetof(struct heap, cursor)) / sizeof(struct cursor));
}

INLINE size_t heap_bytes_at(size_t at)           /* the most for which it does */
{
    return class_bytes(heap_class_at(at));
}

INLINE size_t heap_cursor_at(unsigned class)     /* where it lies in a heap */
{
    return offsetof(struct heap, cursor) + class * sizeof(struct cursor);
}

/* Blocks above the quick classes know whether they are still zero: they are issued lowest first
 * from a fresh slab, so one at or above `virgin` was never issued before. For every one that is. */
INLINE bool heap_is_virgin(struct cursor *cursor, word block)
{
    if (block < cursor->slab->virgin)
        return false;
    cursor->slab->virgin = block + cursor->block_bytes;
    return true;
}

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

INLINE struct heap *heap_of(const struct thread *owner)
{
    return (struct heap *)(owner->heap | HEAP_SHADE);
}

INLINE struct heap *heap_mine(void)
{
    return heap_of(&thread);
}

INLINE bool heap_is_nobody(const struct heap *heap)
{
    return heap == &heap_nobody.heap;
}

INLINE bool heap_is_inside(void)
{
    return (thread.heap & HEAP_SHADE) == 0;
}

/* The thread has another one from now on; called inside. */
INLINE void heap_become(struct heap *heap)
{
    thread.heap = (word)heap - HEAP_SHADE;
}

/* Enters, unless it was entered; says whether it was. */
INLINE bool heap_enter_was(void)
{
    bool was = !bit_clear_here(&thread.heap, HEAP_SHADE_BIT);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return was;
}

INLINE void heap_enter(void)
{
    bits_clear_here(&thread.heap, HEAP_SHADE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

INLINE void heap_leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    bits_set_here(&thread.heap, HEAP_SHADE);
}

/* The same for who read `thread.heap` before he entered. A handler may have given the thread its
 * first heap in between: so the first of the two is for who found that heap to be the right one. */
INLINE void heap_leave_as(word heap)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread.heap = heap;
}

INLINE void heap_leave_like(word heap)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    bits_set_here(&thread.heap, heap & HEAP_SHADE);
}

INLINE void heap_leave_to(bool was)              /* as heap_enter_was found it */
{
    if (!was)
        heap_leave();
}

/* All of these are called between heap_enter and heap_leave, or under a shared heap's lock. */
word heap_alloc(struct heap *heap, unsigned class, bool *zero);       /* 0: out of memory */
/* the cursor has a block to give; false: out of memory */
bool heap_ready(struct heap *heap, unsigned class);
/* from what the heap has in that class, no lock taken; 0: that is nothing */
word heap_alloc_here(struct heap *heap, unsigned class);
/* into a slab that is full and this heap's; false: it is not, or it is another case */
bool heap_free_into_full(struct heap *heap, struct slab *slab, word block);
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
