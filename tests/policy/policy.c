/* policy.c - tests of policy/policy.h. */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/option.h"
#include "policy/policy.h"

static struct policy policy;
static size_t where;

static const struct policy untouched = { .triggers = 77, .bytes = 5, .signal = 3 };

static void expect_fine(const char *text)
{
    policy = untouched;
    cr_assert_eq(policy_parse(text, &policy, &where), POLICY_OK, "%s fails at %zu", text, where);
    cr_assert_eq(where, strlen(text));
}

static void expect_error(const char *text, enum policy_error error, size_t at)
{
    policy = untouched;
    enum policy_error got = policy_parse(text, &policy, &where);
    cr_assert_eq(got, error, "`%s` gives %d", text, got);
    cr_assert_eq(where, at, "`%s` is said to be wrong at %zu", text, where);
    cr_assert_eq(memcmp(&policy, &untouched, sizeof policy), 0, "`%s` changed the policy", text);
}

static void expect_text(const char *text, const char *wanted)
{
    char room[256];
    struct text out;
    expect_fine(text);
    text_init(&out, room, sizeof room);
    policy_text(&policy, &out);
    cr_assert_str_eq(room, wanted);
}

/* -- text -------------------------------------------------------------------------------------- */

Test(policy, every_trigger_is_read)
{
    expect_fine("interval:5s+objects:1/2/3+bytes:64M+growth:150%+exit+idle:200ms+pressure+"
                "exhaustion+signal:USR1+user");
    cr_assert_eq(policy.triggers, (1u << POLICY_TRIGGERS) - 1);
    cr_assert_eq(policy.interval_ms, 5000);
    cr_assert_eq(policy.threshold[0], 1);
    cr_assert_eq(policy.threshold[1], 2);
    cr_assert_eq(policy.threshold[2], 3);
    cr_assert_eq(policy.bytes, MIB(64));
    cr_assert_eq(policy.growth_percent, 150);
    cr_assert_eq(policy.idle_ms, 200);
    cr_assert_eq(policy.signal, SIGUSR1);
}

Test(policy, a_trigger_alone_is_a_set_of_one)
{
    static const char *const alone[POLICY_TRIGGERS] = {
        "interval:1h", "objects:700/10/10", "bytes:1", "growth:1%", "exit", "idle:1ms", "pressure",
        "exhaustion", "signal:HUP", "user",
    };
    for (unsigned i = 0; i < POLICY_TRIGGERS; i++) {
        expect_fine(alone[i]);
        cr_assert_eq(policy.triggers, 1u << i);
        for (unsigned j = 0; j < POLICY_TRIGGERS; j++)
            cr_assert_eq(policy_has(&policy, (enum policy_trigger)j), i == j);
    }
}

Test(policy, nothing_is_the_empty_set)
{
    static const struct policy empty = { .triggers = 0 };
    expect_text("", "");
    cr_assert_eq(memcmp(&policy, &empty, sizeof policy), 0);
}

Test(policy, the_initial_policy_is_the_default_of_the_option_and_that_of_python)
{
    expect_fine(option_table[KEY_collect].initial_text);
    cr_assert_eq(memcmp(&policy, &policy_initial, sizeof policy), 0);
    expect_text("growth:100%+objects:700/10/10", option_table[KEY_collect].initial_text);
}

Test(policy, names_are_those_of_the_list_and_lead_back)
{
    char names[256] = "";
    for (unsigned i = 0; i < POLICY_TRIGGERS; i++) {
        const char *name = policy_name((enum policy_trigger)i);
        strcat(strcat(names, i > 0 ? "|" : ""), name);
        cr_assert_eq(policy_named(name, strlen(name)), i);
        cr_assert_eq(policy_named(name, strlen(name) - 1), POLICY_TRIGGERS);
        cr_assert(text_starts(policy_takes((enum policy_trigger)i), name));
    }
    cr_assert_str_eq(names, POLICY_NAMES);
    cr_assert_eq(policy_named("", 0), POLICY_TRIGGERS);
}

Test(policy, what_it_says_a_trigger_takes_is_taken)
{
    for (unsigned i = 0; i < POLICY_TRIGGERS; i++) {
        char example[64] = "";
        const char *takes = policy_takes((enum policy_trigger)i);
        const char *at = strstr(takes, "such as ");
        at = at != NULL ? at + strlen("such as ") : takes;
        strncpy(example, at, strcspn(at, ", "));
        expect_text(example, example);
        cr_assert_eq(policy.triggers, 1u << i);
    }
}

