/* scan.h - from a range of words to those that may be pointers.
 * Job         The guess, made fast: a word is a candidate iff word - base < reach. Knows numbers
 *             alone; what a candidate points at is for others to prove.
 * Invariants  N1  every version writes the same words in the same order, for any count and any
 *                 alignment to 8 bytes
 *             N2  no version reads a byte outside the range
 *             N3  no version has a branch that depends on what the words are: a guess that misses
 *                 costs more than the words around it
 * Locking     None; scan_choose is called before there are two threads.
 */
#ifndef MIDDEN_GC_SCAN_H
#define MIDDEN_GC_SCAN_H

#include "base/base.h"

enum {
    SCAN_ROOM = 16,                              /* entries of `out` beyond `words`: scratch */
    SCAN_VERSIONS = 3
};

/* Writes each word of at[0 .. words) that lies in [base, base + reach) to `out`, in order; returns
 * how many. `out` has room for words + SCAN_ROOM entries: those behind the last one returned are
 * overwritten, too. The range may be of any kind of memory that can be read. */
typedef size_t scan_filter(const word *at, size_t words, word base, word reach, word *out);

/* The best for this processor once scan_choose was called, and right before that. Made for 16
 * words and more: below that a loop in place, without the call, is faster. */
extern scan_filter *scan_filter_now;
void scan_choose(void);                          /* again: the same */

struct scan_version {
    const char  *name;
    scan_filter *filter;
};

/* Those this processor can run, the best one last; how many. */
size_t scan_versions(struct scan_version out[SCAN_VERSIONS]);
size_t scan_versions_x86(struct scan_version *out);                   /* scan_x86.c; 0 elsewhere */

/* What is scanned is whatever a program has there: red zones and words in flight among it. */
#define SCAN_ANYTHING __attribute__((no_sanitize("address"), no_sanitize("thread")))

#endif
