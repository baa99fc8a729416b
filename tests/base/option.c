/* option.c - tests of base/option.h. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/option.h"

static struct options options;
static char told[4096];                          /* the complaints, a line each */

static void tell(const struct option_complaint *complaint, void *arg)
{
    char line[1024];
    struct text text;
    text_init(&text, line, sizeof line);
    option_complaint_text(&text, complaint);
    cr_assert_not(text.cut);
    strcat(strcat(told, line), "\n");
    cr_assert_str_eq(arg, "the argument");
}

static const struct option_source source = { "MIDDEN_OPTIONS", tell, "the argument", NULL };
static const struct option_source file = { "/etc/midden.conf", tell, "the argument", NULL };

static void start(void)
{
    option_defaults(&options);
    told[0] = '\0';
}

static void expect_fine(const char *text)
{
    start();
    cr_assert_eq(option_parse(&options, text, &source), 0, "%s: %s", text, told);
    cr_assert_str_eq(told, "");
}

static void expect_complaint(const char *text, const char *wanted)
{
    struct options before;
    start();
    before = options;
    cr_assert_eq(option_parse(&options, text, &source), 1, "%s: %s", text, told);
    cr_assert_str_eq(told, wanted);
    cr_assert_eq(memcmp(&before, &options, sizeof options), 0, "%s changed a value", text);
}

static void expect_file(const char *program, const char *text, uint64_t limit)
{
    start();
    cr_assert_eq(option_parse_file(&options, text, program, &file), 0, "%s: %s", text, told);
    cr_assert_eq(options.limit, limit, "%s read for %s: %lu", text, program, options.limit);
}

Test(option, defaults_are_those_of_the_table)
{
    option_defaults(&options);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        cr_assert_eq(options.value[i], option_table[i].initial);
        cr_assert_null(options.origin[i]);
        cr_assert_gt(strlen(option_table[i].text), 10);
    }
    cr_assert_eq(options.mode, MODE_FAST);
    cr_assert_eq(options.limit, 0);
    cr_assert_eq(options.midden, true);
}

Test(option, every_choice_has_the_number_of_its_name)
{
    static const struct { const char *text; enum option_key key; uint64_t wanted; } choices[] = {
        { "mode=fast", KEY_mode, MODE_FAST },
        { "corruption=abort", KEY_corruption, CORRUPTION_ABORT },
        { "corruption=report", KEY_corruption, CORRUPTION_REPORT },
        { "corruption=ignore", KEY_corruption, CORRUPTION_IGNORE },
        { "stats=off", KEY_stats, STATS_OFF },
        { "stats=exit", KEY_stats, STATS_EXIT },
        { "purge=auto", KEY_purge, PURGE_AUTO },
        { "purge=now", KEY_purge, PURGE_NOW },
        { "purge=never", KEY_purge, PURGE_NEVER },
        { "huge=auto", KEY_huge, HUGE_AUTO },
        { "huge=never", KEY_huge, HUGE_NEVER },
        { "realloc_zero=free", KEY_realloc_zero, REALLOC_ZERO_FREE },
        { "realloc_zero=alloc", KEY_realloc_zero, REALLOC_ZERO_ALLOC },
        { "minor=auto", KEY_minor, MINOR_AUTO },
        { "minor=never", KEY_minor, MINOR_NEVER },
    };
    size_t in_table = 0;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        expect_fine(choices[i].text);
        cr_assert_eq(options.value[choices[i].key], choices[i].wanted, "%s", choices[i].text);
    }
    for (size_t i = 0; i < KEY_COUNT; i++)
        for (const char *at = option_table[i].choices; at != NULL; at = strchr(at + 1, '|'))
            in_table++;
    cr_assert_eq(in_table, COUNT_OF(choices), "a choice of option.def is not tested here");
}

Test(option, an_empty_list_changes_nothing)
{
    static const char *const empty[] = { "", ",", " , ,\n,,\t", "\n\n" };
    for (size_t i = 0; i < COUNT_OF(empty); i++) {
        expect_fine(empty[i]);
        cr_assert_eq(memcmp(&options, &option_initial, sizeof options), 0);
    }
}

Test(option, items_stand_apart_by_commas_or_newlines_and_blanks_are_dropped)
{
    expect_fine(" strict = on ,limit=16M\n\tpurge= now\r\n,stats=exit,");
    cr_assert_eq(options.strict, 1);
    cr_assert_eq(options.limit, MIB(16));
    cr_assert_eq(options.purge, PURGE_NOW);
    cr_assert_eq(options.stats, STATS_EXIT);
    cr_assert_str_eq(options.origin[KEY_limit], "MIDDEN_OPTIONS");
    cr_assert_null(options.origin[KEY_huge]);
}

