/* publish.c - the constant itself. */
#include "report/publish.h"

#include <midden/version.h>

EXPORT const struct published midden_published = {
    .magic = { 'm', 'i', 'd', 'd', 'e', 'n', 'P', '1' },
    .bytes = sizeof(struct published),
    .revision = CHART_REVISION,
    .chart_bytes = sizeof(struct chart),
    .version = MIDDEN_VERSION,
    .chart = &chart,
    .counts = &counts,
};
