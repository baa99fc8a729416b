/* leak.h - what nobody can reach any more. The conventions of every entry are in midden.h.
 *
 * A leak check looks for words that point at blocks: in stacks, registers, static data,
 * thread-locals, private writable mappings, registered roots, arenas, and in every block found
 * that way. What is left over is a leak. Nothing is freed. A stale word on a stack can hide a
 * leak; a pointer that is kept nowhere in memory as it is (XORed, compressed, in a file) makes a
 * block look like one.
 *
 * Where the library was built without the collector: as said in gc.h, every function here answers
 * ENOSYS.
 */
#ifndef MIDDEN_LEAK_H
#define MIDDEN_LEAK_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum midden_leak_kind {
    MIDDEN_LEAK_DEFINITE = 1,            /* nothing points at the block */
    MIDDEN_LEAK_INDIRECT = 2,            /* only leaked blocks do */
    MIDDEN_LEAK_POSSIBLE = 3,            /* only a pointer to its inside, or one past its end */
    MIDDEN_LEAK_FORGOTTEN = 4            /* a counted object with handles that no memory holds */
};

struct midden_leak {
    size_t                size;          /* sizeof(struct midden_leak) of the library */
    const void           *start;         /* first byte of the block */
    size_t                bytes;         /* usable */
    enum midden_leak_kind kind;
    const void *const    *frame;         /* return addresses of the allocation, innermost first */
    size_t                frames;        /* how many; 0: not known (they are kept in mode leaks) */
};

/* *leak and its frames are valid during the call only. 0: go on; anything else: no more visits.
 * The world runs, no lock of midden is held; it may allocate, but not call midden_leak_check. */
typedef int midden_leak_visitor(const struct midden_leak *leak, void *arg);

/* Looks for leaks and visits them, the largest first. `visit` may be NULL: they are only counted.
 * Returns    how many blocks have leaked, those not visited included, or -1: EAGAIN a thread could
 *            not be stopped, or two scans did not agree; EBUSY called from a visitor, a finalizer
 *            or a callback; ENOMEM.
 * Threads    other threads are stopped for part of it. A block is counted only if two scans find
 *            it unreachable: its one pointer may be on the way between two places during the
 *            first.
 * Cost       O(bytes reachable), as a full collection, twice.
 * Source     mark and sweep with ambiguous roots: Boehm and Weiser, "Garbage collection in an
 *            uncooperative environment", 1988. */
long midden_leak_check(midden_leak_visitor *visit, void *arg);

/* This block is no leak, nor is anything it leads to, until it is freed. `word`: any address
 * inside it.
 * Returns    0, or -1: ENOENT no block in use there, ENOMEM.
 * Cost       O(1). */
int midden_leak_ignore(const void *word);

/* Blocks allocated up to now are not visited or counted by later checks. A forked child keeps the
 * line.
 * Returns    0, or -1: ENOMEM.
 * Cost       O(slabs). */
int midden_leak_baseline(void);

#ifdef __cplusplus
}
#endif
#endif
