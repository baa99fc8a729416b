/* runs.h - one bit for each slice, and where long runs of them may begin.
 * Job         First fit by address that does not look at every hole too small for it. The bits are
 *             cut into chunks, and each chunk has a bound of the longest run that begins in it.
 *             Setting bits raises a bound; who looked in vain sets it to what he saw. So nothing is
 *             looked at twice in vain, whatever lengths are asked for, unless bits were set since.
 * Invariants  R1  no run that begins in a chunk is longer than the chunk's bound; RUNS_FAR stands
 *                 for that long and longer
 *             R2  a group's bound is at least that of each of its chunks
 * Locking     none inside: the span lock. Walkers read the bits without it.
 * Source      Summaries by chunk and by group: Go's page allocator, which keeps all of them exact.
 */
#ifndef MIDDEN_HEAP_RUNS_H
#define MIDDEN_HEAP_RUNS_H

#include "base/base.h"
#include "base/check.h"

enum {
    RUNS_CHUNK  = DEBUG_BUILD ? 128 : 512,       /* bits */
    RUNS_FAR    = RUNS_CHUNK,
    RUNS_CHUNKS = DEBUG_BUILD ? 3 : 31,          /* in a group */
};
#define RUNS_NONE SIZE_MAX

struct runs_group {                              /* a cache line */
    uint16_t most;                               /* bound of all its chunks */
    uint16_t of[RUNS_CHUNKS];
};

struct runs {
    uint64_t          *map;                      /* a word behind the last bit may be read */
    struct runs_group *groups;
};

/* The first set bit of [at, end), or end; with all bits of `flip` set, the first that is clear. */
size_t runs_next(const uint64_t *map, size_t at, size_t end, uint64_t flip);
/* Where the run of ones below `at` begins, looked for down to `floor`. */
size_t runs_start(const uint64_t *map, size_t at, size_t floor);
/* Of `run` bits from `at`, so many changed. The first writes them, and knows of no bounds. */
size_t runs_write(uint64_t *map, size_t at, size_t run, bool set);
size_t runs_set(const struct runs *runs, size_t at, size_t run);
size_t runs_clear(const struct runs *runs, size_t at, size_t run);

struct runs_wish {
    size_t run, align;                           /* align: a power of two */
    size_t origin;                               /* added to a bit's number: the sum is aligned */
};
/* The first run of [from, end) that will do, or RUNS_NONE. Before `from` there is a zero, or
 * nothing of the run before it counts; no run goes on beyond `end`. */
size_t runs_find(const struct runs *runs, size_t from, size_t end, const struct runs_wish *wish);
void   runs_validate(const struct runs *runs, size_t from, size_t end);

#endif
