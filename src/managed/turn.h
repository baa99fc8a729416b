/* turn.h - one collection at a time, and forks between its steps.
 * Job         Who may collect; how others wait for him, and for how long; where a fork may copy the
 *             process although a collection has not ended.
 * Invariants  U1  a thread that has the turn knows it, so it never waits for itself
 *             U2  while a fork holds, no collection counts, drops or frees
 *             U3  while others wait, who had the turn last lets another have it first, or
 *                 waits for that for some ms
 * Locking     none: three futex words.
 */
#ifndef MIDDEN_MANAGED_TURN_H
#define MIDDEN_MANAGED_TURN_H

#include "base/base.h"

bool turn_take(bool wait);                       /* false: another has it, or this one has */
void turn_give(void);
bool turn_is_others(void);                       /* another thread collects */
void turn_pace(uint32_t ms);                     /* sleeps until that is done, or for so long */
void turn_safe_point(void);                      /* by who has it: counts agree with fields here */

/* For a fork: false: the collection of another thread did not come to a safe point for so long, or
 * this thread is in the middle of one. */
bool turn_hold(uint32_t ms);
void turn_let(void);                             /* in the parent */
void turn_fork_child(bool held);

#endif
