/* chart.c - the numbers of this build, the addresses of this process. */
#include "heap/chart.h"
#include "heap/arena.h"
#include "base/count.h"

const struct chart chart = {
    .number = {
#define CHART(name, number) number,
#include "heap/chart.def"
#undef CHART
    },
    .cage = &cage,
    .tables = &cage_tables,
    .none = &slab_none,
    .classes = class_table,
};
