/* publish.h - what the library says of itself to whoever looks at the process from outside.
 * Job         One exported constant, `midden_published`: which midden this is, and where the chart
 *             of its heap and its counters lie. A reader finds it in the dynamic symbol table of
 *             the mapped library, copies it, and reads on by address. No thread, no shared memory,
 *             no code: a process that nobody looks at pays nothing.
 * Layout      Fixed by the magic: what changes it changes "P1". A reader compares `magic` first,
 *             then `chart_bytes`, `revision` and the chart's numbers with its own.
 * Locking     none: constant.
 */
#ifndef MIDDEN_REPORT_PUBLISH_H
#define MIDDEN_REPORT_PUBLISH_H

#include "base/count.h"
#include "heap/chart.h"

#define PUBLISHED_SYMBOL "midden_published"
#define PUBLISHED_MAGIC  "middenP1"              /* eight bytes, no NUL */

struct published {
    char     magic[8];                           /* PUBLISHED_MAGIC */
    uint32_t bytes;                              /* of this struct */
    uint32_t revision;                           /* CHART_REVISION */
    uint32_t chart_bytes;                        /* of struct chart */
    uint32_t unused;
    char     version[24];                        /* "0.1.0", NUL behind */
    const struct chart  *chart;
    const struct counts *counts;
};
extern const struct published midden_published;

#endif
