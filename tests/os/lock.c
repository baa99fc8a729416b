/* lock.c - tests of the locks of os.h. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "os/os.h"

enum { THREADS = 6, ROUNDS = 20000 };

static struct lock lock;
static size_t guarded;                           /* written under the lock, by plain stores */
static bool told;

static void *add(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < ROUNDS; i++) {
        cr_assert(lock_take(&lock));
        guarded++;
        lock_give(&lock);
    }
    return NULL;
}

Test(lock, one_thread_at_a_time_holds_it)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add, NULL);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(guarded, (size_t)THREADS * ROUNDS);
    cr_assert_eq(lock.state, 0);
}

Test(lock, all_zero_is_free_and_so_it_is_after_a_give)
{
    cr_assert(lock_try(&lock));
    cr_assert_neq(lock.state, 0);
    lock_give(&lock);
    cr_assert_eq(lock.state, 0);
    cr_assert(lock_take(&lock));
    lock_give(&lock);
}

Test(lock, who_holds_it_is_told_instead_of_hanging)
{
    cr_assert(lock_take(&lock));
    cr_assert_not(lock_take(&lock));
    cr_assert_not(lock_try(&lock));
    cr_assert(lock_is_mine(&lock));
    lock_give(&lock);
    cr_assert_not(lock_is_mine(&lock));
    cr_assert(lock_take(&lock));
}

static void ask(int signal)
{
    (void)signal;
    told = !lock_take(&lock);
}

Test(lock, a_handler_above_the_holder_is_told, .timeout = 10)
{
    signal(SIGUSR1, ask);
    cr_assert(lock_take(&lock));
    raise(SIGUSR1);
    cr_assert(told);
    lock_give(&lock);
    cr_assert_eq(lock.state, 0);
}

static void *try_only(void *unused)
{
    (void)unused;
    return lock_try(&lock) || lock_is_mine(&lock) ? (void *)1 : NULL;
}

Test(lock, another_thread_does_not_get_what_is_held)
{
    pthread_t other;
    void *got;
    cr_assert(lock_take(&lock));
    pthread_create(&other, NULL, try_only, NULL);
    pthread_join(other, &got);
    cr_assert_null(got);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

static void *wait_and_note(void *unused)
{
    (void)unused;
    cr_assert(lock_take(&lock));
    guarded++;
    lock_give(&lock);
    return NULL;
}

/* Long enough for every waiter to have fallen asleep: each give must wake the next. */
Test(lock, sleepers_are_woken_one_by_one, .timeout = 30)
{
    pthread_t threads[THREADS];
    cr_assert(lock_take(&lock));
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, wait_and_note, NULL);
    pause_ms(100);
    cr_assert_eq(__atomic_load_n(&guarded, __ATOMIC_RELAXED), 0);
    cr_assert_eq(__atomic_load_n(&lock.state, __ATOMIC_RELAXED) & 1, 1, "somebody sleeps");
    cr_assert_not(lock_take(&lock), "the holder is known while others sleep");
    lock_give(&lock);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(guarded, THREADS);
    cr_assert_eq(lock.state, 0);
}

static void *take_and_leave(void *unused)
{
    (void)unused;
    cr_assert(lock_take(&lock));
    return NULL;
}

Test(lock, a_forked_child_frees_it_whoever_held_it)
{
    pthread_t other;
    pthread_create(&other, NULL, take_and_leave, NULL);
    pthread_join(other, NULL);
    cr_assert_not(lock_try(&lock));
    lock_reset(&lock);
    cr_assert(lock_take(&lock));
    lock_give(&lock);
}
