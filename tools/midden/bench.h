/* bench.h - the runs of a comparison, and what is told of them.
 * Job         bench.c runs; tally.c computes medians and writes table, JSON and CSV. Times in
 *             nanoseconds, memory in bytes.
 */
#ifndef MIDDEN_TOOL_BENCH_H
#define MIDDEN_TOOL_BENCH_H

#include "child.h"

#include <limits.h>
#include <stdio.h>

enum { CONTENDERS_MAX = 16 };

struct contender {
    char              name[32];
    char              path[PATH_MAX];            /* "": nothing is preloaded */
    struct child_end *runs;                      /* one a round, in the order of the rounds */
    unsigned          failures;                  /* runs that did not exit with 0; warm-up too */
    int               failure_code;              /* of the last of them */
};

struct bench {
    struct contender contenders[CONTENDERS_MAX];
    unsigned         count;
    unsigned         rounds, warmups;
    char           **argv;
};

void tally_table(const struct bench *bench, FILE *out, bool colour);
void tally_json(const struct bench *bench, FILE *out);
void tally_csv(const struct bench *bench, FILE *out);

#endif
