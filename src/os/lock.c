/* lock.c - a futex lock that knows its holder.
 * Job      Short critical sections on slow paths. Spins a little, then sleeps. A thread that asks
 *          for what it holds (a signal handler above the holder) is refused, so nothing ever hangs
 *          on itself. Holder and state are one word: there is no moment at which the lock is held
 *          and does not say by whom.
 * Source   the three-state mutex of U. Drepper, "Futexes are tricky", 2011, section 6, with the tag
 *          in place of "1".
 */
#include "os/os.h"
#include "os/linux_call.h"
#include "base/check.h"

#include <linux/futex.h>

enum { SPINS = 64 };
#define SLEEPERS ((uint32_t)1)
#define TAKEN    ((uint32_t)1 << 31)

/* Thread pointers lie pages apart, so their page numbers tell threads apart; two that agree in the
 * thirty bits kept lie terabytes apart. */
static uint32_t tag_of_self(void)
{
    return (uint32_t)((word)__builtin_thread_pointer() >> 12) << 1 | TAKEN;
}

void os_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("yield");
#endif
}

static bool swap(struct lock *lock, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&lock->state, &from, to, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

bool lock_try(struct lock *lock)
{
    return swap(lock, 0, tag_of_self());
}

bool lock_is_mine(const struct lock *lock)
{
    return (__atomic_load_n(&lock->state, __ATOMIC_RELAXED) & ~SLEEPERS) == tag_of_self();
}

static COLD bool lock_take_slow(struct lock *lock)
{
    uint32_t self = tag_of_self();
    for (unsigned spin = 0;; spin++) {
        uint32_t seen = __atomic_load_n(&lock->state, __ATOMIC_RELAXED);
        if ((seen & ~SLEEPERS) == self)
            return false;
        if (seen == 0) {
            if (swap(lock, 0, spin < SPINS ? self : self | SLEEPERS))
                return true;
        } else if (spin < SPINS) {
            os_pause();
        } else if ((seen & SLEEPERS) || swap(lock, seen, seen | SLEEPERS)) {
            call4(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, seen | SLEEPERS, 0);
        }
    }
}

void os_yield(void)
{
    call0(SYS_sched_yield);
}

bool lock_take(struct lock *lock)
{
    return LIKELY(lock_try(lock)) || lock_take_slow(lock);
}

void lock_give(struct lock *lock)
{
    ASSERT((__atomic_load_n(&lock->state, __ATOMIC_RELAXED) & ~SLEEPERS) == tag_of_self());
    if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) & SLEEPERS)
        call3(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1);
}

void lock_reset(struct lock *lock)
{
    __atomic_store_n(&lock->state, 0, __ATOMIC_RELEASE);
}
