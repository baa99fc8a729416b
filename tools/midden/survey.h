/* survey.h - where the memory of a process is: the figures of midden stat.
 * Job         One reading of a living process, or of a file it was saved to. Every page the kernel
 *             counts as resident is in exactly one row.
 * Invariants  V1  the rows sum to `rss`
 *             V2  `classes` counts blocks exactly for a process at rest
 */
#ifndef MIDDEN_TOOL_SURVEY_H
#define MIDDEN_TOOL_SURVEY_H

#include "beacon.h"
#include "midden.h"

#include <stdio.h>

enum row {
#define ROW(name, label, words) ROW_##name,
#include "row.def"
#undef ROW
    ROW_COUNT
};
enum { ROW_HEAP_END = ROW_stacks };              /* rows below are midden's */

struct survey_class {
    uint64_t size, slabs;
    uint64_t blocks, capacity;                   /* live, and cut */
    uint64_t live, free, pinned;                 /* resident bytes: as the rows */
};

struct survey {
    int64_t  pid, time;                          /* seconds since 1970 */
    char     command[64], library[256], version[24];
    char     pages[16];                          /* how residency was told: see ways in survey.c */
    int64_t  rss, statm, swap;                   /* bytes; statm: RSS as ps and top have it */
    int64_t  row[ROW_COUNT];                     /* resident bytes; moved may be negative */
    int64_t  threads;
    int64_t  live_blocks, live_bytes;            /* resident or not, of classes */
    int64_t  large_blocks, large_bytes;
    int64_t  arena_blocks, arena_bytes;
    int64_t  reserved, committed, heap_swap;
    int64_t  trimmable;                          /* of row free: what malloc_trim may give back */
    struct counts counts;
    size_t   class_count;
    struct survey_class classes[CLASS_COUNT];    /* those with slabs */
};

/* False: told. */
bool survey_take(const struct verb *verb, int pid, struct survey *survey);
bool survey_load(const struct verb *verb, const char *path, struct survey *survey);

void survey_json(FILE *out, const struct survey *survey);   /* schema midden.stat/1 */
void survey_table(const struct survey *survey, bool words);
void survey_classes(const struct survey *survey);
void survey_verdict(const struct survey *survey);

#endif
