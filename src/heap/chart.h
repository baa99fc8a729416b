/* chart.h - where the heap's tables lie and how they are cut, for a reader outside the process.
 * Job         One constant: addresses, and the numbers of chart.def. It costs a process nothing,
 *             and with it a debugger or the command walks the bitmaps from outside, without a stop.
 * Invariants  L1  two builds with equal numbers and an equal CHART_REVISION mean the same by every
 *                 field and bit
 * Locking     none: constant.
 */
#ifndef MIDDEN_HEAP_CHART_H
#define MIDDEN_HEAP_CHART_H

#include "base/base.h"

enum { CHART_REVISION = 1 };                     /* the meaning changed, though no number did */

/* Where a field lies and how wide it is, in one number. */
#define CHART_PLACE(type, field) (offsetof(type, field) << 4 | sizeof(((type *)0)->field))

enum {
#define CHART(name, number) CHART_##name,
#include "heap/chart.def"
#undef CHART
    CHART_COUNT
};

struct chart {
    uint32_t    number[CHART_COUNT];
    const void *cage;                            /* struct cage */
    const void *tables;                          /* struct cage_tables */
    const void *none;                            /* slab_none: what a slice of no span leads to */
    const void *classes;                         /* struct class, class_count of them */
};
extern const struct chart chart;

#endif
