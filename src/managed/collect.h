/* collect.h - one collection, told as a script.
 * Job         Stop, look, condemn, sweep, let go; finalizers in order, those they kept pardoned,
 *             the others ended. What was found, and how long the world stood.
 * Invariants  C1  one collection at a time; a thread in a finalizer or a callback starts none
 *             C2  while finalizers and callbacks run the world runs, and no lock is held
 * Locking     a turn, which others wait for; world_lock around each stop.
 * Source      the order at death is PEP 442's: weak handles first, finalizers once, a second look
 *             for what they kept, then the end.
 */
#ifndef MIDDEN_MANAGED_COLLECT_H
#define MIDDEN_MANAGED_COLLECT_H

#include "base/base.h"

#include <midden/gc.h>

enum { COLLECT_GENERATIONS = 3, PAUSE_STEPS = 64 };

enum {                                           /* collect_request.flags */
    COLLECT_WAIT = 1,                            /* for another thread's, and make one then */
    COLLECT_SPARE = 2,                           /* what leads to a finalizer: none is called */
    COLLECT_RETURN = 4,                          /* memory is wanted back: nothing empty is kept */
    COLLECT_MINOR = 8,                           /* and the young uncounted; they are enough */
};

struct collect_request {
    int         generation;
    const char *reason;
    word        lowest;                          /* of this thread's stack: os_spill */
    unsigned    flags;
};

/* Of the last collection, and what it cost. */
struct collect_report {
    uint64_t number;                             /* of this process, from 1 */
    int      generation;
    const char *reason;
    size_t   found, kept;                        /* objects */
    uint64_t freed_bytes, live_objects, live_bytes;     /* live: what was looked at */
    uint64_t stop_ns, mark_ns, sweep_ns, pause_ns, total_ns;
    unsigned threads, markers;
    bool     minor;                              /* young uncounted objects were looked for alone */
};

struct collect_figures {                         /* of one generation */
    uint64_t collections, collected, uncollectable, collected_bytes, given_up, minor;
    uint64_t pause_last_ns, pause_max_ns, pause_sum_ns;
    uint32_t pauses[PAUSE_STEPS];                /* a histogram: four steps a doubling from 1 us */
};

/* Objects found unreachable; -1: a thread could not be stopped, or there was no memory; 0 also
 * where C1 says none. *report may be NULL. */
long collect_run(const struct collect_request *request, struct collect_report *report);

/* Takes the memory that a collection needs: where there may be none when it is. */
void collect_prepare(void);

/* Does this thread run a finalizer, a callback or a collection? */
bool collect_is_busy(void);
void collect_figures(int generation, struct collect_figures *out);
uint64_t collect_pause_ns(int generation, unsigned permille);         /* of its histogram */
void collect_counts(int count[COLLECT_GENERATIONS]);
/* What the 25 % rule compares, and what bytes and growth do. */
void collect_survivors(uint64_t *promoted, uint64_t *survived);
uint64_t collect_debt(void);                     /* bytes issued since the last that counts bytes */
/* What the last full one left (leaves: a sixteenth), what minor ones added; is a minor one next? */
void collect_lived(uint64_t *bytes, uint64_t *added_bytes, bool *minor);

void collect_scan(int what);                     /* MIDDEN_SCAN_... */
void collect_markers(unsigned wanted);           /* 0: as many as the heap is worth */
void collect_set_debug(int flags);
int  collect_get_debug(void);

/* callback_remove, when no collection is calling it any more. */
int  collect_callback_remove(midden_callback *callback, void *arg);

/* What was kept (SAVEALL). */
long collect_garbage(midden_object_visitor *visit, void *arg);
long collect_garbage_clear(void);

/* Stops the world for a look: false: it could not be. resume afterwards. */
bool collect_look(void (*look)(word lowest, void *arg), void *arg);
void collect_fork_child(bool held);              /* held: by collect_hold */

#endif
