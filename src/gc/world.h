/* world.h - all other threads stand still.
 * Job         Stop every thread of the process but the caller and midden's own helpers, at a moment
 *             at which none is inside; say where their stacks begin; let them go on.
 * Invariants  W1  while the world is stopped no thread is inside, so no lock of midden is held but
 *                 by the caller
 *             W2  a stop that fails has let everybody go on
 * Locking     one stop at a time: the caller holds world_lock from before world_stop until after
 *             world_resume; fork takes it too.
 */
#ifndef MIDDEN_GC_WORLD_H
#define MIDDEN_GC_WORLD_H

#include "base/base.h"
#include "os/os.h"

extern struct lock world_lock;

bool     world_prepare(void);                    /* false: out of memory, or of signals */
/* false: a thread did not answer in time, or there is no memory; nobody is stopped then. may_park:
 * asked in the handler of each thread, whether it is outside. */
bool     world_stop(bool (*may_park)(void));
void     world_resume(void);
unsigned world_threads(void);                    /* that stand still */

/* The lowest place in [lo, hi) that a stack of a stopped thread reaches down to; hi: none does.
 * Only threads whose control block lies there, too, if `own`: a range with stacks of another making
 * may hold more of them, whose owners are elsewhere. */
word     world_lowest(word lo, word hi, bool own);
/* Of stopped thread `i`, the two places its stacks reach down to; false: there is none. */
bool     world_stacks(unsigned i, word places[2]);
bool     world_is_alive(word block);  /* a thread with that control block, stopped or us */
void     world_fork_child(void);

#endif
