/* audit.h - every invariant of the heap, re-derived from outside. */
#ifndef MIDDEN_TESTS_SIM_AUDIT_H
#define MIDDEN_TESTS_SIM_AUDIT_H

#include "heap/slab.h"

void audit_run(void);                            /* between two operations */
void audit_expect_nothing_in_use(void);          /* all was freed, and every heap rests */

/* A freer that was stopped on his way: he has set his bit in `slab`, or raised PENDING as well. */
extern struct slab *audit_stalled[2];
extern bool audit_stalled_ever;                  /* then a dead heap may have kept a listed slab */

#endif
