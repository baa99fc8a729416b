/* policy.c - when to collect, said in one line: its grammar, and that each trigger collects.
 * options: minor=never
 * seconds: 90
 */
#include "check.h"

#include <sys/wait.h>

/* -- the line ---------------------------------------------------------------------------------- */

static int takes(const char *policy)
{
    char first[256], second[256];

    return midden_policy_set(policy) == 0 && midden_policy_get(first, sizeof first) == 0 &&
           midden_policy_set(first) == 0 && midden_policy_get(second, sizeof second) == 0 &&
           !strcmp(first, second);
}

static int refuses(const char *policy, int error)
{
    char before[256], after[256];
    int  refused;

    midden_policy_get(before, sizeof before);
    errno = 0;
    refused = midden_policy_set(policy) == -1 && errno == error;
    midden_policy_get(after, sizeof after);
    return refused && !strcmp(before, after);
}

static void grammar(void)
{
    static const char *const good[] = {
        "", "interval:5s", "interval:20ms", "objects:700/10/10", "objects:1/1/1", "objects:0/10/10",
        "bytes:64M", "bytes:4096", "growth:100%", "growth:25%", "exit", "idle:200ms", "pressure",
        "exhaustion", "signal:USR1", "signal:USR2", "user", "objects:700/10/10+growth:100%",
        "interval:10s+objects:500/5/5+bytes:1G+growth:50%+exit+idle:2s+pressure+exhaustion+"
        "signal:USR2+user",
    };
    static const char *const bad[] = {
        "interval", "interval:", "interval:x", "interval:5", "objects", "objects:7", "objects:7/8",
        "objects:7/8/9/10", "objects:-1/1/1", "bytes:", "bytes:x", "growth:100", "growth:x%",
        "never", "+", "user+", "+user", "user++exit", "user exit", "user,exit", "idle:", "signal:",
        "signal:NONSENSE", "exit:3", "Objects:700/10/10",
    };
    char start[256];

    midden_policy_get(start, sizeof start);
    check(!strcmp(start, "objects:700/10/10+growth:100%"), "the policy at start: %s", start);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        check(takes(good[i]), "\"%s\" is taken, and comes back as it is", good[i]);
    midden_policy_set(start);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check(refuses(bad[i], EINVAL), "\"%s\" is refused, and the old policy stays", bad[i]);
    check(refuses("interval:99999999999999h", ERANGE) &&
              refuses("objects:99999999999/10/10", ERANGE), "numbers out of range are ERANGE");
    CHECK_ERROR(EINVAL, -1, midden_policy_set(NULL));
    CHECK_ERROR(EINVAL, -1, midden_policy_get(NULL, 10));
    start[0] = 'x';
    CHECK_ERROR(ERANGE, -1, midden_policy_get(start, 10));
    CHECK_ERROR(ERANGE, -1, midden_policy_get(start, 0));
    check(start[0] == 'x', "where it does not fit nothing is written");
}

static void thresholds(void)
{
    int  threshold[3];
    char text[256];

    midden_policy_set("bytes:1G");
    check(midden_get_threshold(threshold) == 0 && !threshold[0] && !threshold[1] && !threshold[2],
        "without objects the thresholds are zeros");
    midden_set_threshold(123, 4, 5);
    midden_policy_get(text, sizeof text);
    check(strstr(text, "objects:123/4/5") && strstr(text, "bytes:1G"),
        "thresholds that are set are a trigger of the policy: %s", text);
    midden_policy_set("objects:5/6/7");
    midden_get_threshold(threshold);
    check(threshold[0] == 5 && threshold[1] == 6 && threshold[2] == 7, "and the other way round");
}

/* -- the triggers ------------------------------------------------------------------------------ */

static char reason[64];

static void note_reason(enum midden_phase phase, const struct midden_collection *at, void *arg)
{
    (void)arg;
    if (phase == MIDDEN_STOP && strcmp(at->reason, "collect"))
        snprintf(reason, sizeof reason, "%s", at->reason);
}

static uint64_t all_collections(void)
{
    return collections(0) + collections(1) + collections(2);
}

/* Until there is another collection, for two seconds at most. */
static int comes(uint64_t before, int allocate)
{
    double end = now_ms() + 3000;

    while (all_collections() == before && now_ms() < end) {
        if (allocate)
            midden_release(midden_new(&plain_type, 0));
        pause_ms(1);
    }
    return all_collections() > before;
}

static int never_comes(uint64_t before)
{
    pause_ms(300);
    return all_collections() == before;
}

static void begin(const char *policy)
{
    check(midden_policy_set(policy) == 0, "the policy is \"%s\"", policy);
    reason[0] = 0;
}

static NOINLINE void waste(size_t bytes)
{
    while (bytes > 0) {
        size_t most = every_count() ? 100000 : 10000;

        memset(midden_alloc_leaf(most), 1, most);
        bytes -= bytes < most ? bytes : most;
    }
}

static void by_interval(void)
{
    uint64_t before;

    begin("interval:30ms");
    before = all_collections();
    pause_ms(1000);
    check_alone(all_collections() >= before + 8 && all_collections() <= before + 36,
        "in a second %lu collections: \"%s\"", (unsigned long)(all_collections() - before), reason);
    check(!strncmp(reason, "interval", 8), "the interval is their reason");
    midden_disable();
    pause_ms(300);
    before = all_collections();
    check(never_comes(before), "none while disabled");
    midden_enable();
    check(comes(before, 0), "and again when enabled");
    midden_policy_set("");
    pause_ms(300);
    before = all_collections();
    check(never_comes(before), "and none with the empty policy");
}

