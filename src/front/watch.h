/* watch.h - a thread that watches time, memory and signals.
 * Job         Begin collections that no call of the program begins: every so often, when nothing is
 *             allocated any more, when memory runs short, after a signal. The thread is made for a
 *             policy that names one of these, and ends with it.
 * Invariants  W1  there is no such thread unless a policy needs it, and none is made by what only
 *                 reads options: the first managed object does, or the program's own word
 *             W2  between collections the thread is no part of the world: it is not stopped, and
 *                 holds no object
 *             W3  a forked child has none until its first watch_needed; a vfork child makes none
 *             W4  a handler of ours is installed while the thread is there, and a signal the
 *                 program takes back stays the program's
 * Locking     watch_lock. Not held while a collection runs.
 */
#ifndef MIDDEN_FRONT_WATCH_H
#define MIDDEN_FRONT_WATCH_H

#include "os/os.h"
#include "policy/policy.h"

extern struct lock watch_lock;

/* Set before the first policy is. `reason` is the trigger's name; what is returned does not matter
 * here. watch_volume: bytes that were allocated so far, a number that only moves when some are. */
extern long     (*watch_collect)(int generation, const char *reason);
extern uint64_t (*watch_volume)(void);

/* The set in force from now on; makes the thread if one is needed. false: it could not be made, and
 * the old set stays. Called outside the heap, without locks. */
bool watch_set(const struct policy *policy);
/* The same, but the thread waits for watch_needed. */
void watch_plan(const struct policy *policy);

/* On slow paths of managed objects, outside the heap, without locks: if the policy wants a thread
 * and there is none, one is made. */
extern bool watch_missing;
void watch_make(void);
INLINE void watch_needed(void)
{
    if (UNLIKELY(__atomic_load_n(&watch_missing, __ATOMIC_RELAXED)))
        watch_make();
}

void watch_fork_child(void);

#endif
