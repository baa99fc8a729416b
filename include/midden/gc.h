/* gc.h - objects with handles, objects that are found unreachable, and when to look. The
 * conventions of every entry are in midden.h.
 *
 * Two disciplines, one heap:
 *     counted     midden_new. An object lives by its handles, exactly. A raw pointer without a
 *                 handle is borrowed and protects nothing. At count zero the object dies at once,
 *                 on the releasing thread. A collection finds what counting cannot: a counted
 *                 object is garbage iff each of its handles is explained by an owned field of an
 *                 object that is garbage itself, no registered root holds its address, and no live
 *                 uncounted object points at it.
 *     uncounted   midden_alloc, midden_alloc_leaf, midden_intern. An object lives while a word
 *                 reaches it: from registered roots, stacks, registers, static data,
 *                 thread-locals, private writable mappings, live arenas and reachable malloc
 *                 blocks. An interior pointer counts, one past the end does not.
 *
 * Counting is per object and exact, its cycles are found by trial deletion: Christopher,
 * "Reference count garbage collection", 1984, in the form CPython gave it; finalizers as in PEP
 * 442; generations and their thresholds as in CPython's gc. Tracing is mark and sweep with
 * ambiguous roots: Boehm and Weiser, 1988.
 *
 * Words used below
 *     stopped     the entry is called, or calls you, while other threads are stopped: take no
 *                 lock, allocate and free nothing, call no function of midden but those that are
 *                 async-signal-safe
 *     O(full)     the cost of a full collection: proportional to what is reachable, plus the
 *                 bitmaps of the rest
 *
 * Fork. A child has the objects of its parent; collections, policies and weak handles work in it.
 * The system copies memory page by page: what another thread changes meanwhile may arrive half
 * changed, a count here, a field there. Fork while other threads change counted objects only if the
 * child leaves those alone. A collection that another thread was in the middle of is over in the
 * child, and what it had found stays.
 */
#ifndef MIDDEN_GC_H
#define MIDDEN_GC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types ----------------------------------------------------------------------------------- */

#define MIDDEN_END ((size_t)-1)          /* behind the last offset of midden_type.owned */

/* Called with the address of each owned field. Stopped. */
typedef void midden_visitor(void **field, void *arg);

enum {                                   /* midden_type.flags */
    MIDDEN_LEAF = 1,                     /* the object holds no pointer at all */
    MIDDEN_CONSERVATIVE = 2              /* any aligned word outside owned fields may be one */
};                                       /* with neither, owned fields alone are followed */

/* How to see inside a counted object. Static, shared by its objects, never copied; outlives them
 * all and does not change while there are any.
 *     owned     offsets of the fields that hold handles, ended by MIDDEN_END; each a multiple of
 *               sizeof(void *), inside the fixed part. NULL: none.
 *     visit     for owned fields that offsets cannot say: calls visitor for each of them, for the
 *               same ones as long as the object is unchanged. Stopped. NULL: none.
 *     finalize  called once, before the memory goes; owned fields still hold. It may retain the
 *               object, which then lives and is not finalized again. The world runs, no lock of
 *               midden is held, and no malloc is under way; on the releasing thread at count zero,
 *               else on the collecting one. NULL: none. */
struct midden_type {
    size_t        size;                  /* sizeof(struct midden_type) */
    const char   *name;                  /* for reports; NULL: none */
    size_t        object_bytes;          /* the fixed part */
    const size_t *owned;
    void        (*visit)(void *object, midden_visitor *visitor, void *arg);
    void        (*finalize)(void *object);
    unsigned      flags;                 /* MIDDEN_LEAF or MIDDEN_CONSERVATIVE or 0 */
};

/* ---- counted objects ------------------------------------------------------------------------- */

/* A new object of type->object_bytes + extra_bytes bytes, all zero, aligned to 16, with one
 * handle: the caller's.
 * Returns    the object, or NULL: EINVAL type is NULL, of no known size, with flags that are
 *            unknown or both, or with an owned offset that is misaligned or outside; ENOMEM, also
 *            if the sum wraps.
 * Cost       that of malloc, and now and then a collection, if the policy counts objects or bytes.
 * Lifetime   until its last handle is released, or it is found garbage. */
