/* text.c - tests of base/text.h. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static char room[256];

static struct text fresh(size_t bytes)
{
    struct text text;
    memset(room, 'x', sizeof room);
    text_init(&text, room, bytes);
    return text;
}

static void expect(const struct text *text, const char *wanted)
{
    cr_assert_str_eq(room, wanted);
    cr_assert_eq(text->length, strlen(wanted));
}

Test(text, an_empty_text_is_an_empty_string)
{
    struct text text = fresh(sizeof room);
    expect(&text, "");
    cr_assert_not(text.cut);
}

Test(text, what_does_not_fit_is_cut_and_counted_and_the_end_is_marked)
{
    for (size_t bytes = 1; bytes <= 12; bytes++) {
        struct text text = fresh(bytes);
        text_string(&text, "hello");
        text_string(&text, "world");
        size_t fits = bytes - 1 < 10 ? bytes - 1 : 10;
        cr_assert_eq(text.length, fits, "%zu of %zu", text.length, bytes);
        cr_assert_eq(memcmp(room, "helloworld", fits), 0);
        cr_assert_eq(room[fits], '\0');
        cr_assert_eq(room[fits + 1], 'x', "nothing is written behind the end");
        cr_assert_eq(text.needed, 10);
        cr_assert_eq(text.cut, fits < 10);
    }
}

Test(text, a_text_without_room_counts_only)
{
    struct text text = fresh(0);
    text_string(&text, "hello");
    cr_assert_eq(text.needed, 5);
    cr_assert_eq(text.length, 0);
    cr_assert(text.cut);
    cr_assert_eq(room[0], 'x');
}

Test(text, numbers_are_told_as_printf_tells_them)
{
    static const uint64_t samples[] = {
        0, 1, 9, 10, 255, 256, 4096, 1000000007, INT64_MAX, UINT64_MAX,
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        char wanted[64];
        struct text text = fresh(sizeof room);
        text_decimal(&text, samples[i]);
        text_char(&text, ' ');
        text_hex(&text, samples[i]);
        snprintf(wanted, sizeof wanted, "%lu 0x%lx", samples[i], samples[i]);
        expect(&text, wanted);
    }
}

Test(text, bytes_have_units_and_rounding_never_makes_1024_of_one)
{
    static const struct { uint64_t bytes; const char *wanted; } samples[] = {
        { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" }, { 1536, "1.5 KiB" },
        { 1075, "1.0 KiB" }, { 1076, "1.1 KiB" }, { MIB(1) - 1, "1.0 MiB" },
        { MIB(1) - 52, "1023.9 KiB" },
        { MIB(1) - 51, "1.0 MiB" }, { GIB(2), "2.0 GiB" }, { TIB(1) * 1023, "1023.0 TiB" },
        { (uint64_t)1 << 60, "1.0 EiB" }, { UINT64_MAX, "16.0 EiB" },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        struct text text = fresh(sizeof room);
        text_bytes(&text, samples[i].bytes);
        expect(&text, samples[i].wanted);
    }
}

Test(text, plain_text_hides_control_characters)
{
    struct text text = fresh(sizeof room);
    text_plain(&text, "a\nb\x1b[m\x7f\xc3\xa9", 9);
    expect(&text, "a?b?[m?\xc3\xa9");
}

Test(text, json_strings_are_quoted_and_escaped)
{
    struct text text = fresh(sizeof room);
    text_json(&text, "a\"b\\c\n\x01\x7f\xc3\xa9");
    expect(&text, "\"a\\\"b\\\\c\\u000a\\u0001\\u007f\xc3\xa9\"");
    text = fresh(sizeof room);
    text_json(&text, NULL);
    expect(&text, "null");
}

Test(text, json_never_carries_bytes_that_are_not_utf8)
{
    static const char *const broken[] = {
        "\x80", "\xc0\xaf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xf0\x9f\x98",
    };
    for (size_t i = 0; i < COUNT_OF(broken); i++) {
        char wanted[64] = "\"";
        for (size_t j = 0; j < strlen(broken[i]); j++)
            strcat(wanted, "\\ufffd");
        strcat(wanted, "\"");
        struct text text = fresh(sizeof room);
        text_json(&text, broken[i]);
        expect(&text, wanted);
    }
    struct text text = fresh(sizeof room);
    text_json(&text, "\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf");
    expect(&text, "\"\xe2\x82\xac\xf0\x9f\x98\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf\"");
}

Test(text, formats_are_those_of_printf)
{
    char wanted[256];
    struct text text = fresh(sizeof room);
#define EVERY_CONVERSION "%s %c %d %d %u %zu %lu %x %lx %p %% %ld %zd", "word", 'c', -7, INT_MIN, \
                         7u, (size_t)8, ULONG_MAX, 0xbeefu, 0xfeedUL, (void *)0x1234, LONG_MIN, \
                         (ptrdiff_t)-9
    text_format(&text, EVERY_CONVERSION);
    snprintf(wanted, sizeof wanted, EVERY_CONVERSION);
    expect(&text, wanted);
    text = fresh(sizeof room);
    text_string(&text, NULL);
    expect(&text, "(null)");
}

Test(text, equal_and_starts_compare_whole_strings)
{
    cr_assert(text_equal("", ""));
    cr_assert(text_equal("mode", "mode"));
    cr_assert_not(text_equal("mode", "mod"));
    cr_assert_not(text_equal("mod", "mode"));
    cr_assert(text_starts("mode=fast", "mode"));
    cr_assert(text_starts("mode", ""));
    cr_assert_not(text_starts("mod", "mode"));
    cr_assert_eq(text_length(""), 0);
    cr_assert_eq(text_length("four"), 4);
}

Test(text, distance_counts_single_edits)
{
    static const struct { const char *a, *b; unsigned wanted; } samples[] = {
        { "", "", 0 }, { "", "abc", 3 }, { "abc", "", 3 }, { "coruption", "corruption", 1 },
        { "kitten", "sitting", 3 }, { "purge", "prune", 3 }, { "stats", "stats", 0 },
        { "abcdef", "ghijkl", 6 },
        { "abcdefghijklmnopqrstuvwxyzabcdef", "bcdefghijklmnopqrstuvwxyzabcdefg", 2 },
        { "abcdefghijklmnopqrstuvwxyzabcdefg", "a", 33 },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const char *a = samples[i].a, *b = samples[i].b;
        cr_assert_eq(text_distance(a, b), samples[i].wanted, "%s %s", a, b);
        cr_assert_eq(text_distance(b, a), samples[i].wanted, "%s %s", b, a);
    }
}
