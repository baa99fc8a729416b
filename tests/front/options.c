/* options.c - tests of front/options.h: where options come from, and what is said on stderr. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/options.h"

static char conf[] = "/tmp/midden-options-XXXXXX";
static char told[16384];                         /* what came on stderr */
static struct options options;

static void conf_write(const char *text)
{
    int fd = mkstemp(conf);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void told_read(int fd)
{
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, told + length, sizeof told - 1 - length)) > 0)
        length += (size_t)got;
    told[length] = '\0';
    close(fd);
}

static unsigned read_from(const char *text, const char *environment, bool secure)
{
    struct options_source source = { conf, environment, "/usr/bin/true", secure };
    int ends[2], saved = dup(2);
    if (text != NULL)
        conf_write(text);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], 2);
    unsigned complaints = options_read(&options, &source);
    dup2(saved, 2);
    close(saved);
    close(ends[1]);
    told_read(ends[0]);
    if (text != NULL)
        unlink(conf);
    return complaints;
}

Test(options, without_file_and_environment_all_is_default)
{
    cr_assert_eq(read_from(NULL, NULL, false), 0);
    cr_assert_eq(memcmp(&options, &option_initial, sizeof options), 0);
    cr_assert_str_eq(told, "");
}

Test(options, the_environment_overrules_the_file)
{
    cr_assert_eq(read_from("limit=1G\npurge=now\n", "limit=2G", false), 0);
    cr_assert_eq(options.limit, GIB(2));
    cr_assert_eq(options.purge, PURGE_NOW);
    cr_assert_str_eq(options.origin[KEY_limit], "MIDDEN_OPTIONS");
    cr_assert_str_eq(options.origin[KEY_purge], conf);
    cr_assert_str_eq(told, "");
}

Test(options, sections_are_read_for_this_program)
{
    cr_assert_eq(read_from("[exe=true]\nmidden=off\n[exe=false]\nlimit=1\n", NULL, false), 0);
    cr_assert_eq(options.midden, 0);
    cr_assert_eq(options.limit, 0);
}

Test(options, each_complaint_is_one_line_of_cause_place_and_advice)
{
    char wanted[512];
    cr_assert_eq(read_from("\npruge=now\n", "coruption=report,limit=1M", false), 2);
    snprintf(wanted, sizeof wanted,
             "midden: unknown option `pruge` in %s, line 2; did you mean `purge`?\n"
             "midden: unknown option `coruption` in MIDDEN_OPTIONS; did you mean `corruption`?\n",
             conf);
    cr_assert_str_eq(told, wanted);
    cr_assert_eq(options.limit, MIB(1));
}

Test(options, a_file_too_long_is_read_as_far_as_whole_lines_go)
{
    static char text[OPTIONS_FILE_BYTES + 100];
    memset(text, '#', sizeof text - 1);
    memcpy(text, "limit=1M\n", 9);
    memcpy(text + OPTIONS_FILE_BYTES - 8, "\nlimit=20M\n", 11);
    cr_assert_eq(read_from(text, NULL, false), 1);
    cr_assert_eq(options.limit, MIB(1));
    cr_assert_not_null(strstr(told, " is longer than 64.0 KiB; what follows is ignored\n"));
}

Test(options, a_file_of_just_the_size_is_read_whole)
{
    static char text[OPTIONS_FILE_BYTES + 1];
    memset(text, '#', OPTIONS_FILE_BYTES);
    memcpy(text + OPTIONS_FILE_BYTES - 9, "\nlimit=2M", 9);
    cr_assert_eq(read_from(text, NULL, false), 0);
    cr_assert_eq(options.limit, MIB(2));
}

Test(options, a_program_that_runs_with_foreign_rights_obeys_nothing_and_says_nothing)
{
    cr_assert_eq(read_from("limit=1M\nnonsense=1\n[\n", "strict=on,limit=2M,x=1", true), 0);
    cr_assert_eq(memcmp(&options, &option_initial, sizeof options), 0);
    cr_assert_str_eq(told, "");
}

Test(options, the_administrator_may_take_such_a_program_out)
{
    cr_assert_eq(read_from("[exe=/usr/bin/*]\nmidden=off\nlimit=1M\n", "midden=on", true), 0);
    cr_assert_eq(options.midden, 0);
    cr_assert_eq(options.limit, 0);
}

/* -- collect ----------------------------------------------------------------------------------- */

static void expect_collect_told(const char *value, const char *wanted)
{
    char list[256], line[512];
    snprintf(list, sizeof list, "collect=%s", value);
    snprintf(line, sizeof line, "midden: %s\n", wanted);
    cr_assert_eq(read_from(NULL, list, false), 1, "%s", value);
    cr_assert_str_eq(told, line);
    cr_assert_eq(memcmp(&options, &option_initial, sizeof options), 0);
}

