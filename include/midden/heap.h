/* heap.h - what is known of blocks. The conventions of every entry are in midden.h.
 *
 * A block is what malloc and its family, an arena or the managed heap gave out: [start, start +
 * bytes). Whether it is in use is one bit outside of it, and the way from any address to that bit
 * is arithmetic: a subtraction, one load, one multiplication by the reciprocal of the block size.
 * So each question about a single word has a cost that depends on nothing.
 */
#ifndef MIDDEN_HEAP_H
#define MIDDEN_HEAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one block ------------------------------------------------------------------------------- */

enum midden_kind {
    MIDDEN_MANUAL = 1,                   /* malloc, operator new and their families */
    MIDDEN_MANAGED = 2,                  /* midden_new, midden_alloc */
    MIDDEN_MANAGED_LEAF = 3,             /* the same, never scanned */
    MIDDEN_ARENA = 4                     /* midden_arena_alloc */
};

struct midden_object {
    size_t           size;               /* sizeof(struct midden_object), set by the caller */
    void            *start;              /* first byte */
    size_t           bytes;              /* usable: at least as many as were asked for */
    enum midden_kind kind;
    int              is_free;            /* 1: the block is free, the word dangles; 0: in use */
};

/* What block does this word point into? `word` is any value whatever, a pointer or not: a first
 * byte, an interior one, an address of somebody else; it is never read through.
 * Returns    0 and *out, or -1: ENOENT no block of midden lies there, EINVAL out->size.
 * Threads    the answer is as old as its return: another thread may free the block meanwhile. A
 *            block another thread is freeing may still be told as in use.
 * Signals    async-signal-safe, also inside an interrupted malloc or free. It may set errno.
 * Cost       O(1), no lock. In an arena O(bytes of the block / 1024): its start is looked for in a
 *            bitmap.
 * Lifetime   *out is the caller's; start is borrowed. */
int midden_object_at(const void *word, struct midden_object *out);

/* Usable bytes of a block in use, given its first byte; 0 for NULL and for what is no block of
 * midden. The figure stays the same for the life of the block. Bytes beyond those asked for may be
 * used, but code that is compiled with _FORTIFY_SOURCE=3 may be ended for it: ask
 * midden_good_bytes first, and ask malloc for all of them.
 * Signals    async-signal-safe.
 * Cost       O(1), no lock. */
size_t midden_usable_bytes(const void *block);

/* Usable bytes of the block that malloc(bytes) would give; 0 if no block can be as large. Nothing
 * is allocated.
 * Signals    async-signal-safe.
 * Cost       O(1). */
size_t midden_good_bytes(size_t bytes);

/* ---- all of them ----------------------------------------------------------------------------- */

/* Gives the pages of empty spans back to the system, those of other threads' heaps only where
 * their owners have given them up. Returns the bytes given back; 0 is no failure.
 * Cost       O(empty spans), a system call each. Their memory has to be touched anew when it is
 *            reused: a page costs about a microsecond then. */
size_t midden_trim(void);

struct midden_stats {
    size_t size;                         /* sizeof(struct midden_stats), set by the caller */

    /* Bytes now. committed = live + slack + dirty + what is left, which is clean: it costs no
     * memory. */
    size_t reserved_bytes;               /* address space set aside for blocks */
    size_t committed_bytes;              /* of these, readable and writable */
    size_t live_bytes;                   /* blocks in use, usable bytes */
    size_t slack_bytes;                  /* spans in use, blocks that are not */
    size_t dirty_bytes;                  /* empty spans whose pages are still here */
    size_t metadata_bytes;               /* midden's own tables; not part of committed */
    size_t peak_bytes;                   /* the most that live + slack has been */
    size_t live_blocks;                  /* how many blocks in use */

    /* Events since the program started. */
    uint64_t spans_taken;                /* spans taken from the cage */
    uint64_t spans_given;                /* spans given back */
    uint64_t slabs_made;                 /* slabs cut */
    uint64_t slabs_stolen;               /* full slabs taken over by whoever freed into them */
    uint64_t slabs_adopted;              /* slabs taken over from threads that ended */
    uint64_t remote_rounds;              /* rounds of frees that came from other threads */
    uint64_t large_made;                 /* blocks that are spans of their own */
    uint64_t large_grown;                /* large blocks grown in place */
    uint64_t large_moved;                /* large blocks moved by remapping their pages */
    uint64_t purges;                     /* purges of empty spans */
    uint64_t purged_bytes;               /* bytes purged */
    uint64_t commits;                    /* times the cage grew */
    uint64_t heaps_made;                 /* heaps made for threads */
    uint64_t heaps_reused;               /* heaps taken over from threads that ended */
    uint64_t emergencies;                /* calls from handlers that interrupted malloc or free */
    uint64_t late_calls;                 /* calls from threads past their last destructor */
    uint64_t foreign_frees;              /* pointers of another allocator, forwarded to it */
    uint64_t faults;                     /* double and invalid frees */
    uint64_t out_of_memory;              /* requests refused */
    uint64_t forks;                      /* forks seen in this process */
};

/* Fills *out. -1: EINVAL out->size.
 * Threads    while other threads allocate, each figure is right for some moment during the call,
 *            and the sum may be off by what they did meanwhile.
 * Cost       O(slabs): the bitmaps of each are counted. Nothing is counted on the paths of malloc
 *            and free for it.
 * Lifetime   *out is the caller's. */
int midden_stats(struct midden_stats *out);

/* The same as one JSON object, and the table of size classes with it:
 *     {"schema":"midden.stats/1", ... ,"classes":[{"bytes":48,"blocks":...},...]}
 * Names are added in later releases, never changed. At most `bytes` bytes are written to `out`, a
 * NUL always among them unless bytes is 0.
 * Returns    the length without the NUL, whether it fitted or not: what is >= bytes was cut.
 *            Threads that allocate meanwhile can make it longer.
 * Threads, cost, lifetime as midden_stats; nothing is allocated. */
size_t midden_stats_json(char *out, size_t bytes);

/* ---- a walk ---------------------------------------------------------------------------------- */

/* Called for each block in use. *object is valid during the call only. 0: go on; anything else:
 * stop. It must not allocate, free, lock, or call any function of midden but those that are
 * async-signal-safe: the other threads may be stopped. */
typedef int midden_walk_visitor(const struct midden_object *object, void *arg);

enum {
    MIDDEN_WALK_EXACT = 0,               /* the world was stopped: each block in use, once */
    MIDDEN_WALK_APPROXIMATE = 1          /* it was not: see midden_walk */
};

/* Visits every block in use, in order of address.
 * Returns    MIDDEN_WALK_EXACT, MIDDEN_WALK_APPROXIMATE, or -1: EINVAL no visitor, ECANCELED the
 *            visitor asked to stop, EBUSY called from a visitor.
 * Threads    A program that nobody asked to be stopped is not: then blocks that other threads
 *            allocate or free during the walk may or may not be visited, and a block visited may
 *            be free by then. A program with one thread always gets an exact walk.
 * Cost       O(slabs + blocks in use); the thread holds no lock that malloc on other threads
 *            needs. */
int midden_walk(midden_walk_visitor *visit, void *arg);

#ifdef __cplusplus
}
#endif
#endif
