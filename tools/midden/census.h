/* census.h - every slab of another process's heap, counted.
 * Job         Copy the tables out of the process, walk the bitmaps in the copy, and split the
 *             resident pages of the cage among what lies on them.
 * Invariants  T1  every resident byte of the cage below its reach is added to exactly one row
 *             T2  nothing read from the process is trusted: an index is checked before it is used,
 *                 so a heap that changes under the reader costs accuracy, never a crash
 */
#ifndef MIDDEN_TOOL_CENSUS_H
#define MIDDEN_TOOL_CENSUS_H

#include "residency.h"
#include "survey.h"

/* Three tables by slice, the descriptors, and slices of the cage that hold descriptors too. */
enum { EXTENTS = 4 + 60 };

/* A table, or a part of one, and a copy of it. */
struct extent {
    word             lo, hi;
    char            *image;
    struct residency pages;
};

struct census {
    struct peer       *peer;
    struct beacon     *beacon;
    struct cage        cage;                     /* as it is now */
    struct cage_tables tables;
    enum residency_way way;                      /* the worst that had to be taken */
    struct residency   pages;                    /* of [cage.base, cage.base + cage.reach) */
    struct extent      extent[EXTENTS];
    unsigned           extents;
};

/* Fills the rows of the heap, the classes and what belongs to them. False: its memory could not be
 * read (errno). census_fini either way. */
bool census_take(struct census *census, struct survey *survey);
void census_fini(struct census *census);

/* Resident bytes of a mapping that are the heap's, in the cage or in the tables. A mapping of the
 * cage alone is the heap's whole, whatever has moved since its figure was read. */
size_t census_share(const struct census *census, const struct mapping *mapping);

#endif
