/* thread.c - helper threads, sleep and wake, processors, memory pressure.
 * Job         The few threads midden makes for itself, and what they sit and wait for. The table
 *             of helpers says which threads of this process are none of the program's.
 * Invariants  T1  a slot holds 0, or STARTING from before the thread is made until it knows its
 *                 number, or the number of a helper that lives
 *             T2  a helper blocks every signal but those a thread brings upon itself, and the two
 *                 the C library keeps for its own use: without the second of them setuid would
 *                 wait for this thread for ever
 * Locking     none: a slot is claimed by compare-and-swap.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "os/os.h"
#include "os/linux_call.h"
#include "base/bits.h"
#include "base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

enum {
    HELPERS = 96,
    STACK_BYTES = 256 << 10,
    STARTING_MS = 50,                            /* that a stop waits for a helper's number */
    PRESSURE_US = 100000,                        /* of stall within a window */
    WINDOW_MS = 2000,  /* a multiple of 2 s is what the kernel grants without privilege */
};
#define STARTING    UINT32_MAX
#define BIT(signal) ((uint64_t)1 << ((signal) - 1))

struct helper {
    uint32_t tid;                                /* see T1 */
    void   (*run)(void *);
    void    *arg;
};
static struct helper helpers[HELPERS];

/* -- sleep and wake ---------------------------------------------------------------------------- */

void os_wait(const uint32_t *at, uint32_t seen, uint32_t ms)
{
    struct timespec limit = { ms / 1000, (long)(ms % 1000) * 1000000 };
    call4(SYS_futex, at, FUTEX_WAIT_PRIVATE, seen, ms != 0 ? &limit : NULL);
}

void os_wake(uint32_t *at, unsigned count)
{
    call3(SYS_futex, at, FUTEX_WAKE_PRIVATE, count < INT_MAX ? count : INT_MAX);
}

uint64_t os_now_ns(void)
{
    struct timespec now = { 0, 0 };
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* -- helpers ----------------------------------------------------------------------------------- */

static uint64_t mask_set(uint64_t mask)          /* the mask before */
{
    uint64_t before = 0;
    call4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof mask);
    return before;
}

static uint64_t mask_of_helper(void)
{
    enum { FIRST_OF_LIBC = 32, SECOND_OF_LIBC = 33 };
    return ~(BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS) |
             BIT(FIRST_OF_LIBC) | BIT(SECOND_OF_LIBC));
}

static struct helper *helper_claim(void)
{
    for (size_t i = 0; i < HELPERS; i++) {
        uint32_t none = 0;
        if (__atomic_compare_exchange_n(&helpers[i].tid, &none, STARTING, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return &helpers[i];
    }
    return NULL;
}

static struct helper *helper_of(uint32_t tid)
{
    for (size_t i = 0; i < HELPERS; i++)
        if (__atomic_load_n(&helpers[i].tid, __ATOMIC_ACQUIRE) == tid)
            return &helpers[i];
    return NULL;
}

static void helper_set(struct helper *helper, uint32_t tid)
{
    __atomic_store_n(&helper->tid, tid, __ATOMIC_RELEASE);
    os_wake(&helper->tid, UINT_MAX);
}

/* A helper that has shown itself has no slot any more. */
static void *helper_main(void *slot)
{
    struct helper *helper = slot;
    void (*run)(void *) = helper->run;
    void *arg = helper->arg;
    call2(SYS_prctl, PR_SET_NAME, "midden");
    helper_set(helper, (uint32_t)os_thread_id());
    run(arg);
    helper = helper_of((uint32_t)os_thread_id());
    if (helper != NULL)
        helper_set(helper, 0);
    return NULL;
}

/* A program with much static thread-local data needs a larger stack for that alone. */
static bool thread_make(struct helper *helper)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int error = pthread_create(&thread, &attributes, helper_main, helper);
    if (error == EINVAL) {
        pthread_attr_destroy(&attributes);
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        error = pthread_create(&thread, &attributes, helper_main, helper);
    }
    pthread_attr_destroy(&attributes);
    return error == 0;
}

/* The mask is inherited. It also keeps this thread from being stopped half way: whoever stops the
 * world and meets the new thread waits for its number. */
bool os_thread_start(void (*run)(void *), void *arg)
{
    struct helper *helper = helper_claim();
    if (helper == NULL)
        return false;
    helper->run = run;
    helper->arg = arg;
    uint64_t mask = mask_set(mask_of_helper());
    bool made = thread_make(helper);
    if (!made)
        helper_set(helper, 0);
    while (made && __atomic_load_n(&helper->tid, __ATOMIC_ACQUIRE) == STARTING)
        os_wait(&helper->tid, STARTING, 0);
    mask_set(mask);
    return made;
}

bool os_thread_is_ours(int tid)
{
    for (unsigned ms = 0; ms < STARTING_MS; ms++) {
        if (helper_of((uint32_t)tid) != NULL)
            return true;
        struct helper *starting = helper_of(STARTING);
        if (starting == NULL)
            return false;
        os_wait(&starting->tid, STARTING, 1);
    }
    return false;
}

void os_thread_show(int signal)
{
    uint64_t bit = signal > 0 ? BIT(signal) : 0;
    struct helper *helper = helper_of((uint32_t)os_thread_id());
    call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &bit, 0, sizeof bit);
    if (helper != NULL)
        helper_set(helper, 0);
}

