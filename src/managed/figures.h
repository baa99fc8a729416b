/* figures.h - a collection while it runs, and what remains of it.
 * Job         What one collection passes from step to step; from it the counters that decide when
 *             the next is due, and the figures a program may ask for.
 * Locking     written by the one who collects (C1); counters that others read are read whole.
 */
#ifndef MIDDEN_MANAGED_FIGURES_H
#define MIDDEN_MANAGED_FIGURES_H

#include "managed/collect.h"
#include "managed/trial.h"

struct cycle {
    const struct collect_request *request;
    int                   generation;            /* may be younger than requested */
    struct collect_report report;
    struct trial_list     list;
    struct trace_swept    swept;
    size_t                saved;                 /* uncounted objects that were kept */
    uint64_t              begin_ns, stopped_ns, marked_ns, resumed_ns;
};

/* Of counted objects in generation 2, and of those that are on the way there. */
size_t figures_counted_bytes(const struct cycle *cycle);

/* When it is known what lives; when all that was found has ended; when it came to nothing. */
void figures_looked(const struct cycle *cycle);
void figures_done(struct cycle *cycle);
void figures_give_up(const struct cycle *cycle);

#endif