Test(option, a_later_item_overrules_an_earlier_one)
{
    expect_fine("limit=1M,limit=2M,strict=on,strict=off");
    cr_assert_eq(options.limit, MIB(2));
    cr_assert_eq(options.strict, 0);
}

Test(option, a_value_may_stand_in_quotes)
{
    expect_fine("corruption=\"report\",limit=\"4k\"");
    cr_assert_eq(options.corruption, CORRUPTION_REPORT);
    cr_assert_eq(options.limit, 4096);
    expect_complaint("purge=\"now,strict=on\"",
                     "bad value `now,strict=on` of option `purge` in MIDDEN_OPTIONS; "
                     "it takes auto, now or never\n");
}

Test(option, a_quote_left_open_ends_with_its_line)
{
    start();
    cr_assert_eq(option_parse(&options, "purge=\"now,limit=1M\nlimit=2M", &source), 1);
    cr_assert_str_eq(told, "bad value `\"now,limit=1M` of option `purge` in MIDDEN_OPTIONS; "
                           "it takes auto, now or never\n");
    cr_assert_eq(options.limit, MIB(2));
}

Test(option, booleans_have_eight_words)
{
    static const char *const words[] = { "off", "on", "no", "yes", "false", "true", "0", "1" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char text[32];
        snprintf(text, sizeof text, "strict=%s", words[i]);
        expect_fine(text);
        cr_assert_eq(options.strict, i % 2, "%s", text);
    }
}

Test(option, sizes_have_units_of_1024)
{
    static const struct { const char *text; uint64_t wanted; } sizes[] = {
        { "limit=0", 0 }, { "limit=1", 1 }, { "limit=4096", 4096 }, { "limit=4k", KIB(4) },
        { "limit=4K", KIB(4) }, { "limit=16M", MIB(16) }, { "limit=16m", MIB(16) },
        { "limit=2G", GIB(2) }, { "limit=2g", GIB(2) }, { "limit=1T", TIB(1) },
        { "limit=128t", TIB(128) }, { "limit=007", 7 },
    };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        expect_fine(sizes[i].text);
        cr_assert_eq(options.limit, sizes[i].wanted, "%s", sizes[i].text);
    }
}

Test(option, an_unknown_key_draws_the_nearest_name)
{
    expect_complaint("coruption=report", "unknown option `coruption` in MIDDEN_OPTIONS; "
                                         "did you mean `corruption`?\n");
    expect_complaint("mdoe=fast",
                     "unknown option `mdoe` in MIDDEN_OPTIONS; did you mean `mode`?\n");
    expect_complaint("realloc-zero=free", "unknown option `realloc-zero` in MIDDEN_OPTIONS; "
                                          "did you mean `realloc_zero`?\n");
    expect_complaint("strct", "unknown option `strct` in MIDDEN_OPTIONS; did you mean `strict`?\n");
}

Test(option, an_unknown_key_far_from_all_draws_the_list)
{
    start();
    cr_assert_eq(option_parse(&options, "x=1", &source), 1);
    cr_assert_not_null(strstr(told, "option `x` in MIDDEN_OPTIONS; there are mode, strict,"));
    for (size_t i = 0; i < KEY_COUNT; i++)
        cr_assert_not_null(strstr(told, option_table[i].name));
}

Test(option, a_bad_value_draws_what_the_option_takes)
{
    expect_complaint("corruption=abrot",
                     "bad value `abrot` of option `corruption` in MIDDEN_OPTIONS; "
                     "did you mean `abort`?\n");
    expect_complaint("corruption=",
                     "bad value `` of option `corruption` in MIDDEN_OPTIONS; "
                     "it takes abort, report or ignore\n");
    expect_complaint("strict=perhaps",
                     "bad value `perhaps` of option `strict` in MIDDEN_OPTIONS; "
                     "it takes on or off\n");
    expect_complaint("strict",
                     "no value for option `strict` in MIDDEN_OPTIONS; it takes on or off\n");
    expect_complaint("limit=16MB",
                     "bad value `16MB` of option `limit` in MIDDEN_OPTIONS; "
                     "it takes a size, such as 64k, 16M or 2G, from 0 to 128T\n");
}

