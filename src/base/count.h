/* count.h - process-wide counters of rare events. Bumped by relaxed atomics, read by statistics. */
#ifndef MIDDEN_BASE_COUNT_H
#define MIDDEN_BASE_COUNT_H

#include "base/base.h"

struct counts {
#define COUNT(name, text) uint64_t name;
#include "base/count.def"
#undef COUNT
};
extern struct counts counts;

#define COUNT_ADD(name, amount) __atomic_fetch_add(&counts.name, (amount), __ATOMIC_RELAXED)
#define COUNT_ONE(name)         COUNT_ADD(name, 1)

#endif
