/* bits.c - tests of base/bits.h, against loops that count by one. */
#include <criterion/criterion.h>

#include "base/bits.h"

static uint64_t next(uint64_t *seed)             /* xorshift, Marsaglia 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

Test(bits, lowest_and_highest_find_every_single_bit)
{
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = (uint64_t)1 << i;
        cr_assert_eq(bit_lowest(bit), i);
        cr_assert_eq(bit_highest(bit), i);
        cr_assert_eq(bit_lowest(bit | (uint64_t)1 << 63), i);
        cr_assert_eq(bit_highest(bit | 1), i);
    }
}

Test(bits, count_agrees_with_counting)
{
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 1000; round++) {
        uint64_t value = next(&seed);
        unsigned wanted = 0;
        for (unsigned i = 0; i < 64; i++)
            wanted += (value >> i) & 1;
        cr_assert_eq(bit_count(value), wanted);
    }
    cr_assert_eq(bit_count(0), 0);
    cr_assert_eq(bit_count(~(uint64_t)0), 64);
}

Test(bits, below_gives_that_many_lowest_bits)
{
    cr_assert_eq(bits_below(0), 0);
    cr_assert_eq(bits_below(64), ~(uint64_t)0);
    for (unsigned count = 1; count <= 64; count++) {
        cr_assert_eq(bit_count(bits_below(count)), count);
        cr_assert_eq(bit_highest(bits_below(count)), count - 1);
    }
}

Test(bits, powers_of_two_are_told_from_others)
{
    cr_assert_not(is_power_of_two(0));
    for (unsigned i = 0; i < 64; i++) {
        size_t power = (size_t)1 << i;
        cr_assert(is_power_of_two(power));
        if (i >= 2) {
            cr_assert_not(is_power_of_two(power - 1));
            cr_assert_not(is_power_of_two(power + 1));
        }
    }
}

Test(bits, rounding_finds_the_nearest_multiple_either_way)
{
    for (size_t power = 1; power <= 256; power *= 2)
        for (size_t value = 0; value < 1024; value++) {
            size_t down = value / power * power;
            size_t up = value % power == 0 ? value : down + power;
            cr_assert_eq(round_down(value, power), down);
            cr_assert_eq(round_up(value, power), up);
        }
    cr_assert_eq(round_down(SIZE_MAX, 4096), SIZE_MAX - 4095);
}

Test(bits, power_of_two_up_is_the_smallest_that_is_not_below)
{
    size_t wanted = 1;
    for (size_t value = 0; value < 70000; value++) {
        if (value > wanted)
            wanted *= 2;
        cr_assert_eq(power_of_two_up(value), wanted, "of %zu", value);
    }
    cr_assert_eq(power_of_two_up((size_t)1 << 63), (size_t)1 << 63);
    cr_assert_eq(power_of_two_up(((size_t)1 << 62) + 1), (size_t)1 << 63);
}