Test(option, a_number_outside_its_range_is_refused_however_large)
{
    static const char *const values[] = {
        "129T", "140737488355329", "18446744073709551616", "99999999999999999999999999",
        "18014398509481984k",
    };
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char text[64], wanted[256];
        snprintf(text, sizeof text, "limit=%s", values[i]);
        snprintf(wanted, sizeof wanted,
                 "out of range: value `%s` of option `limit` in MIDDEN_OPTIONS; "
                 "it takes a size, such as 64k, 16M or 2G, from 0 to 128T\n", values[i]);
        expect_complaint(text, wanted);
    }
}

Test(option, a_text_is_kept_as_it_is_written)
{
    expect_fine("collect=interval:5s+user");
    cr_assert_str_eq(options.text[SLOT_collect], "interval:5s+user");
    cr_assert_eq(options.collect, 16);
    expect_fine("collect= \"a, b\" ");
    cr_assert_str_eq(options.text[SLOT_collect], "a, b");
    expect_fine("collect=interval:5s,collect=");
    cr_assert_str_eq(options.text[SLOT_collect], "");
    cr_assert_eq(options.collect, 0);
    cr_assert_str_eq(options.origin[KEY_collect], "MIDDEN_OPTIONS");
}

Test(option, what_stood_before_a_shorter_text_is_gone)
{
    struct options straight;
    expect_fine("collect=user");
    straight = options;
    expect_fine("collect=interval:5s+user,collect=user");
    cr_assert_eq(memcmp(&straight, &options, sizeof options), 0);
}

Test(option, a_text_too_long_is_refused_and_the_longest_is_taken)
{
    char text[160] = "collect=";
    memset(text + 8, 'x', OPTION_TEXT_BYTES - 1);
    expect_fine(text);
    cr_assert_str_eq(options.text[SLOT_collect], text + 8);
    text[8 + OPTION_TEXT_BYTES - 1] = 'x';
    start();
    cr_assert_eq(option_parse(&options, text, &source), 1);
    cr_assert_eq(strncmp(told, "out of range: value `xxxx", 25), 0, "%s", told);
    cr_assert_eq(memcmp(&options, &option_initial, sizeof options), 0);
}

static enum option_trouble judge(struct option_complaint *complaint)
{
    cr_assert_eq(complaint->row, &option_table[KEY_collect]);
    if (complaint->value.bytes == 4)
        return OPTION_FINE;
    complaint->value.at++;
    complaint->value.bytes--;
    complaint->takes = complaint->value.bytes == 2 ? NULL : "four letters";
    return complaint->value.bytes == 1 ? OPTION_OUT_OF_RANGE : OPTION_BAD_VALUE;
}

Test(option, who_reads_a_text_judges_it)
{
    static const struct option_source judged = { "test", tell, "the argument", judge };
    start();
    cr_assert_eq(option_parse(&options, "collect=four,collect=ab,collect=abcd5,collect=abc,limit=4",
                              &judged), 3);
    cr_assert_str_eq(options.text[SLOT_collect], "four");
    cr_assert_eq(strncmp(told, "out of range: value `b` of option `collect` in test; it takes four "
                         "letters\nbad value `bcd5` of option `collect` in test; it takes four "
                         "letters\nbad value `bc` of option `collect` in test; it takes any of",
                         188), 0, "%s", told);
    cr_assert_eq(options.limit, 4);
}

Test(option, a_text_is_described_by_what_it_holds)
{
    char room[128];
    struct text text;
    expect_fine("collect=exit+user");
    text_init(&text, room, sizeof room);
    option_describe(&text, &options, KEY_collect);
    cr_assert_str_eq(room, "collect=exit+user from MIDDEN_OPTIONS");
    text_init(&text, room, sizeof room);
    option_value_text(&text, &option_table[KEY_collect], option_table[KEY_collect].initial);
    cr_assert_str_eq(room, "objects:700/10/10+growth:100%");
}

Test(option, numbers_are_digits_and_nothing_else)
{
    static const char *const values[] = {
        "", "-1", "+1", "k", "1.5G", "0x10", "1 k", "4kk", "1_000",
    };
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char text[64];
        start();
        snprintf(text, sizeof text, "limit=%s", values[i]);
        cr_assert_eq(option_parse(&options, text, &source), 1, "%s", text);
        cr_assert_eq(strncmp(told, "bad value", 9), 0, "%s", told);
    }
}

static enum option_trouble read_one(enum option_type type, const char *value, uint64_t *out)
{
    static struct option_row row = {
        .name = "row", .initial = 20, .min = 10, .max = 7200000,
    };
    row.type = type;
    return option_read(&row, (struct piece){ value, strlen(value) }, out);
}

