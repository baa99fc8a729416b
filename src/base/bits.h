/* bits.h - arithmetic on words and powers of two. */
#ifndef MIDDEN_BASE_BITS_H
#define MIDDEN_BASE_BITS_H

#include "base/base.h"

INLINE unsigned bit_lowest(uint64_t bits)        /* index of the lowest set bit; bits != 0 */
{
    return (unsigned)__builtin_ctzll(bits);
}

/* As a word, ready for arithmetic: the builtin gives an int, and the compiler widens it. */
INLINE uint64_t bit_lowest_wide(uint64_t bits)   /* bits != 0 */
{
#if defined(__x86_64__)
    uint64_t index;
    /* tzcnt where the processor has it */
    __asm__("rep bsf %1, %0" : "=r"(index) : "r"(bits) : "cc");
    return index;
#else
    return (uint64_t)__builtin_ctzll(bits);
#endif
}

/* Sets bit `index` modulo 64 of *bits; says whether it was set before. */
INLINE bool bit_set_was(uint64_t *bits, uint64_t index)
{
#if defined(__x86_64__)
    bool was;
    __asm__("bts %2, %0" : "+r"(*bits), "=@ccc"(was) : "r"(index));
    return was;
#else
    uint64_t bit = (uint64_t)1 << (index & 63), before = *bits;
    *bits = before | bit;
    return (before & bit) != 0;
#endif
}

/* Clears a bit of a word in one instruction, which no signal divides; says whether it was set
 * before. Nobody but this thread writes there. */
INLINE bool bit_clear_here(word *at, unsigned index)
{
#if defined(__x86_64__)
    bool was;
    __asm__ volatile("btrq %2, %0" : "+m"(*at), "=@ccc"(was) : "Jr"((word)index));
    return was;
#else
    word bit = (word)1 << index;
    return (__atomic_fetch_and(at, ~bit, __ATOMIC_RELAXED) & bit) != 0;
#endif
}

/* Clears bits, and sets them, in the same way. */
INLINE void bits_clear_here(word *at, word bits)
{
#if defined(__x86_64__)
    __asm__ volatile("andq %1, %0" : "+m"(*at) : "er"(~bits) : "cc");
#else
    __atomic_fetch_and(at, ~bits, __ATOMIC_RELAXED);
#endif
}

INLINE void bits_set_here(word *at, word bits)
{
#if defined(__x86_64__)
    __asm__ volatile("orq %1, %0" : "+m"(*at) : "er"(bits) : "cc");
#else
    __atomic_fetch_or(at, bits, __ATOMIC_RELAXED);
#endif
}

/* Clears bit `index` modulo 64 of *bits; says whether it was set before. */
INLINE bool bit_clear_was(uint64_t *bits, uint64_t index)
{
#if defined(__x86_64__)
    bool was;
    __asm__("btr %2, %0" : "+r"(*bits), "=@ccc"(was) : "r"(index));
    return was;
#else
    uint64_t bit = (uint64_t)1 << (index & 63), before = *bits;
    *bits = before & ~bit;
    return (before & bit) != 0;
#endif
}

/* a * *b in two words; the compiler, left alone, moves both once more, and loads *b first. */
INLINE uint64_t multiply_wide(uint64_t a, const uint64_t *b, uint64_t *low)
{
#if defined(__x86_64__)
    uint64_t high;
    __asm__("mulq %3" : "=d"(high), "=a"(*low) : "1"(a), "m"(*b) : "cc");
    return high;
#else
    unsigned __int128 product = (unsigned __int128)a * *b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
#endif
}

/* The same value, and the compiler takes it for another: an address made of it is part of the
 * instruction that uses it, and not worked out once for two by an instruction of its own. */
INLINE word word_anew(word value)
{
    __asm__("" : "+r"(value));
    return value;
}

INLINE uint64_t bits_turned(uint64_t bits, unsigned left)        /* towards the high end; 1 to 63 */
{
    return bits << left | bits >> (64 - left);
}

INLINE unsigned bit_highest(uint64_t bits)       /* index of the highest set bit; bits != 0 */
{
    return 63u - (unsigned)__builtin_clzll(bits);
}

/* Pairs, nibbles, bytes, and their sum by a multiplication: the builtin is a call where the
 * processor is not known to count. */
INLINE unsigned bit_count(uint64_t bits)
{
    bits -= bits >> 1 & 0x5555555555555555;
    bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(bits * 0x0101010101010101 >> 56);
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
