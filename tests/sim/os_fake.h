/* os_fake.h - the ground under the simulator: os.h, strict and obedient.
 * Job      Real memory behind every call, and a book of it: what the contract of os.h forbids (a
 *          commit outside a reservation, a purge of what is not committed, a size that is no whole
 *          page) ends the test with a sentence. Refuses what the plan says; charges what a strict
 *          system charges. Locks know their ranks; where a thread would hang on itself, it dies.
 * Locking  none: one thread.
 */
#ifndef MIDDEN_TESTS_SIM_OS_FAKE_H
#define MIDDEN_TESTS_SIM_OS_FAKE_H

#include "os/os.h"

enum fake_call {
    FAKE_RESERVE, FAKE_COMMIT, FAKE_CLAIM, FAKE_VACANT, FAKE_PURGE, FAKE_HUGE, FAKE_MOVE,
    FAKE_CALLS
};

struct fake {
    /* the machine */
    size_t page_bytes, huge_bytes, ram_bytes;
    size_t space_limit_bytes;                    /* RLIMIT_AS: every mapping is charged */
    size_t commit_limit_bytes;                   /* overcommit_memory=2: the writable is charged */
    size_t reserve_limit_bytes;                  /* a larger reservation is refused */
    bool   locked;                               /* mlockall: no purge succeeds */

    /* the plan: calls [fail_first, fail_first + fail_count) are refused */
    size_t fail_first, fail_count;
    void (*interrupt)(void);                     /* runs inside every call and lock: a signal */

    /* the book */
    size_t calls, refused;                       /* that could be refused; that were */
    size_t mapped_bytes, committed_bytes;
    size_t calls_of[FAKE_CALLS];
    bool   interrupted;                          /* a handler is running */
};
extern struct fake fake;

_Noreturn void fake_die(const char *format, ...) PRINTF(1, 2);
extern void (*fake_last_words)(void);            /* what fake_die says behind its sentence */
bool fake_is_committed(word at, size_t bytes);
size_t fake_locks_held(void);

#endif