Test(policy, the_canonical_line_has_one_order_and_the_largest_units)
{
    expect_text("user+exit", "exit+user");
    expect_text("interval:1000ms", "interval:1s");
    expect_text("interval:1500ms", "interval:1500ms");
    expect_text("interval:120s", "interval:2m");
    expect_text("idle:60m", "idle:1h");
    expect_text("bytes:1024", "bytes:1k");
    expect_text("bytes:1025", "bytes:1025");
    expect_text("bytes:4K", "bytes:4k");
    expect_text("bytes:2048m", "bytes:2G");
    expect_text("bytes:1t", "bytes:1T");
    expect_text("signal:SIGUSR2", "signal:USR2");
    expect_text("objects:0/0/0", "objects:0/0/0");
    expect_text("objects:2147483647/1/007", "objects:2147483647/1/7");
}

Test(policy, each_signal_has_the_number_of_this_system)
{
    static const struct { const char *text; int number; } samples[] = {
        { "signal:HUP", SIGHUP },     { "signal:INT", SIGINT },       { "signal:QUIT", SIGQUIT },
        { "signal:USR1", SIGUSR1 },   { "signal:USR2", SIGUSR2 },     { "signal:PIPE", SIGPIPE },
        { "signal:ALRM", SIGALRM },   { "signal:TERM", SIGTERM },     { "signal:CHLD", SIGCHLD },
        { "signal:CONT", SIGCONT },   { "signal:TSTP", SIGTSTP },     { "signal:TTIN", SIGTTIN },
        { "signal:TTOU", SIGTTOU },   { "signal:URG", SIGURG },       { "signal:XCPU", SIGXCPU },
        { "signal:XFSZ", SIGXFSZ },   { "signal:VTALRM", SIGVTALRM }, { "signal:PROF", SIGPROF },
        { "signal:WINCH", SIGWINCH }, { "signal:IO", SIGIO },         { "signal:PWR", SIGPWR },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        expect_text(samples[i].text, samples[i].text);
        cr_assert_eq(policy.signal, samples[i].number, "%s", samples[i].text);
    }
}

Test(policy, what_does_not_parse_is_told_with_its_place)
{
    static const struct { const char *text; size_t at; } samples[] = {
        { "+", 0 }, { "nonsense", 0 }, { " exit", 0 }, { "Exit", 0 }, { "exits", 0 }, { ":", 0 },
        { "exit+", 5 }, { "exit++user", 5 }, { "exit user", 4 }, { "exit,user", 4 },
        { "exit ", 4 }, { "exit:1", 4 }, { "pressure:", 8 }, { "user+exhaustions", 5 },
        { "interval", 8 }, { "interval:", 9 }, { "interval:s", 9 }, { "interval:-5s", 9 },
        { "interval:5", 10 }, { "interval:5k", 10 }, { "interval:5sec", 10 },
        { "interval:5 s", 10 }, { "interval:5s ", 11 }, { "interval=5s", 8 },
        { "interval:0", 10 }, { "idle:1.5s", 6 }, { "bytes:64MB", 8 }, { "bytes:4%", 7 },
        { "bytes:0x10", 7 }, { "bytes:", 6 },
        { "growth:100", 10 }, { "growth:%", 7 }, { "growth:100%%", 11 }, { "growth:5%exit", 9 },
        { "objects", 7 }, { "objects:", 8 }, { "objects:700", 11 }, { "objects:700/10", 14 },
        { "objects:700/10/", 15 }, { "objects:700//10", 12 }, { "objects:700/10/10/10", 17 },
        { "objects:-1/10/10", 8 }, { "objects:1/2/3k", 13 },
        { "signal", 6 }, { "signal:", 7 }, { "signal:USR3", 7 }, { "signal:SIG", 7 },
        { "signal:KILL", 7 }, { "signal:STOP", 7 }, { "signal:SEGV", 7 }, { "signal:usr1", 7 },
        { "signal:10", 7 }, { "signal:SIGSIGUSR1", 7 }, { "signal:USR", 7 }, { "signal:USR1,", 11 },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        expect_error(samples[i].text, POLICY_UNPARSED, samples[i].at);
}

Test(policy, a_trigger_may_not_come_twice)
{
    expect_error("exit+exit", POLICY_UNPARSED, 5);
    expect_error("interval:5s+user+interval:6s", POLICY_UNPARSED, 17);
}

Test(policy, a_number_out_of_range_is_told_with_its_place)
{
    static const struct { const char *text; size_t at; } samples[] = {
        { "interval:0s", 9 }, { "interval:721h", 9 }, { "interval:18446744073709551616ms", 9 },
        { "interval:18446744073709551615h", 9 }, { "user+idle:0ms", 10 },
        { "bytes:0", 6 }, { "bytes:0k", 6 }, { "bytes:129T", 6 },
        { "bytes:99999999999999999999999999999999", 6 },
        { "growth:0%", 7 }, { "growth:1000001%", 7 },
        { "objects:2147483648/10/10", 8 }, { "objects:1/2147483648/10", 10 },
        { "objects:1/2/4294967296", 12 },
    };
    for (size_t i = 0; i < COUNT_OF(samples); i++)
        expect_error(samples[i].text, POLICY_OUT_OF_RANGE, samples[i].at);
    expect_text("interval:720h", "interval:720h");
    expect_text("bytes:128T", "bytes:128T");
    expect_text("growth:1000000%", "growth:1000000%");
}

Test(policy, the_first_error_is_the_one_told)
{
    expect_error("bytes:0+nonsense", POLICY_OUT_OF_RANGE, 6);
    expect_error("nonsense+bytes:0", POLICY_UNPARSED, 0);
}

Test(policy, the_longest_line_fits_where_the_interface_says_it_does)
{
    char room[256];
    struct text out;
    expect_fine("interval:2591999999ms+objects:2147483647/2147483647/2147483647+"
                "bytes:140737488355327+growth:1000000%+exit+idle:2591999999ms+pressure+"
                "exhaustion+signal:VTALRM+user");
    text_init(&out, room, sizeof room);
    policy_text(&policy, &out);
    cr_assert_not(out.cut);
}

static uint64_t seed = 4711;

static uint64_t dice(uint64_t sides)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % sides;
}

