/* stream.h - one run: a machine and a stream of operations, both drawn from a number. */
#ifndef MIDDEN_TESTS_SIM_STREAM_H
#define MIDDEN_TESTS_SIM_STREAM_H

#include "base/base.h"

enum suite { SUITE_STEADY, SUITE_REFUSAL, SUITE_SIGNAL, SUITES };

/* A seed is all three in one number. */
struct plan {
    enum suite suite;
    size_t     refused_call;                     /* SUITE_REFUSAL: counted from 1 */
    uint64_t   number;                           /* what everything else is drawn from */
};
uint64_t    plan_seed(struct plan plan);
struct plan plan_of(uint64_t seed);

extern size_t stream_audit_steps;                 /* between two audits */

/* How many calls to the system there were; dies where something is wrong. */
size_t stream_run(struct plan plan, size_t steps);

#endif