void *midden_new(const struct midden_type *type, size_t extra_bytes);

/* One handle more. `object`: the first byte of an object the caller has a handle for, or borrows
 * from one who has.
 * Returns    object; NULL for NULL. What is no counted object ends the program with a sentence.
 * Cost       O(1), one atomic addition. */
void *midden_retain(void *object);

/* One handle less; the last one ends the object: weak handles are cleared, it is finalized, its
 * owned fields are released, its memory is freed. NULL: nothing. A release too many ends the
 * program with a sentence. errno is preserved.
 * Cost       O(1), or for the last handle that of everything it was the last to hold; a list of a
 *            million objects needs no deep stack. */
void midden_release(void *object);

/* Stores a handle in an owned field: retains `object`, stores it, releases what was there. Either
 * may be NULL. `field`: the address of an owned field, or of any pointer that holds a handle or
 * NULL.
 * Threads    two threads that assign one field at once need a lock of their own.
 * Cost       that of retain and release. */
void midden_assign(void *field, void *object);

/* How many handles an object has; 0: NULL, or no counted object. As old as its return. O(1). */
size_t midden_handles(const void *object);

/* ---- uncounted objects ----------------------------------------------------------------------- */

/* A new object, zeroed, aligned to 16, every aligned word of which may be a pointer. 0 bytes: an
 * object of its own.
 * Returns    the object, or NULL: ENOMEM.
 * Cost       that of malloc, and now and then a collection.
 * Lifetime   until no word reaches it. free() of it ends the program with a sentence. */
void *midden_alloc(size_t bytes);

/* The same, not zeroed, and never looked into: for text, numbers, pixels. */
void *midden_alloc_leaf(size_t bytes);

/* The one uncounted leaf object that holds these bytes, with a NUL behind the last: equal bytes,
 * equal pointer.
 * Returns    the object, which must not be written to, or NULL: EINVAL bytes is NULL and count is
 *            not 0; ENOMEM.
 * Cost       O(count), a lock.
 * Lifetime   until no word reaches it; interned again later, it may lie elsewhere. */
const void *midden_intern(const void *bytes, size_t count);

/* ---- weak handles ---------------------------------------------------------------------------- */

struct midden_weak;

/* A handle that does not keep its object, a counted one. A new one each call; it outlives the
 * object.
 * Returns    the weak handle, or NULL: EINVAL no counted object, ENOMEM.
 * Cost       O(1).
 * Lifetime   until midden_weak_drop. */
struct midden_weak *midden_weak(void *object);

/* The object, retained, or NULL if it is gone, or if weak is NULL; errno is left alone. Exact
 * against a last release on another thread: one of the two is first. Cleared before the finalizer
 * runs, and stays so if that one keeps the object.
 * Cost       O(1). */
void *midden_weak_get(struct midden_weak *weak);

/* Ends a weak handle. NULL: nothing. errno is preserved. Cost  O(1). */
void midden_weak_drop(struct midden_weak *weak);

/* ---- roots ----------------------------------------------------------------------------------- */

/* Every aligned word in [base, base + bytes) may be a pointer, from now on. Needed for memory a
 * collection does not look at by itself: shared mappings, and everything where
 * midden_scan(MIDDEN_SCAN_REGISTERED) holds.
 * Returns    0, or -1: EINVAL base is NULL or no multiple of sizeof(void *), bytes is 0 or wraps;
 *            EEXIST the range overlaps a root; ENOMEM.
 * Cost       O(log roots).
 * Lifetime   until midden_root_remove; the memory must stay readable until then. */
int midden_root_add(const void *base, size_t bytes);

/* Returns    0, or -1: ENOENT no root begins at base. On return no collection reads it any more,
 *            so this may wait for one.
 * Cost       O(log roots). */
