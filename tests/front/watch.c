/* watch.c - tests of front/watch.h. Times are generous: another program may have the processor. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "front/watch.h"
#include "gc/world.h"

enum { LONG_MS = 20000 };

static uint32_t collections;                     /* atomic */
static char     reasons[64][16];
static int      collector, collector_ours, generations;
static uint64_t volume;                          /* atomic */
static unsigned takes_us;                        /* a collection */

static long collect(int generation, const char *reason)
{
    uint32_t index = __atomic_load_n(&collections, __ATOMIC_RELAXED);
    if (index < COUNT_OF(reasons))
        strncpy(reasons[index], reason, sizeof reasons[index] - 1);
    generations += generation;
    collector = os_thread_id();
    collector_ours = os_thread_is_ours(collector);
    usleep(takes_us);
    __atomic_store_n(&collections, index + 1, __ATOMIC_RELEASE);
    return 0;
}

static uint64_t volume_so_far(void)
{
    return __atomic_load_n(&volume, __ATOMIC_RELAXED);
}

static uint32_t made(void)
{
    return __atomic_load_n(&collections, __ATOMIC_ACQUIRE);
}

static void set_hooks(void)
{
    watch_collect = collect;
    watch_volume = volume_so_far;
}

TestSuite(watch, .init = set_hooks, .timeout = 60);

static struct policy policy_of(const char *text)
{
    struct policy policy;
    size_t where;
    cr_assert_eq(policy_parse(text, &policy, &where), POLICY_OK, "%s", text);
    return policy;
}

static void watch_for(const char *text)
{
    struct policy policy = policy_of(text);
    cr_assert(watch_set(&policy));
}

static void wait_for(uint32_t wanted)
{
    uint64_t until = os_now_ms() + LONG_MS;
    while (made() < wanted && os_now_ms() < until)
        usleep(1000);
    cr_assert_geq(made(), wanted);
}

static void wait_for_threads(unsigned wanted)
{
    uint64_t until = os_now_ms() + LONG_MS;
    while (os_threads() != wanted && os_now_ms() < until)
        usleep(1000);
    cr_assert_eq(os_threads(), wanted);
}

static void pass_ms(unsigned ms)
{
    uint64_t until = os_now_ms() + ms;
    while (os_now_ms() < until)
        usleep(1000);
}

/* -- the thread -------------------------------------------------------------------------------- */

Test(watch, no_thread_is_made_for_what_nobody_has_to_watch)
{
    unsigned before = os_threads();
    watch_for("objects:700/10/10+bytes:1M+growth:100%+exit+exhaustion+user");
    watch_needed();
    cr_assert_eq(os_threads(), before);
    cr_assert_not(watch_missing);
}

Test(watch, a_plan_waits_until_it_is_needed)
{
    unsigned before = os_threads();
    struct policy policy = policy_of("interval:1ms");
    watch_plan(&policy);
    cr_assert(watch_missing);
    pass_ms(30);
    cr_assert_eq(os_threads(), before);
    cr_assert_eq(made(), 0);
    watch_needed();
    cr_assert_not(watch_missing);
    wait_for(2);
    cr_assert_eq(os_threads(), before + 1);
}

Test(watch, the_thread_ends_with_the_policy_and_comes_back_with_the_next)
{
    unsigned before = os_threads();
    for (unsigned round = 0; round < 20; round++) {
        watch_for("interval:1ms");
        cr_assert_eq(os_threads(), before + 1);
        wait_for(made() + 1);
        watch_for("");
        wait_for_threads(before);
        uint32_t then = made();
        pass_ms(5);
        cr_assert_eq(made(), then);
    }
}

Test(watch, one_thread_serves_every_policy_that_follows)
{
    watch_for("interval:1ms");
    wait_for(1);
    int first = collector;
    unsigned threads = os_threads();
    watch_for("interval:2ms+idle:1h");
    wait_for(made() + 2);
    cr_assert_eq(collector, first);
    cr_assert_eq(os_threads(), threads);
}

