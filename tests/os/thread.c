/* thread.c - tests of the helper threads of os.h. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "os/os.h"

enum { LONG_MS = 10000 };

static uint32_t go, arrived, left;
static int      helper_thread;
static sigset_t helper_mask;
static char     helper_name[16];

static void count(uint32_t *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST);
    os_wake(what, 100);
}

static void wait_until(uint32_t *what, uint32_t wanted)
{
    for (;;) {
        uint32_t now = __atomic_load_n(what, __ATOMIC_SEQ_CST);
        if (now >= wanted)
            return;
        os_wait(what, now, LONG_MS);
    }
}

static void stay(void *arg)
{
    cr_assert_eq(arg, (void *)&go);
    helper_thread = os_thread_id();
    pthread_sigmask(SIG_BLOCK, NULL, &helper_mask);
    prctl(PR_GET_NAME, helper_name);
    count(&arrived);
    wait_until(&go, 1);
    count(&left);
}

static void start_one(void)
{
    cr_assert(os_thread_start(stay, &go));
    wait_until(&arrived, 1);
}

static void end_one(void)
{
    count(&go);
    wait_until(&left, 1);
    for (unsigned i = 0; os_thread_is_ours(helper_thread) && i < LONG_MS; i++)
        usleep(1000);
}

Test(thread, a_helper_is_ours_while_it_lives, .timeout = 30)
{
    start_one();
    cr_assert_neq(helper_thread, os_thread_id());
    cr_assert(os_thread_is_ours(helper_thread));
    cr_assert_not(os_thread_is_ours(os_thread_id()));
    cr_assert_str_eq(helper_name, "midden");
    end_one();
    cr_assert_not(os_thread_is_ours(helper_thread));
}

Test(thread, no_signal_for_the_program_reaches_a_helper, .timeout = 30)
{
    static const int open[] = {
        SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGKILL, SIGSTOP,
    };
    sigset_t before, after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    start_one();
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number <= SIGRTMAX; number++) {
        cr_assert_eq(sigismember(&before, number), sigismember(&after, number), "the maker's own");
        bool blocked = number < 32 || number >= SIGRTMIN;
        for (size_t i = 0; i < COUNT_OF(open); i++)
            blocked = blocked && number != open[i];
        cr_assert_eq(sigismember(&helper_mask, number) == 1, blocked, "signal %d", number);
    }
    end_one();
}

/* The C library has each thread change its own identity, by a signal, and waits for all. */
Test(thread, a_program_changes_its_identity_with_a_helper_there, .timeout = 30)
{
    start_one();
    cr_assert_eq(setgid(getgid()), 0);
    end_one();
}

static void show_and_hide(void *unused)
{
    sigset_t mask;
    (void)unused;
    helper_thread = os_thread_id();
    os_thread_show(SIGRTMAX);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    cr_assert_eq(sigismember(&mask, SIGRTMAX), 0);
    cr_assert_eq(sigismember(&mask, SIGRTMAX - 1), 1);
    cr_assert_not(os_thread_is_ours(helper_thread));
    os_thread_show(SIGRTMAX);
    os_thread_hide();
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    cr_assert_eq(sigismember(&mask, SIGRTMAX), 1);
    cr_assert(os_thread_is_ours(helper_thread));
    os_thread_show(0);
    count(&left);
}

Test(thread, a_helper_that_shows_itself_is_the_programs_until_it_hides, .timeout = 30)
{
    cr_assert(os_thread_start(show_and_hide, NULL));
    wait_until(&left, 1);
    cr_assert_not(os_thread_is_ours(helper_thread));
}

/* More than there is room for; what is refused is refused, and when they end there is room. */
Test(thread, helpers_are_bounded, .timeout = 60)
{
    uint32_t made = 0;
    while (made < 1000 && os_thread_start(stay, &go))
        made++;
    cr_assert_geq(made, 64, "as many as may mark");
    cr_assert_lt(made, 1000);
    wait_until(&arrived, made);
    count(&go);
    wait_until(&left, made);
    go = arrived = left = 0;
    for (unsigned i = 0; os_thread_is_ours(helper_thread) && i < LONG_MS; i++)
        usleep(1000);
    start_one();
    end_one();
}

Test(thread, a_forked_child_has_no_helpers, .timeout = 30, .disabled = THREAD_SANITIZER)
{
    int status;
    start_one();
    pid_t pid = fork();
    if (pid == 0) {
        os_threads_forget();
        _exit(os_thread_is_ours(helper_thread));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    end_one();
}

Test(thread, a_wait_ends_by_time_by_change_or_not_at_all, .timeout = 30)
{
    uint32_t at = 7;
    uint64_t before = os_now_ns();
    os_wait(&at, 8, 0);                          /* it is another already */
    cr_assert_lt(os_now_ns() - before, 1000000000u);
    before = os_now_ns();
    os_wait(&at, 7, 30);
    cr_assert_geq(os_now_ns() - before, 29000000u);
    os_wake(&at, 1);                             /* nobody is there */
}

Test(thread, the_clock_is_that_of_the_system_and_goes_forward)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t first = os_now_ns(), wanted = (uint64_t)now.tv_sec * 1000000000 +
                                           (uint64_t)now.tv_nsec;
    cr_assert_geq(first, wanted);
    cr_assert_lt(first - wanted, 10000000000u);
    cr_assert_geq(os_now_ns(), first);
}

Test(thread, processors_are_those_this_thread_may_use)
{
    cpu_set_t all, one;
    cr_assert_eq(sched_getaffinity(0, sizeof all, &all), 0);
    cr_assert_eq(os_processors(), (unsigned)CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
    cr_assert_eq(os_processors(), 1);
}

Test(thread, pressure_is_told_where_the_kernel_has_it_and_its_descriptor_may_be_lost)
{
    struct os_pressure pressure;
    bool there = access("/proc/pressure/memory", R_OK) == 0;
    bool opened = os_pressure_open(&pressure);
    cr_assert(!opened || there);
    if (!opened)
        return;
    cr_assert(pressure.fd == -1 || pressure.fd >= 100);
    for (unsigned i = 0; i < 3; i++)
        os_pressure_rises(&pressure);
    if (pressure.fd >= 0) {                      /* closed, and a file of the program is there */
        int other = open("/dev/null", 0);
        cr_assert_eq(dup2(other, pressure.fd), pressure.fd);
        os_pressure_rises(&pressure);
        int number = pressure.fd;
        os_pressure_close(&pressure);
        cr_assert_eq(fcntl(number, F_GETFD), 0, "the program's file stays open");
    }
    cr_assert_eq(pressure.fd, -1);
    os_pressure_close(&pressure);
}