Test(options, a_trigger_that_is_none_is_told_by_itself_with_the_nearest)
{
    expect_collect_told("exit+intervall:5s+user", "bad value `intervall:5s` of option `collect` in "
                        "MIDDEN_OPTIONS; did you mean `interval`?");
    expect_collect_told("objects:700", "bad value `objects:700` of option `collect` in "
                        "MIDDEN_OPTIONS; it takes objects:A/B/C, such as objects:700/10/10, each "
                        "up to 2147483647");
    expect_collect_told("user+idle:10", "bad value `idle:10` of option `collect` in "
                        "MIDDEN_OPTIONS; it takes idle:TIME, such as idle:200ms, from 1ms to 720h");
    expect_collect_told("exit:now", "bad value `exit:now` of option `collect` in "
                        "MIDDEN_OPTIONS; it takes exit, with nothing behind it");
    expect_collect_told("user+exit+user", "bad value `user` of option `collect` in "
                        "MIDDEN_OPTIONS; it takes each trigger once");
    expect_collect_told("growth:0%", "out of range: value `growth:0%` of option `collect` in "
                        "MIDDEN_OPTIONS; it takes growth:N%, such as growth:100%, from 1% to "
                        "1000000%");
    expect_collect_told("exit+", "bad value `exit+` of option `collect` in MIDDEN_OPTIONS; did "
                        "you mean `exit`?");
    expect_collect_told("always", "bad value `always` of option `collect` in MIDDEN_OPTIONS; "
                        "it takes any of interval:5s, objects:700/10/10, bytes:64M, growth:100%, "
                        "exit, idle:200ms, pressure, exhaustion, signal:USR1 and user, joined "
                        "by +");
}

Test(options, a_bad_set_leaves_the_one_before_and_names_its_line)
{
    struct policy policy;
    char wanted[256];
    cr_assert_eq(read_from("collect=user\n\ncollect=usr\n", NULL, false), 1);
    snprintf(wanted, sizeof wanted, "midden: bad value `usr` of option `collect` in %s, line 3; "
             "did you mean `user`?\n", conf);
    cr_assert_str_eq(told, wanted);
    cr_assert(options_policy(&options, &policy));
    cr_assert_eq(policy.triggers, 1u << POLICY_USER);
}

Test(options, the_policy_is_what_collect_says)
{
    struct policy policy;
    cr_assert_eq(read_from("collect=user", "collect=interval:5s+bytes:4k", false), 0);
    cr_assert(options_policy(&options, &policy));
    cr_assert_eq(policy.triggers, 1u << POLICY_INTERVAL | 1u << POLICY_BYTES);
    cr_assert_eq(policy.interval_ms, 5000);
    cr_assert_eq(read_from(NULL, "collect=", false), 0);
    cr_assert(options_policy(&options, &policy));
    cr_assert_eq(policy.triggers, 0);
    cr_assert_eq(read_from(NULL, NULL, false), 0);
    cr_assert(options_policy(&options, &policy));
    cr_assert_eq(memcmp(&policy, &policy_initial, sizeof policy), 0);
}

Test(options, what_nobody_judged_is_the_initial_policy)
{
    struct policy policy;
    option_defaults(&options);
    strcpy(options.text[SLOT_collect], "nonsense");
    cr_assert_not(options_policy(&options, &policy));
    cr_assert_eq(memcmp(&policy, &policy_initial, sizeof policy), 0);
}

/* -- options_load, in a program of its own: this one again, ended before its tests ------------- */

__attribute__((constructor(102))) static void child(void)
{
    if (getenv("OPTIONS_TEST_CHILD") == NULL)
        return;
    const struct options *first = options_load();
    dprintf(2, "limit is %lu%s\n", first->limit, options_load() == first ? "" : ", then moves");
    _exit(0);
}

static int child_status(const char *environment)
{
    int ends[2], status;
    cr_assert_eq(pipe2(ends, 0), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 2);
        setenv("MIDDEN_OPTIONS", environment, 1);
        setenv("OPTIONS_TEST_CHILD", "yes", 1);
        execl("/proc/self/exe", "options", (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    told_read(ends[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(options, loading_reads_the_environment_before_main_and_once)
{
    cr_assert_eq(child_status("limit=16M"), 0);
    cr_assert_str_eq(told, "limit is 16777216\n");
}

Test(options, a_warning_is_told_once_and_the_program_runs)
{
    cr_assert_eq(child_status("coruption=abort,limit=1M"), 0);
    cr_assert_str_eq(told, "midden: unknown option `coruption` in MIDDEN_OPTIONS; did you mean "
                           "`corruption`?\nlimit is 1048576\n");
}

Test(options, strict_ends_the_program_with_125_after_the_sentence)
{
    cr_assert_eq(child_status("limit=x,strict=on"), 125);
    cr_assert_str_eq(told, "midden: bad value `x` of option `limit` in MIDDEN_OPTIONS; it takes a "
                           "size, such as 64k, 16M or 2G, from 0 to 128T\n"
                           "midden: strict=on: the program is not started\n");
}

Test(options, strict_ends_the_program_on_a_bad_policy_too)
{
    cr_assert_eq(child_status("collect=userr,strict=on"), 125);
    cr_assert_str_eq(told, "midden: bad value `userr` of option `collect` in MIDDEN_OPTIONS; did "
                           "you mean `user`?\nmidden: strict=on: the program is not started\n");
}

Test(options, strict_without_a_mistake_changes_nothing)
{
    cr_assert_eq(child_status("strict=on"), 0);
    cr_assert_str_eq(told, "limit is 0\n");
}

Test(options, confirm_lists_every_option_with_its_origin)
{
    size_t lines = 0;
    cr_assert_eq(child_status("confirm=on,limit=4k"), 0);
    for (const char *at = told; (at = strstr(at, "midden: ")) != NULL; at++)
        lines++;
    cr_assert_eq(lines, KEY_COUNT, "%s", told);
    cr_assert_not_null(strstr(told, "midden: limit=4k from MIDDEN_OPTIONS\n"));
    cr_assert_not_null(strstr(told, "midden: purge=auto by default\n"));
}