Test(option, times_have_units_and_counts_have_none)
{
    uint64_t value = 1234;
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "500ms", &value), OPTION_FINE);
    cr_assert_eq(value, 500);
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "10s", &value), OPTION_FINE);
    cr_assert_eq(value, 10000);
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "1m", &value), OPTION_FINE);
    cr_assert_eq(value, 60000);
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "2h", &value), OPTION_FINE);
    cr_assert_eq(value, 7200000);
    cr_assert_eq(read_one(OPTION_TYPE_COUNT, "10", &value), OPTION_FINE);
    cr_assert_eq(value, 10);
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "10", &value), OPTION_BAD_VALUE, "10 of what?");
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "0", &value), OPTION_OUT_OF_RANGE, "0 needs no unit");
    cr_assert_eq(read_one(OPTION_TYPE_TIME, "3h", &value), OPTION_OUT_OF_RANGE);
    cr_assert_eq(read_one(OPTION_TYPE_COUNT, "9", &value), OPTION_OUT_OF_RANGE);
    cr_assert_eq(read_one(OPTION_TYPE_COUNT, "10k", &value), OPTION_BAD_VALUE);
    cr_assert_eq(value, 10, "a refused value leaves the old one");
}

Test(option, what_is_printed_reads_back_as_the_same_value)
{
    static const struct { enum option_type type; uint64_t value; const char *wanted; } samples[] = {
        { OPTION_TYPE_SIZE, 4097, "4097" }, { OPTION_TYPE_SIZE, 4096, "4k" },
        { OPTION_TYPE_SIZE, 1536 * 1024, "1536k" }, { OPTION_TYPE_SIZE, 2 << 20, "2M" },
        { OPTION_TYPE_TIME, 1500, "1500ms" }, { OPTION_TYPE_TIME, 60000, "1m" },
        { OPTION_TYPE_TIME, 90000, "90s" }, { OPTION_TYPE_TIME, 3600000, "1h" },
        { OPTION_TYPE_COUNT, 4096, "4096" },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        char room[64];
        uint64_t value = 0;
        struct text text;
        struct option_row row = { .type = samples[i].type };
        text_init(&text, room, sizeof room);
        option_value_text(&text, &row, samples[i].value);
        cr_assert_str_eq(room, samples[i].wanted);
        cr_assert_eq(read_one(samples[i].type, room, &value), OPTION_FINE);
        cr_assert_eq(value, samples[i].value);
    }
}

Test(option, every_option_is_described_with_its_origin)
{
    char room[256];
    struct text text;
    expect_fine("limit=16M,strict=yes");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        text_init(&text, room, sizeof room);
        option_describe(&text, &options, i);
        cr_assert_eq(strncmp(room, option_table[i].name, strlen(option_table[i].name)), 0);
        if (i == KEY_limit)
            cr_assert_str_eq(room, "limit=16M from MIDDEN_OPTIONS");
        if (i == KEY_strict)
            cr_assert_str_eq(room, "strict=on from MIDDEN_OPTIONS");
        if (i == KEY_purge)
            cr_assert_str_eq(room, "purge=auto by default");
    }
}

Test(option, complaints_hide_control_characters_and_cut_long_words)
{
    char text[300], wanted[300] = "unknown option `";
    start();
    cr_assert_eq(option_parse(&options, "b\x1b[31m=1", &source), 1);
    cr_assert_eq(strncmp(told, "unknown option `b?[31m` in ", 27), 0, "%s", told);
    memset(text, 'y', 200);
    text[200] = '\0';
    memset(wanted + 16, 'y', 60);
    strcpy(wanted + 76, "...` in MIDDEN_OPTIONS; there are");
    start();
    cr_assert_eq(option_parse(&options, text, &source), 1);
    cr_assert_eq(strncmp(told, wanted, strlen(wanted)), 0, "%s", told);
}

Test(option, a_silent_source_only_counts)
{
    static const struct option_source silent = { "test", NULL, NULL, NULL };
    option_defaults(&options);
    cr_assert_eq(option_parse(&options, "x=1,y=2,limit=1M", &silent), 2);
    cr_assert_eq(options.limit, MIB(1));
}

Test(option, files_have_comments_and_lines)
{
    expect_file("/bin/true", "# limit=1\n\n  limit=2 # limit=3\n#limit=4\n", 2);
    expect_file("/bin/true", "limit=2\r\nlimit=3\r\n", 3);
    expect_file("/bin/true", "limit=2, strict=on", 2);
    cr_assert_eq(options.strict, 1);
    cr_assert_str_eq(options.origin[KEY_limit], "/etc/midden.conf");
}

