/* fault.h - a fault as one sentence.
 * Job      Fill the sentence of fault.def with what is known, and say it on stderr in one write.
 *          Whether the program goes on is the front's decision.
 * Locking  none. Async-signal-safe: a line on the stack and one write.
 */
#ifndef MIDDEN_REPORT_FAULT_H
#define MIDDEN_REPORT_FAULT_H

#include "base/fault.h"

enum { FAULT_SENTENCE_BYTES = 512 };             /* room for every sentence; a longer name is cut */

/* The sentence without "midden: " and newline, NUL-terminated, cut to `bytes`; returns its length
 * uncut. */
size_t fault_sentence(const struct fault *fault, char *out, size_t bytes);

void fault_tell(const struct fault *fault);      /* "midden: ...\n" on stderr */

#endif