Test(watch, it_collects_as_one_of_the_programs_threads_and_waits_as_one_of_ours)
{
    watch_for("interval:20ms");
    wait_for(1);
    cr_assert_neq(collector, os_thread_id());
    cr_assert_not(collector_ours);
    uint64_t until = os_now_ms() + LONG_MS;
    while (!os_thread_is_ours(collector) && os_now_ms() < until)
        usleep(100);
    cr_assert(os_thread_is_ours(collector));
}

static void stay(void *go)
{
    while (__atomic_load_n((uint32_t *)go, __ATOMIC_ACQUIRE) == 0)
        os_wait(go, 0, 1000);
}

Test(watch, a_thread_that_cannot_be_made_leaves_the_old_set)
{
    uint32_t go = 0;
    struct policy policy = policy_of("interval:1ms");
    watch_for("user");
    while (os_thread_start(stay, &go))           /* until there is no room for one more */
        ;
    cr_assert_not(watch_set(&policy));
    cr_assert_not(watch_missing);
    pass_ms(20);
    cr_assert_eq(made(), 0);
    __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
    os_wake(&go, UINT32_MAX);
    uint64_t until = os_now_ms() + LONG_MS;
    while (!watch_set(&policy) && os_now_ms() < until)
        usleep(1000);
    wait_for(1);
}

/* -- what it watches --------------------------------------------------------------------------- */

Test(watch, an_interval_comes_again_and_again)
{
    uint64_t start = os_now_ms();
    watch_for("interval:50ms");
    wait_for(4);
    cr_assert_geq(os_now_ms() - start, 190);
    cr_assert_eq(generations, 2 * (int)made());
    for (unsigned i = 0; i < 4; i++)
        cr_assert_str_eq(reasons[i], "interval");
}

Test(watch, a_new_interval_counts_from_when_it_is_set)
{
    watch_for("interval:1h");
    pass_ms(20);
    cr_assert_eq(made(), 0);
    watch_for("interval:1ms");
    wait_for(1);
    watch_for("interval:1h");
    pass_ms(20);                                 /* one that was under way may still be counted */
    uint32_t then = made();
    pass_ms(50);
    cr_assert_eq(made(), then);
}

Test(watch, idle_is_told_once_for_each_quiet_time)
{
    watch_for("idle:40ms");
    wait_for(1);
    cr_assert_str_eq(reasons[0], "idle");
    pass_ms(1300);                               /* beyond the next look */
    cr_assert_eq(made(), 1);
    __atomic_fetch_add(&volume, 1, __ATOMIC_RELAXED);
    wait_for(2);
    pass_ms(1300);
    cr_assert_eq(made(), 2);
}

Test(watch, a_program_that_allocates_is_not_idle)
{
    watch_for("idle:400ms");
    for (unsigned i = 0; i < 200; i++) {
        __atomic_fetch_add(&volume, 1, __ATOMIC_RELAXED);
        pass_ms(5);
    }
    uint32_t meanwhile = made();
    wait_for(meanwhile + 1);
    cr_assert_eq(meanwhile, 0);
}

static uint32_t theirs;

static void on_theirs(int number)
{
    theirs += (uint32_t)number;
}

Test(watch, a_signal_collects_and_is_given_back)
{
    cr_assert_neq(signal(SIGUSR1, on_theirs), SIG_ERR);
    watch_for("signal:USR1");
    for (uint32_t round = 0; round < 5; round++) {
        kill(getpid(), SIGUSR1);
        wait_for(round + 1);
    }
    cr_assert_eq(theirs, 0);
    cr_assert_str_eq(reasons[4], "signal");
    watch_for("signal:USR2");
    raise(SIGUSR1);
    cr_assert_eq(theirs, SIGUSR1);
    raise(SIGUSR2);
    wait_for(6);
    watch_for("");
    raise(SIGUSR1);
    cr_assert_eq(theirs, 2 * SIGUSR1);
    cr_assert_eq(signal(SIGUSR2, SIG_IGN), SIG_DFL);
    pass_ms(20);
    cr_assert_eq(made(), 6);
}

Test(watch, a_signal_the_program_takes_back_stays_the_programs)
{
    watch_for("signal:USR1");
    cr_assert_neq(signal(SIGUSR1, on_theirs), SIG_ERR);
    watch_for("");
    raise(SIGUSR1);
    cr_assert_eq(theirs, SIGUSR1);
}

