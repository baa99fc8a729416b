/* args.c - tests of tools/midden/args.h: where flags end, and which word is near. */
#include "args.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>

static const struct flag flags[] = {
    { 'n', "rounds", "N", "" }, { 's', "stats", NULL, "" }, { FLAG_LONG, "json", "FILE", "" }, { 0 }
};
static const struct verb verb = { .name = "try", .operands = "[OPTIONS] CMD", .flags = flags };

static unsigned complaints;

void complain(const struct verb *about, const char *format, ...)
{
    (void)about;
    (void)format;
    complaints++;
}

void help_verb(const struct verb *about)
{
    (void)about;
}

static struct args args_of(char **words)
{
    struct args args;
    args_start(&args, &verb, words);
    complaints = 0;
    return args;
}
#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

Test(args, a_flag_takes_its_value_from_the_same_word_or_the_next)
{
    char **const spellings[] = {
        WORDS("-n", "7", "cmd"), WORDS("-n7", "cmd"), WORDS("--rounds", "7", "cmd"),
        WORDS("--rounds=7", "cmd"),
    };
    for (size_t i = 0; i < COUNT_OF(spellings); i++) {
        struct args args = args_of(spellings[i]);
        cr_assert_eq(args_next(&args), 'n');
        cr_assert_str_eq(args.value, "7");
        cr_assert_eq(args_next(&args), ARGS_END);
        cr_assert_str_eq(args.at[0], "cmd");
    }
}

Test(args, what_follows_the_first_operand_is_not_looked_at)
{
    struct args args = args_of(WORDS("-s", "cmd", "-n", "--what"));
    cr_assert_eq(args_next(&args), 's');
    cr_assert_null(args.value);
    cr_assert_eq(args_next(&args), ARGS_END);
    cr_assert_str_eq(args.at[1], "-n");
    cr_assert_eq(complaints, 0);
}

Test(args, two_dashes_end_the_flags_and_vanish)
{
    struct args args = args_of(WORDS("--", "-n", "cmd"));
    cr_assert_eq(args_next(&args), ARGS_END);
    cr_assert_str_eq(args.at[0], "-n");
}

Test(args, one_dash_is_an_operand)
{
    struct args args = args_of(WORDS("-", "cmd"));
    cr_assert_eq(args_next(&args), ARGS_END);
    cr_assert_str_eq(args.at[0], "-");
}

Test(args, an_empty_word_is_an_operand)
{
    struct args args = args_of(WORDS("", "-s"));
    cr_assert_eq(args_next(&args), ARGS_END);
    cr_assert_str_eq(args.at[0], "");
}

Test(args, mistakes_are_told_once_each)
{
    char **const mistakes[] = {
        WORDS("-z"), WORDS("--zap"), WORDS("-n"), WORDS("--json"), WORDS("--stats=on"),
        WORDS("-sn"), WORDS("--roundsman", "3"), WORDS("--=3"),
    };
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        struct args args = args_of(mistakes[i]);
        cr_assert_eq(args_next(&args), ARGS_BAD, "mistake %zu", i);
        cr_assert_eq(complaints, 1, "mistake %zu", i);
    }
}

Test(args, a_count_is_digits_within_its_range)
{
    const char *const refused[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "1.5", "0", "11", "18446744073709551617"
    };
    struct args args = args_of(WORDS("cmd"));
    unsigned out = 0;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        args.value = refused[i];
        cr_assert(!args_count(&args, 1, 10, &out), "\"%s\"", refused[i]);
    }
    cr_assert_eq(complaints, COUNT_OF(refused));
    args.value = "10";
    cr_assert(args_count(&args, 1, 10, &out));
    cr_assert_eq(out, 10);
}

/* -- the nearest word ------------------------------------------------------------------------- */

static const char *nearest_of(const char *token, const char *const *words, size_t count)
{
    struct nearest nearest;
    nearest_start(&nearest, token);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, words[i]);
    return nearest.best;
}

Test(nearest, the_word_that_was_meant)
{
    static const char *const words[] = { "run", "check", "bench", "doctor", "help", "version" };
    static const struct {
        const char *typed, *meant;
    } cases[] = {
        { "chekc", "check" }, { "chec", "check" }, { "doc", "doctor" }, { "benhc", "bench" },
        { "rnu", "run" }, { "vers", "version" }, { "check", "check" }, { "docktor", "doctor" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_assert_str_eq(nearest_of(cases[i].typed, words, COUNT_OF(words)), cases[i].meant);
}

Test(nearest, a_word_near_nothing_has_no_nearest)
{
    static const char *const words[] = { "run", "check", "bench", "doctor", "help", "version" };
    cr_assert_null(nearest_of("postgresql", words, COUNT_OF(words)));
    cr_assert_null(nearest_of("xyzzy", words, COUNT_OF(words)));
    cr_assert_null(nearest_of("/usr/bin/make", words, COUNT_OF(words)));
}
