/* policy.h - when to collect.
 * Job         A set of triggers, read from text and written as text, and the decisions that follow
 *             from it and from numbers the caller counts. Pure: it knows no clock, no heap and no
 *             thread.
 * Grammar     triggers joined by `+`, each at most once, no blanks; nothing at all is the empty set
 *             interval:TIME  objects:A/B/C  bytes:SIZE  growth:N%  exit  idle:TIME  pressure
 *             exhaustion  signal:NAME  user
 *             SIZE and TIME as in option.h, NAME as in `kill -l`, with SIG before it or without.
 * Locking     none: a struct policy belongs to its caller. Async-signal-safe.
 */
#ifndef MIDDEN_POLICY_POLICY_H
#define MIDDEN_POLICY_POLICY_H

#include "base/option.h"

enum policy_trigger {
    POLICY_INTERVAL, POLICY_OBJECTS, POLICY_BYTES, POLICY_GROWTH, POLICY_EXIT, POLICY_IDLE,
    POLICY_PRESSURE, POLICY_EXHAUSTION, POLICY_SIGNAL, POLICY_USER,
    POLICY_TRIGGERS
};
#define POLICY_NAMES "interval|objects|bytes|growth|exit|idle|pressure|exhaustion|signal|user"

enum { POLICY_GENERATIONS = 3, POLICY_OLDEST = POLICY_GENERATIONS - 1 };

struct policy {                                  /* what belongs to no trigger of the set is 0 */
    uint32_t triggers;                           /* 1 << trigger for each */
    uint64_t interval_ms, idle_ms, bytes, growth_percent;
    int      threshold[POLICY_GENERATIONS];
    int      signal;                             /* its number on Linux */
};
extern const struct policy policy_initial;       /* objects:700/10/10+growth:100% */

/* -- text -------------------------------------------------------------------------------------- */

enum policy_error { POLICY_OK, POLICY_UNPARSED, POLICY_OUT_OF_RANGE };

/* *where: offset of the byte that is wrong, or of the number that is out of range. On an error *out
 * is as it was. */
enum policy_error policy_parse(const char *text, struct policy *out, size_t *where);
void        policy_text(const struct policy *policy, struct text *out);
const char *policy_name(enum policy_trigger trigger);
/* The trigger with this name of so many bytes; POLICY_TRIGGERS: none. */
enum policy_trigger policy_named(const char *name, size_t bytes);
const char *policy_takes(enum policy_trigger trigger);     /* "interval:TIME, such as ..." */

/* For option_source.judge: reads the option `collect`. What is wrong in it is told by trigger. */
enum option_trouble policy_judge(struct option_complaint *complaint);

/* -- decisions --------------------------------------------------------------------------------- */

INLINE bool policy_has(const struct policy *policy, enum policy_trigger trigger)
{
    return (policy->triggers >> trigger & 1) != 0;
}

/* Does it take somebody who watches time, memory or signals? */
bool policy_needs_watch(const struct policy *policy);

/* The oldest generation that is due; -1: none. `count` is compared to the thresholds; of the oldest
 * also what was promoted into it since the last full collection, to what survived that one. */
int policy_generation(const struct policy *policy, const int count[POLICY_GENERATIONS],
                      uint64_t promoted, uint64_t survived);

/* What a full collection left, what minor ones added to it, and whether the next can be minor. */
struct policy_lived {
    uint64_t bytes, added_bytes;
    bool     minor;
};

/* Bytes that may be allocated behind a collection until the next is due; UINT64_MAX: any number. */
uint64_t policy_debt(const struct policy *policy, const struct policy_lived *lived);

#endif