void os_thread_hide(void)
{
    struct helper *helper = helper_claim();
    if (helper == NULL)                          /* all places are taken: it stays as it is */
        return;
    mask_set(mask_of_helper());
    helper_set(helper, (uint32_t)os_thread_id());
}

void os_threads_forget(void)
{
    for (size_t i = 0; i < HELPERS; i++)
        __atomic_store_n(&helpers[i].tid, 0, __ATOMIC_RELAXED);
}

unsigned os_processors(void)
{
    uint64_t mask[128];                          /* kernels are built for 8192 at most */
    long bytes = call3(SYS_sched_getaffinity, 0, sizeof mask, mask);
    unsigned count = 0;
    for (long i = 0; !call_failed(bytes) && i < bytes / 8; i++)
        count += bit_count(mask[i]);
    return count != 0 ? count : 1;
}

/* -- memory pressure --------------------------------------------------------------------------- */

#define PRESSURE_FILE "/proc/pressure/memory"

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=3330395": microseconds since the system started in
 * which at least one task waited for memory. UINT64_MAX: not told. */
static uint64_t stalled_us(void)
{
    char text[256];
    uint64_t us = 0;
    const char *at = text;
    os_read_file(PRESSURE_FILE, text, sizeof text);
    while (*at != '\0' && !text_starts(at, "total="))
        at++;
    if (*at == '\0' || !text_starts(text, "some "))
        return UINT64_MAX;
    for (at += 6; *at >= '0' && *at <= '9'; at++)
        us = us * 10 + (uint64_t)(*at - '0');
    return us;
}

static uint64_t inode_of(int fd)                 /* 0: no file is open there */
{
    struct stat status;
    return call_failed(call2(SYS_fstat, fd, &status)) ? 0 : (uint64_t)status.st_ino;
}

/* The descriptor lies high, where programs that count their own do not meet it. -1: refused. */
static int trigger_make(void)
{
    static const char trigger[] = "some 100000 2000000";
    long fd = call4(SYS_openat, AT_FDCWD, PRESSURE_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
    if (call_failed(fd))
        return -1;
    int high = os_duplicate((int)fd);
    call1(SYS_close, fd);
    if (high >= 0 && call_failed(call3(SYS_write, high, trigger, sizeof trigger))) {
        call1(SYS_close, high);
        high = -1;
    }
    return high;
}

bool os_pressure_open(struct os_pressure *pressure)
{
    *pressure = (struct os_pressure){ .fd = trigger_make(), .since_ms = os_now_ms() };
    pressure->stalled_us = stalled_us();
    pressure->inode = inode_of(pressure->fd);
    return pressure->fd >= 0 || pressure->stalled_us != UINT64_MAX;
}

/* The same question as the trigger's, asked of the sum the file gives. */
static bool stalled_since(struct os_pressure *pressure)
{
    uint64_t now_ms = os_now_ms();
    if (now_ms - pressure->since_ms < WINDOW_MS)
        return false;
    uint64_t before = pressure->stalled_us, now = stalled_us();
    pressure->stalled_us = now;
    pressure->since_ms = now_ms;
    return before != UINT64_MAX && now != UINT64_MAX && now > before &&
           now - before >= PRESSURE_US;
}

/* Programs close descriptors that are not theirs, and what they open next may get the number. */
static bool trigger_holds(const struct os_pressure *pressure)
{
    return pressure->fd >= 0 && inode_of(pressure->fd) == pressure->inode;
}

bool os_pressure_rises(struct os_pressure *pressure)
{
    struct pollfd poll = { pressure->fd, POLLPRI, 0 };
    struct timespec at_once = { 0, 0 };
    if (!trigger_holds(pressure))
        return stalled_since(pressure);
    long ready = call5(SYS_ppoll, &poll, 1, &at_once, 0, 0);
    return ready > 0 && (poll.revents & (POLLPRI | POLLERR)) == POLLPRI;
}

void os_pressure_close(struct os_pressure *pressure)
{
    if (trigger_holds(pressure))
        call1(SYS_close, pressure->fd);
    pressure->fd = -1;
}