int midden_root_remove(const void *base);

enum {
    MIDDEN_SCAN_ALL = 0,                 /* everything said above; the default */
    MIDDEN_SCAN_REGISTERED = 1           /* registered roots and live objects only: the program
                                            answers for stacks, statics, mappings, malloc blocks */
};

/* What later collections take for roots, process-wide. Returns 0, or -1: EINVAL. Cost  O(1). */
int midden_scan(int what);

/* ---- collecting ------------------------------------------------------------------------------ */

enum { MIDDEN_FULL = 2 };                /* the oldest generation, and with it all of them */

/* Collects generations 0 to `generation`. Waits for a collection that runs, then makes its own.
 * Works while automatic collection is disabled. Generations are those of counted objects; the young
 * uncounted ones are collected with generation 0 and 1 while the kernel keeps book of what is
 * written to the old (man page: minor collections).
 * Returns    objects found unreachable, of both disciplines, less those that a finalizer kept;
 *            finalizers have run. Uncounted objects that a finalizer could have looked at, by way
 *            of a conservative object, are found by the next one. Inside a finalizer or a callback:
 *            0, and nothing is done. -1: EINVAL generation is not 0, 1 or 2;
 *            EAGAIN a thread could not be stopped.
 * Threads    the others are stopped for part of it. Call it with no lock held that a finalizer may
 *            want.
 * Cost       generation 0 and 1: O(objects in them), and, where young uncounted ones are looked
 *            for, O(roots, counted objects, and memory written since the last one); 2: O(full). */
long midden_collect(int generation);

/* Automatic collection on and off, process-wide, not nested; on at start. Return what it was, 1 or
 * 0. Async-signal-safe.
 * Cost       O(1). */
int midden_enable(void);
int midden_disable(void);
int midden_is_enabled(void);

enum midden_event {
    MIDDEN_IDLE,                         /* nothing to do for a while */
    MIDDEN_PRESSURE,                     /* memory runs short */
    MIDDEN_USER                          /* whatever the program means by it */
};

/* The program says so; a collection follows iff the policy names the event, perhaps after the
 * return, perhaps on another thread.
 * Cost       O(1) if it does not. */
void midden_notify(enum midden_event event);

/* ---- policy ---------------------------------------------------------------------------------- */

/* When to collect: triggers joined by `+`, in the grammar of the option `collect`. Replaces the
 * whole set.
 *     interval:5s            every 5 s
 *     objects:700/10/10      as midden_set_threshold
 *     bytes:64M              bytes allocated since the last collection
 *     growth:100%            the same, relative to what lived after it, never below 8 MiB; leaf
 *                            objects count a sixteenth: they cost a collection nothing. A minor
 *                            collection comes at half of it
 *     exit  idle:200ms  pressure  exhaustion  signal:USR1  user
 * "" leaves explicit collections only. At start: objects:700/10/10+growth:100%.
 * Returns    0, or -1 and the old set stays: EINVAL text is NULL or does not parse, ERANGE a
 *            number is out of range, EAGAIN the helper thread that interval, idle and pressure
 *            need could not be made.
 * Cost       O(length).
 * Lifetime   the text is copied. */
int midden_policy_set(const char *policy);

/* The set in force, as one line that midden_policy_set takes.
 * Returns    0, or -1: EINVAL text is NULL, ERANGE it does not fit into `bytes` with its NUL, and
 *            nothing is written. 256 bytes are enough for every set.
 * Cost       O(length). */
int midden_policy_get(char *text, size_t bytes);

/* The trigger objects:A/B/C by itself. Generation 0 is collected when allocations minus frees of
 * counted objects exceed threshold0; every threshold1 of these collect generation 1 too; every
 * threshold2 of those generation 2 too, if what was promoted since the last full collection is a
 * quarter of what survived that, at least. threshold0 of 0: never.
 * Returns    0, or -1: EINVAL one is negative.
 * Cost       O(1). */