static void expect_round_trip(void)
{
    char room[256];
    struct text out;
    struct policy first = policy, second;
    text_init(&out, room, sizeof room);
    policy_text(&first, &out);
    cr_assert_eq(policy_parse(room, &second, &where), POLICY_OK, "%s", room);
    cr_assert_eq(memcmp(&first, &second, sizeof first), 0, "%s", room);
}

/* A set made of values, not of letters: every value that is allowed comes back as it was. */
Test(policy, every_set_comes_back_from_its_own_line)
{
    for (unsigned round = 0; round < 20000; round++) {
        policy = (struct policy){ .triggers = (uint32_t)dice(1u << POLICY_TRIGGERS) };
        if (policy_has(&policy, POLICY_INTERVAL))
            policy.interval_ms = 1 + dice(dice(2) ? 100000 : 720u * 3600000);
        if (policy_has(&policy, POLICY_IDLE))
            policy.idle_ms = 1000 * (1 + dice(7200));
        if (policy_has(&policy, POLICY_BYTES))
            policy.bytes = (1 + dice(1000000)) << dice(28);
        if (policy_has(&policy, POLICY_GROWTH))
            policy.growth_percent = 1 + dice(1000000);
        for (unsigned i = 0; policy_has(&policy, POLICY_OBJECTS) && i < POLICY_GENERATIONS; i++)
            policy.threshold[i] = (int)dice((uint64_t)INT_MAX + 1);
        if (policy_has(&policy, POLICY_SIGNAL))
            policy.signal = SIGTTIN;
        expect_round_trip();
    }
}

/* Whatever bytes come, the reader stays inside them, and what it takes comes back. */
Test(policy, no_text_leads_the_reader_astray)
{
    static const char *const parts[] = {
        "interval:", "objects:", "bytes:", "growth:", "exit", "idle:", "pressure", "exhaustion",
        "signal:", "user", "+", "+", "+", "/", "1", "9", "0", "ms", "s", "h", "k", "M", "T", "%",
        "SIG", "USR1", " ", "\x80", "700/10/10", "18446744073709551615",
    };
    unsigned taken = 0;
    for (unsigned round = 0; round < 50000; round++) {
        char text[256] = "";
        for (uint64_t count = dice(8); count > 0; count--)
            strcat(text, parts[dice(COUNT_OF(parts))]);
        size_t bytes = strlen(text);
        if (policy_parse(text, &policy, &where) == POLICY_OK) {
            taken++;
            expect_round_trip();
        }
        cr_assert_leq(where, bytes);
    }
    cr_assert_gt(taken, 1000);
}

/* -- decisions --------------------------------------------------------------------------------- */

static int generation(int zero, int one, int two, uint64_t promoted, uint64_t survived)
{
    int count[POLICY_GENERATIONS] = { zero, one, two };
    return policy_generation(&policy, count, promoted, survived);
}

Test(policy, the_youngest_generation_is_due_above_its_threshold_only)
{
    expect_fine("objects:700/10/10");
    cr_assert_eq(generation(0, 0, 0, 0, 0), -1);
    cr_assert_eq(generation(700, 0, 0, 0, 0), -1);
    cr_assert_eq(generation(701, 0, 0, 0, 0), 0);
    cr_assert_eq(generation(INT_MAX, 10, 10, 0, 0), 0);
    cr_assert_eq(generation(-5, 0, 0, 0, 0), -1, "more frees than allocations");
}