Test(watch, a_planned_signal_is_the_programs_until_it_is_needed)
{
    struct policy policy = policy_of("signal:USR1");
    cr_assert_neq(signal(SIGUSR1, on_theirs), SIG_ERR);
    watch_plan(&policy);
    raise(SIGUSR1);
    cr_assert_eq(theirs, SIGUSR1);
    watch_needed();
    raise(SIGUSR1);
    cr_assert_eq(theirs, SIGUSR1);
    wait_for(1);
}

Test(watch, pressure_is_watched_for_quietly)
{
    watch_for("pressure+interval:5ms");
    wait_for(5);
    watch_for("pressure");
    pass_ms(50);
    watch_for("");
}

/* -- fork -------------------------------------------------------------------------------------- */

static int status_of(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status), "the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static int in_child(void)
{
    collections = 0;
    if (os_threads() != 1 || !watch_missing)
        return 1;
    usleep(20000);
    if (made() != 0)
        return 2;
    watch_needed();
    for (unsigned i = 0; made() < 2 && i < LONG_MS; i++)
        usleep(1000);
    return made() < 2 ? 3 : 0;
}

Test(watch, a_forked_child_makes_its_own_when_it_needs_one, .disabled = THREAD_SANITIZER)
{
    watch_for("interval:1ms");
    for (unsigned round = 0; round < 20; round++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(in_child());
        cr_assert_eq(status_of(pid), 0);
    }
    wait_for(made() + 1);
}

static bool may_park(void)
{
    return true;
}

static int stop_often(void)
{
    struct policy policy = policy_of("interval:1ms");
    collections = 0;
    takes_us = 700;
    if (!watch_set(&policy))
        return 1;
    for (unsigned round = 0; round < 300; round++) {
        if (!lock_take(&world_lock) || !world_stop(may_park))
            return 2;
        uint32_t then = made();
        usleep(1500);
        if (made() != then)
            return 3;
        world_resume();
        lock_give(&world_lock);
        usleep(round * 10);
    }
    for (unsigned i = 0; made() < 1 && i < LONG_MS; i++)
        usleep(1000);
    return made() < 1 ? 4 : 0;
}

/* Whatever the thread is doing, it stands still then, or does nothing that matters. In a child: of
 * the threads Criterion brings one blocks every signal, and cannot be stopped. */
Test(watch, the_world_can_be_stopped_at_any_moment_of_it, .disabled = THREAD_SANITIZER)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(stop_often());
    cr_assert_eq(status_of(pid), 0);
}

/* Policies change on one thread while the other forks: no child finds one half written. Not built
 * for a sanitizer: a thread that begins in the child frees a block of theirs, by a lock that the
 * other thread may have held at the fork, and waits for ever (gcc 12). */
#if !ADDRESS_SANITIZER && !THREAD_SANITIZER
static uint32_t enough;

static void *change(void *unused)
{
    static const char *const sets[] = { "interval:1ms", "", "idle:1ms+interval:3ms", "user" };
    for (unsigned i = 0; !__atomic_load_n(&enough, __ATOMIC_ACQUIRE); i++)
        watch_for(sets[i % COUNT_OF(sets)]);
    return unused;
}

Test(watch, forks_amid_changes_leave_a_child_that_works)
{
    pthread_t changer;
    cr_assert_eq(pthread_create(&changer, NULL, change, NULL), 0);
    for (unsigned round = 0; round < 200; round++) {
        pid_t pid = fork();
        if (pid == 0) {
            struct policy policy = policy_of("interval:1ms");
            collections = 0;
            if (!watch_set(&policy))
                _exit(1);
            for (unsigned i = 0; made() < 1 && i < LONG_MS; i++)
                usleep(1000);
            _exit(made() < 1 ? 2 : 0);
        }
        cr_assert_eq(status_of(pid), 0);
    }
    __atomic_store_n(&enough, 1, __ATOMIC_RELEASE);
    pthread_join(changer, NULL);
}
#endif
