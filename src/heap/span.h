/* span.h - runs of slices: taken, given back, purged.
 * Job         First fit by address over one bit a slice, warm slices first, in the zone the wish is
 *             for. What is given back keeps its pages up to a bound; beyond it they go back to the
 *             system at that very call.
 * Invariants  N1  `available` is set for exactly the slices of a zone below its reach that belong
 *             to
 *                 no span in use and are not being purged
 *             N2  a slice that is available and not `dirty` reads as zero
 *             N3  `dirty` is a subset of `available`
 * Locking     the span lock, taken inside.
 */
#ifndef MIDDEN_HEAP_SPAN_H
#define MIDDEN_HEAP_SPAN_H

#include "base/base.h"
#include "os/os.h"

enum span_purge { SPAN_PURGE_AUTO, SPAN_PURGE_NOW, SPAN_PURGE_NEVER };

struct span_wish {
    size_t slices, align_slices;
    bool   dense;  /* all of it will be touched: huge pages are welcome */
};
/* address; 0: out of memory. *warm: so many of its slices had pages; none: it reads as zero */
word span_take(const struct span_wish *wish, size_t *warm);
void span_give(word at, size_t slices);
/* take `more` slices right behind a span */
bool span_extend(word at, size_t slices, size_t more, size_t *warm);
/* pages of one span in use become those of another; OS_REFUSED: what `to` held may be gone */
enum os_moved span_move(word from, word to, size_t slices);
size_t span_purge(size_t keep_bytes);  /* purge all but this much of what is dirty; bytes purged */
void span_configure(enum span_purge purge, size_t limit_bytes, bool huge);

struct span_figures {
    size_t used_slices, dirty_slices, peak_slices;
};
struct span_figures span_figures(void);
bool   span_is_huge(word at);  /* lies where huge pages were asked for: purged whole, if at all */
size_t span_highest(void);                       /* slices at or above this one were never taken */
void   span_validate(void);
extern struct lock span_lock;

#endif
