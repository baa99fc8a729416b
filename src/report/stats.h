/* stats.h - where the memory is, told.
 * Job      The statistics as text on stderr and as one JSON document. Allocates nothing.
 * Locking  none; what is read while threads run may be a moment old.
 */
#ifndef MIDDEN_REPORT_STATS_H
#define MIDDEN_REPORT_STATS_H

#include "base/text.h"

void stats_keep_stderr(void);  /* many programs close it before the end: keep a way there */
void stats_tell(void);                           /* a table on stderr */
void stats_text(struct text *out);
void stats_json(struct text *out);               /* schema "midden.stats/1" */

#endif