int midden_set_threshold(int threshold0, int threshold1, int threshold2);

/* Fills threshold[0..2]; zeros if the policy has no such trigger. -1: EINVAL NULL. Cost  O(1). */
int midden_get_threshold(int threshold[3]);

/* Fills count[0..2] with what is compared to the thresholds now: allocations minus frees,
 * collections of generation 0 since the last of 1, of 1 since the last of 2. -1: EINVAL NULL.
 * Cost       O(threads). */
int midden_get_count(int count[3]);

/* ---- watching -------------------------------------------------------------------------------- */

struct midden_gc_stats {
    size_t   size;                       /* sizeof(struct midden_gc_stats), set by the caller */
    uint64_t collections;                /* made of this generation */
    uint64_t collected;                  /* objects freed by them */
    uint64_t uncollectable;              /* found unreachable and kept: MIDDEN_DEBUG_SAVEALL */
    uint64_t collected_bytes;
    uint64_t given_up;                   /* ended early: a thread could not be stopped */
    uint64_t pause_last_ns;              /* how long the world stood */
    uint64_t pause_max_ns;
    uint64_t pause_sum_ns;
    uint64_t pause_p50_ns;               /* of a histogram: upper ends, a fifth too large at most */
    uint64_t pause_p99_ns;
    uint64_t minor;                      /* of them, with young uncounted objects, by themselves */
};

/* Fills *out for a generation. -1: EINVAL generation is not 0, 1 or 2, or out->size. Cost  O(1). */
int midden_get_stats(int generation, struct midden_gc_stats *out);

enum midden_phase { MIDDEN_START, MIDDEN_STOP };

struct midden_collection {
    size_t      size;                    /* sizeof(struct midden_collection) of the library */
    int         generation;
    const char *reason;                  /* the trigger, as in the policy; "collect": asked for */
    size_t      collected;               /* these four at MIDDEN_STOP; 0 before */
    size_t      uncollectable;
    uint64_t    pause_ns;
    uint64_t    duration_ns;
};

/* Before and after each collection, on the collecting thread. The world runs, and it may allocate;
 * midden_collect inside it does nothing. *collection is valid during the call. */
typedef void midden_callback(enum midden_phase phase, const struct midden_collection *collection,
                             void *arg);

/* Callbacks are called in the order they were added in. A pair (callback, arg) is there once.
 * Return     0, or -1. add: EINVAL NULL, EEXIST, ENOMEM. remove: ENOENT; on return it is called no
 *            more, so this may wait, unless it is called from the callback itself.
 * Cost       O(callbacks). */
int midden_callbacks_add(midden_callback *callback, void *arg);
int midden_callbacks_remove(midden_callback *callback, void *arg);

enum {                                   /* flags of midden_set_debug; the values are Python's */
    MIDDEN_DEBUG_STATS = 1,              /* a line on stderr per collection */
    MIDDEN_DEBUG_COLLECTABLE = 2,        /* a line per object found unreachable and freed */
    MIDDEN_DEBUG_UNCOLLECTABLE = 4,      /* a line per object found unreachable and kept */
    MIDDEN_DEBUG_SAVEALL = 32,           /* what is found unreachable goes to the garbage instead */
    MIDDEN_DEBUG_LEAK = 2 | 4 | 32
};

/* Process-wide; 0 at start. set: 0, or -1: EINVAL an unknown flag. get: the flags. Cost  O(1). */
int midden_set_debug(int flags);
int midden_get_debug(void);

/* ---- objects, asked from outside ------------------------------------------------------------- */

/* Called with the first byte of an object. 0: go on; anything else: no more visits. Stopped. The
 * object is borrowed for the call; midden_retain, which neither locks nor allocates, keeps a
 * counted one. */
typedef int midden_object_visitor(void *object, void *arg);

/* Visits the counted and uncounted objects of a generation, -1: of all, the frozen ones too.
 * Returns    how many visits were made, or -1: EINVAL no visitor, or generation is not -1, 0, 1 or
 *            EAGAIN a thread could not be stopped.
 * Cost       O(slabs + objects). */
