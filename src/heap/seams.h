/* seams.h - where one mapping of the cage ends and the next begins.
 * Job         Pages that were moved to another address (os_move_pages) lie in a mapping of their
 *             own, which no neighbour merges with; fresh ones merge. A process may have 65,530
 *             mappings, so they are counted, and moving stops long before.
 * Invariants  E1  `moved` is set for the slices whose mapping came from another address
 *             E2  `seams` is set for a slice whose mapping is not that of the slice below, where
 *                 one of the two was moved
 * Locking     none inside: the span lock.
 */
#ifndef MIDDEN_HEAP_SEAMS_H
#define MIDDEN_HEAP_SEAMS_H

#include "base/base.h"

struct seams {
    uint64_t *moved, *seams;                     /* a bit a slice, and one behind the last */
    size_t    count;                             /* bits of `seams` */
};

bool seams_have_room(const struct seams *seams); /* may one more run be moved? */
bool seams_cross(const struct seams *seams, size_t at, size_t run);     /* is there one inside? */
bool seams_touch(const struct seams *seams, size_t at, size_t run);     /* was some of it moved? */
void seams_moved(struct seams *seams, size_t at, size_t run);  /* its pages came from elsewhere */
void seams_fresh(struct seams *seams, size_t at, size_t run);  /* it was mapped anew */
void seams_validate(const struct seams *seams, size_t from, size_t end);

#endif