static void by_bytes(void)
{
    uint64_t before;

    begin("bytes:8M");
    midden_collect(MIDDEN_FULL);
    before = all_collections();
    waste(4 << 20);
    for (int i = 0; i < scaled(60000); i++)
        midden_intern(&i, sizeof i);
    check_alone(all_collections() == before, "6 MiB do not collect, two of them interned bytes");
    waste(70 << 20);
    check_alone(all_collections() >= before + 5 && all_collections() <= before + 20,
        "76 MiB do: %lu times, \"%s\"", (unsigned long)(all_collections() - before), reason);
    check_alone(!strncmp(reason, "bytes", 5), "bytes are the reason");
}

static void by_growth(void)
{
    uint64_t before;
    char    *live = NULL;

    begin("growth:100%");
    midden_collect(MIDDEN_FULL);
    before = all_collections();
    waste(6 << 20);
    check_alone(all_collections() == before, "6 MiB over nothing do not collect: 8 are the least");
    waste(6 << 20);
    check_alone(all_collections() == before + 1, "12 do, once");
    waste(24 << 20);
    check_alone(all_collections() > before + 2 && all_collections() <= before + 4,
        "36 MiB do: %lu times, \"%s\"", (unsigned long)(all_collections() - before), reason);
    live = midden_alloc((size_t)96 << 20);
    *(char *)hide(live) = 1;
    midden_collect(MIDDEN_FULL);
    before = all_collections();
    waste(64 << 20);
    check_alone(all_collections() == before, "64 MiB over 96 do not");
    waste(60 << 20);
    check_alone(all_collections() == before + 1, "124 MiB do, once: %lu times",
        (unsigned long)(all_collections() - before));
    check_alone(!strncmp(reason, "growth", 6), "growth is the reason");
    live[0] = 2;
}

static void by_notice(void)
{
    uint64_t before;

    begin("user");
    before = all_collections();
    midden_notify(MIDDEN_IDLE);
    midden_notify(MIDDEN_PRESSURE);
    check(never_comes(before), "idle and pressure mean nothing to it");
    midden_notify(MIDDEN_USER);
    check_alone(comes(before, 1) && !strncmp(reason, "user", 4), "user does: \"%s\"", reason);
    begin("pressure+idle:1h");
    before = all_collections();
    midden_notify(MIDDEN_USER);
    check(never_comes(before), "user means nothing to pressure and idle");
    midden_notify(MIDDEN_PRESSURE);
    check_alone(comes(before, 1) && !strncmp(reason, "pressure", 8),
        "pressure does: \"%s\"", reason);
    before = all_collections();
    midden_notify(MIDDEN_IDLE);
    check_alone(comes(before, 1) && !strncmp(reason, "idle", 4),
        "and so does idle: \"%s\"", reason);
}

static void by_idleness(void)
{
    uint64_t before;

    before = all_collections();
    begin("idle:50ms");
    midden_release(list(100));
    check_alone(comes(before, 0) && !strncmp(reason, "idle", 4),
        "it collects when idle: \"%s\"", reason);
    pause_ms(100);
    before = all_collections();
    pause_ms(300);
    check(all_collections() <= before + 1, "once, not again and again: %lu more",
        (unsigned long)(all_collections() - before));
}

static void by_signal(void)
{
    uint64_t before;

    begin("signal:USR2");
    before = all_collections();
    raise(SIGUSR2);
    check_alone(comes(before, 1) && !strncmp(reason, "signal", 6),
        "SIGUSR2 collects: \"%s\"", reason);
    midden_policy_set("");
}

/* -- the exit ---------------------------------------------------------------------------------- */

static int report_to = -1;

static void say_end(void *object)
{
    (void)object;
    if (write(report_to, "f", 1) != 1)
        _exit(1);
}

static const struct midden_type say_type = { sizeof say_type, "say", sizeof(struct node),
                                             node_owned, NULL, say_end, 0 };

static int at_exit(const char *policy)
{
    char    text[16];
    int     way[2], status;
    ssize_t bytes;

    if (pipe(way) != 0)
        return -1;
    if (fork() == 0) {
        struct node *object = midden_new(&say_type, 0);

        report_to = way[1];
        midden_policy_set(policy);
        midden_assign(&object->left, object);
        midden_release(object);
        exit(0);
    }
    close(way[1]);
    bytes = read(way[0], text, sizeof text);
    close(way[0]);
    wait(&status);
    return status == 0 ? (int)bytes : -1;
}

static void by_exit(void)
{
    int with = at_exit("exit"), without = at_exit("");

    check(with == 1, "with exit, what is garbage at the end is finalized: %d", with);
    check(without == 0, "without, nothing is: %d", without);
}

int main(void)
{
    grammar();
    thresholds();
    midden_callbacks_add(note_reason, NULL);
    by_interval();
    by_bytes();
    by_growth();
    by_notice();
    by_idleness();
    by_signal();
    midden_callbacks_remove(note_reason, NULL);
    by_exit();
    return done();
}
