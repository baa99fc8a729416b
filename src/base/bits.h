/* bits.h - arithmetic on words and powers of two. */
#ifndef MIDDEN_BASE_BITS_H
#define MIDDEN_BASE_BITS_H

#include "base/base.h"

INLINE unsigned bit_lowest(uint64_t bits)        /* index of the lowest set bit; bits != 0 */
{
    return (unsigned)__builtin_ctzll(bits);
}

INLINE unsigned bit_highest(uint64_t bits)       /* index of the highest set bit; bits != 0 */
{
    return 63u - (unsigned)__builtin_clzll(bits);
}

INLINE unsigned bit_count(uint64_t bits)
{
    return (unsigned)__builtin_popcountll(bits);
}

INLINE uint64_t bits_below(unsigned count)       /* the lowest `count` bits, count <= 64 */
{
    return count < 64 ? ((uint64_t)1 << count) - 1 : ~(uint64_t)0;
}

INLINE bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

INLINE size_t round_up(size_t value, size_t power)
{
    return (value + power - 1) & ~(power - 1);
}

INLINE size_t round_down(size_t value, size_t power)
{
    return value & ~(power - 1);
}

INLINE size_t power_of_two_up(size_t value)      /* value <= 2^63 */
{
    return value <= 1 ? 1 : (size_t)1 << (bit_highest(value - 1) + 1);
}

#endif