Test(option, a_section_applies_to_its_program_only)
{
    const char *text = "limit=1\n[exe=/usr/bin/foo]\nlimit=2\n[ exe = bar ]\nlimit=3\n"
                       "[exe=\"b*z\"]\nlimit=4";
    expect_file("/usr/bin/true", text, 1);
    expect_file("/usr/bin/foo", text, 2);
    expect_file("/usr/local/bin/foo", text, 1);
    expect_file("/opt/bar", text, 3);
    expect_file("bar", text, 3);
    expect_file("/opt/bar/true", text, 1);
    expect_file("/opt/barz", text, 4);
    expect_file("", text, 1);
}

Test(option, stars_stand_for_any_text)
{
    static const struct { const char *pattern, *program; bool wanted; } samples[] = {
        { "*", "/bin/true", true }, { "/usr/*", "/usr/lib/x/y", true },
        { "/usr/*", "/bin/true", false },
        { "py*3", "/usr/bin/python3", true }, { "py*3", "/usr/bin/python3.11", false },
        { "*a*b*", "/x/cab", true }, { "*a*b*", "/x/ba", false }, { "a**b", "/x/ab", true },
        { "*aab", "/x/aaab", true }, { "/*/foo", "/usr/bin/foo", true },
        { "/*/foo", "/foo", false },
        { "foo", "/usr/bin/foobar", false }, { "foobar", "/usr/bin/foo", false },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        char text[64];
        snprintf(text, sizeof text, "[exe=%s]\nlimit=1", samples[i].pattern);
        expect_file(samples[i].program, text, samples[i].wanted);
    }
}

Test(option, a_program_may_be_left_alone)
{
    const char *text = "midden=on\n[exe=/usr/sbin/*]\nmidden=off\n"
                       "[exe=/usr/sbin/sshd]\nmidden=on\n";
    expect_file("/usr/bin/true", text, 0);
    cr_assert_eq(options.midden, 1);
    expect_file("/usr/sbin/cron", text, 0);
    cr_assert_eq(options.midden, 0);
    expect_file("/usr/sbin/sshd", text, 0);
    cr_assert_eq(options.midden, 1);
}

Test(option, complaints_of_a_file_name_the_line)
{
    start();
    cr_assert_eq(option_parse_file(&options, "limit=1\n# x\npruge=now\n[exe=other]\nnonsense=1\n",
                                   "/bin/true", &file), 1);
    cr_assert_str_eq(told, "unknown option `pruge` in /etc/midden.conf, line 3; "
                           "did you mean `purge`?\n");
}

Test(option, a_section_that_is_none_is_told_and_hides_what_follows)
{
    static const char *const lines[] = {
        "[exe=foo", "[", "[]", "[exe]", "[exe=]", "[exe=\"\"]", "[x=foo]", "[foo]",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char text[64], wanted[256];
        start();
        snprintf(text, sizeof text, "limit=1\n%s\nlimit=2\n", lines[i]);
        snprintf(wanted, sizeof wanted, "not a section: `%s` in /etc/midden.conf, line 2; write "
                 "[exe=PROGRAM] or [exe=/PATH/TO/PROGRAM]; * is any text\n", lines[i]);
        cr_assert_eq(option_parse_file(&options, text, "/bin/foo", &file), 1);
        cr_assert_str_eq(told, wanted);
        cr_assert_eq(options.limit, 1);
    }
}

/* Whatever bytes come, the reader stays inside them and never sets a value outside its range. */
Test(option, no_text_leads_the_reader_astray)
{
    static const char letters[] = "=,\n\"#[]* k09m\tlimitstrconxe\\\x80";
    static const struct option_source silent = { "test", NULL, NULL, NULL };
    uint64_t seed = 20061;
    for (unsigned round = 0; round < 20000; round++) {
        char text[40];
        size_t bytes = round % (sizeof text - 1);
        for (size_t i = 0; i < bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = letters[(seed >> 33) % (sizeof letters - 1)];
        }
        text[bytes] = '\0';
        option_defaults(&options);
        option_parse(&options, text, &silent);
        option_parse_file(&options, text, "/bin/exe", &silent);
        for (size_t i = 0; i < KEY_COUNT; i++)
            if (option_table[i].type != OPTION_TYPE_CHOICE)
                cr_assert(options.value[i] >= option_table[i].min &&
                          options.value[i] <= option_table[i].max);
    }
}
