/* roster.h - threads that begin and end.
 * Job         A heap for each thread; the slabs of threads that ended, for whoever needs one; what
 *             a forked child finds.
 * Invariants  A1  an orphan slab is owned by the orphans' heap and in one of its lists, both under
 *             the roster lock
 *             A2  a slab of the heap of empties is empty, and in a list of it; as A1
 *             A3  a dead heap owns full slabs only: anybody may take those over
 * Locking     the roster lock.
 */
#ifndef MIDDEN_HEAP_ROSTER_H
#define MIDDEN_HEAP_ROSTER_H

#include "heap/heap.h"

/* a heap for a thread; NULL: out of memory */
struct heap *roster_attach(enum heap_kind kind);
void         roster_detach(struct heap *heap);                        /* the thread ends */
/* an orphan of that class with a free block, or an empty slab that a thread left; or NULL */
struct slab *roster_adopt(struct heap *heap, unsigned class);
/* this very orphan; false: it is none any more */
bool         roster_adopt_slab(struct heap *heap, struct slab *slab);
/* heaps of threads that do not exist here */
void         roster_fork_child(const struct thread *owner);
void         roster_rest(void);  /* empty slabs that ended threads left go back to the cage */
struct heap *roster_first(void);  /* every heap ever made; follow `next` */
extern struct lock roster_lock;

#endif
