/* mark.h - from roots to everything they reach.
 * Job         A stack of blocks still to be looked into, a short queue in front of it so that
 *             memory is on its way before it is needed, and markers that share the work.
 * Invariants  M1  a block is pushed when its mark goes up, and only then; or, where a stack is
 *                 full, its slab is noted as spilled, and looked through once more
 *             M2  a leaf, or a block of an arena, is never pushed
 * Locking     One marker belongs to one thread. What they share is under a lock of its own.
 *
 * What holds what: a word in a registered root or in an uncounted object holds counted objects,
 * too; any other word holds uncounted objects and malloc blocks only. A counted object that is
 * held is marked, and what it owns is for the caller to say (mark_object).
 *
 * Source of the ideas: ambiguous roots and the mark stack with overflow are Boehm and Weiser's
 * (1988); the prefetch queue in front of the stack is Cher, Hosking and Vitek's (2004).
 */
#ifndef MIDDEN_GC_MARK_H
#define MIDDEN_GC_MARK_H

#include "base/base.h"
#include "gc/root.h"

struct marker;

/* Looks into a counted object whose mark has just gone up: calls mark_counted and mark_words. */
typedef void mark_object(struct marker *marker, word start, size_t bytes);

/* Before the world stops: memory, threads; `markers` may work, the calling thread one of them.
 * false: out of memory. */
bool mark_prepare(unsigned markers);

/* While it is stopped. */
void mark_begin(mark_object *object);
void mark_piece(const struct root_piece *piece, void *unused);       /* a root_visit */
void mark_drain(void);                           /* until nothing is left to look into */
/* of the calling thread, for what else is a root; drain afterwards */
struct marker *mark_marker(void);
/* an address of a counted block in use, from an owned field; true: its mark has just gone up */
bool mark_counted(struct marker *marker, word start);
void mark_words(struct marker *marker, const word *at, size_t words, bool holds);
/* What has a mark already, or is counted, and lies in [lo, hi), is looked into again. */
void mark_again(word lo, word hi);
size_t mark_scanned_bytes(void);
unsigned mark_workers(void);                     /* that worked in the last drain */
void mark_end(void);                             /* gives the memory of long stacks back */
void mark_fork_child(void);

#endif
