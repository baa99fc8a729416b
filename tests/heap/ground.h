/* ground.h - what tests of the heap stand on: the simulator's ground, heaps, random numbers. */
#ifndef MIDDEN_TESTS_HEAP_GROUND_H
#define MIDDEN_TESTS_HEAP_GROUND_H

#include <criterion/criterion.h>

#include "../sim/os_fake.h"
#include "heap/heap.h"
#include "heap/roster.h"
#include "heap/span.h"

static inline uint64_t next(uint64_t *seed)      /* xorshift, Marsaglia 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

static inline struct heap *attached(void)
{
    struct heap *heap = roster_attach(KIND_MANUAL);
    cr_assert_not_null(heap);
    return heap;
}

static inline size_t used_slices(void)
{
    return span_figures().used_slices;
}

/* The next so many calls to the system are refused. */
static inline void refuse_calls(size_t count)
{
    fake.fail_first = fake.calls + 1;
    fake.fail_count = count;
}

#endif