Test(policy, older_ones_come_with_it_and_never_by_themselves)
{
    expect_fine("objects:700/10/10");
    cr_assert_eq(generation(700, 11, 11, 100, 0), -1);
    cr_assert_eq(generation(701, 11, 0, 0, 0), 1);
    cr_assert_eq(generation(701, 11, 10, 100, 0), 1);
    cr_assert_eq(generation(701, 11, 11, 100, 0), 2);
    cr_assert_eq(generation(701, 0, 11, 100, 0), 2);
}

Test(policy, the_oldest_waits_until_a_quarter_was_promoted)
{
    expect_fine("objects:700/10/10");
    cr_assert_eq(generation(701, 11, 11, 249, 1000), 1);
    cr_assert_eq(generation(701, 11, 11, 250, 1000), 2);
    cr_assert_eq(generation(701, 10, 11, 249, 1000), 0, "the one before is not due by that");
    cr_assert_eq(generation(701, 11, 11, 0, 3), 2, "a quarter of three is none");
    cr_assert_eq(generation(701, 11, 11, UINT64_MAX, UINT64_MAX), 2);
}

Test(policy, a_first_threshold_of_zero_is_never)
{
    expect_fine("objects:0/0/0");
    cr_assert_eq(generation(INT_MAX, INT_MAX, INT_MAX, 100, 0), -1);
    expect_fine("objects:1/0/0");
    cr_assert_eq(generation(2, 0, 0, 0, 0), 0);
    cr_assert_eq(generation(2, 1, 0, 0, 0), 1);
    cr_assert_eq(generation(2, 1, 1, 0, 0), 2);
}

Test(policy, no_generation_is_due_where_objects_are_not_counted)
{
    expect_fine("growth:100%+user");
    cr_assert_eq(generation(INT_MAX, INT_MAX, INT_MAX, 100, 0), -1);
}

static uint64_t debt_of(uint64_t live_bytes)
{
    return policy_debt(&policy, &(struct policy_lived){ live_bytes, 0, false });
}

Test(policy, the_debt_is_what_comes_first)
{
    expect_fine("objects:700/10/10+exit");
    cr_assert_eq(debt_of(GIB(1)), UINT64_MAX);
    expect_fine("bytes:64M");
    cr_assert_eq(debt_of(0), MIB(64));
    cr_assert_eq(debt_of(UINT64_MAX), MIB(64));
    expect_fine("growth:100%");
    cr_assert_eq(debt_of(MIB(100)), MIB(100));
    expect_fine("growth:50%+bytes:64M");
    cr_assert_eq(debt_of(MIB(100)), MIB(50));
    cr_assert_eq(debt_of(MIB(200)), MIB(64));
}

Test(policy, growth_is_never_below_its_floor_and_never_wraps)
{
    expect_fine("growth:100%");
    cr_assert_eq(debt_of(0), MIB(8));
    cr_assert_eq(debt_of(MIB(7)), MIB(8));
    cr_assert_eq(debt_of(MIB(33)), MIB(33));
    expect_fine("growth:1000000%");
    cr_assert_gt(debt_of(UINT64_MAX), TIB(1000000));
    cr_assert_lt(debt_of(UINT64_MAX), UINT64_MAX);
    expect_fine("growth:100%+bytes:4k");
    cr_assert_eq(debt_of(0), KIB(4), "the floor is that of growth");
}

Test(policy, a_minor_one_comes_at_half_of_what_growth_is_left)
{
    struct policy_lived lived = { MIB(200), MIB(40), true };

    expect_fine("growth:100%");
    cr_assert_eq(policy_debt(&policy, &lived), MIB(80));
    lived.minor = false;
    cr_assert_eq(policy_debt(&policy, &lived), MIB(160));
    lived.added_bytes = MIB(300);
    cr_assert_eq(policy_debt(&policy, &lived), MIB(8), "and not at less than the floor");
    expect_fine("bytes:64M");
    lived.minor = true;
    cr_assert_eq(policy_debt(&policy, &lived), MIB(64), "bytes are what they say");
}

Test(policy, more_alive_never_makes_the_next_collection_come_earlier)
{
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t live = dice(UINT32_MAX) << dice(32), more = live + dice(UINT32_MAX);
        policy = policy_initial;
        policy.growth_percent = 1 + dice(100000);
        if (more >= live)
            cr_assert_leq(debt_of(live), debt_of(more));
    }
}

Test(policy, only_time_memory_and_signals_are_watched)
{
    expect_fine("");
    cr_assert_not(policy_needs_watch(&policy));
    expect_fine("objects:700/10/10+bytes:1M+growth:100%+exit+exhaustion+user");
    cr_assert_not(policy_needs_watch(&policy));
    static const char *const watched[] = { "interval:1s", "idle:1s", "pressure", "signal:USR1" };
    for (size_t i = 0; i < COUNT_OF(watched); i++) {
        expect_fine(watched[i]);
        cr_assert(policy_needs_watch(&policy), "%s", watched[i]);
    }
}