long midden_get_objects(int generation, midden_object_visitor *visit, void *arg);

enum midden_holder {                     /* where a reference was found */
    MIDDEN_HOLDER_OBJECT = 1,            /* a managed object */
    MIDDEN_HOLDER_BLOCK = 2,             /* a malloc block */
    MIDDEN_HOLDER_ARENA = 3,             /* a block of an arena */
    MIDDEN_HOLDER_ROOT = 4,              /* a registered root */
    MIDDEN_HOLDER_STACK = 5,             /* the stack, registers or thread-locals of a thread */
    MIDDEN_HOLDER_STATIC = 6,            /* static data of a program or library */
    MIDDEN_HOLDER_MAPPING = 7            /* another mapping */
};

struct midden_reference {
    size_t             size;             /* sizeof(struct midden_reference) of the library */
    enum midden_holder kind;
    const void        *holder;           /* first byte of the object, block, root, mapping ... */
    const void        *field;            /* address of the word that refers; NULL: a register */
    void              *object;           /* first byte of the one it refers to */
};

/* *reference is valid during the call only. 0: go on; anything else: no more visits. Stopped. */
typedef int midden_reference_visitor(const struct midden_reference *reference, void *arg);

/* Visits every word that refers to one of `count` objects, found where a full collection looks:
 * roots included. For looking, not for deciding: a stale word is visited too, and so are holders
 * that are dead, but not collected yet.
 * Returns    how many visits were made, or -1: EINVAL objects is NULL and count is not 0, one of
 *            them is no managed object, or no visitor; EAGAIN a thread could not be stopped;
 *            ENOMEM.
 * Cost       O(full). Source of the idea: Python's gc.get_referrers. */
long midden_get_referrers(void *const *objects, size_t count, midden_reference_visitor *visit,
                          void *arg);

/* Visits what `count` objects refer to: owned fields, what midden_type.visit tells, and for
 * conservative objects every object a word of theirs points into. An object may be visited several
 * times.
 * Returns    as midden_get_referrers.
 * Cost       O(bytes of the objects). */
long midden_get_referents(void *const *objects, size_t count, midden_object_visitor *visit,
                          void *arg);

/* Does a collection look into this object? 1: yes; 0: it is a leaf, or `word` points to no managed
 * object. Frozen objects are tracked. Async-signal-safe.
 * Cost       O(1). */
int midden_is_tracked(const void *word);

/* Has this object been finalized, and lives since its finalizer kept it? 1 or 0; 0 also for what
 * is no counted object. Async-signal-safe.
 * Cost       O(1). */
int midden_is_finalized(const void *word);

/* ---- garbage and frozen objects -------------------------------------------------------------- */

/* Visits what collections found unreachable and kept: all of it under MIDDEN_DEBUG_SAVEALL, else
 * nothing. The world runs, and the visitor may allocate.
 * Returns    how many visits were made, or -1: EINVAL no visitor. Cost  O(garbage).
 * Lifetime   the garbage holds one handle of each, or roots it, until it is cleared. */
long midden_garbage(midden_object_visitor *visit, void *arg);

/* Lets the garbage go: what is unreachable still is freed by the next collection, if SAVEALL is
 * off. Returns how many objects there were.
 * Cost       O(garbage). */
long midden_garbage_clear(void);

/* Moves every object there is now to a generation that no collection visits: for a server that has
 * loaded what its forked children share. Frozen objects keep others alive, still die at count
 * zero, and their bitmaps are not written. Returns 0, or -1: EAGAIN a thread could not be stopped.
 * Cost       O(slabs). */
int midden_freeze(void);

/* Moves them back, to the oldest generation. Returns 0, or -1: EAGAIN. Cost  O(slabs). */
int midden_unfreeze(void);

/* How many objects are frozen. Cost  O(slabs). */
size_t midden_get_freeze_count(void);

#ifdef __cplusplus
}
#endif
#endif
