/* weak.h - handles that do not keep their object.
 * Job         Cells that lead to an object until it ends; outside scanned memory.
 * Invariants  W1  a cell with an object is in the table; an object that has a cell has FLAG_WEAK
 *             W2  while a cell has its object, the object's block is in use
 * Locking     weak_lock, taken inside.
 */
#ifndef MIDDEN_MANAGED_WEAK_H
#define MIDDEN_MANAGED_WEAK_H

#include "managed/object.h"

struct midden_weak;
extern struct lock weak_lock;

struct midden_weak *weak_make(struct header *header);    /* NULL: out of memory */
struct header      *weak_get(struct midden_weak *weak);  /* retained; NULL: it is gone */
void                weak_drop(struct midden_weak *weak);
void                weak_clear(struct header *header);   /* all that lead to this object */

#endif
