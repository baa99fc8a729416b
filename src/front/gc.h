/* gc.h - what the doors of midden/gc.h share.
 * Job         When a collection begins by itself: the policy in force, asked after slow paths.
 * Locking     none here; see gc_collect.c.
 */
#ifndef MIDDEN_FRONT_GC_H
#define MIDDEN_FRONT_GC_H

#include "base/base.h"

extern uint32_t gc_gate;  /* counted objects a thread may have fresh before the policy is asked */

void gc_begin(void);                             /* before the first managed object or root */
void gc_consider_objects(void);                  /* a thread passed the gate */
void gc_consider_volume(void);                   /* some bytes were issued since the last look */
/* Memory is full: true if a collection was made, and it is worth to ask again. Calls no
 * finalizer. */
bool gc_exhausted(void);
void gc_exits(void);                             /* the process ends */
/* A fork waits for the collection of another thread to end what it found: a child that had half of
 * it would take counts for wrong. Not for good: its finalizer may want what the forker holds. */
void gc_fork_prepare(void);
void gc_fork_parent(void);
void gc_fork_child(void);

#endif
