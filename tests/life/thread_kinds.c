/* thread_kinds.c - threads that no pthread_create of the program's made: C11 threads, timers,
 *      asynchronous input. */
#include "../trap/tap.h"

#include <aio.h>
#include <signal.h>
#include <threads.h>
#include <time.h>

static int fired, bad;

static int by_c11(void *seed)
{
    return churn((unsigned)(uintptr_t)seed, 1000);
}

static void c11_point(void)
{
    thrd_t thread[8];
    int    wrong = 0;

    for (long i = 0; i < 8; i++)
        wrong += thrd_create(&thread[i], by_c11, (void *)i) != thrd_success;
    for (int i = 0; i < 8; i++) {
        int result = 1;

        thrd_join(thread[i], &result);
        wrong += result;
    }
    check(wrong == 0, "C11 threads churn");
}

static void on_timer(union sigval value)
{
    if (churn((unsigned)value.sival_int, 300) != 0)
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
}

static void timer_point(void)
{
    struct sigevent   event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer };
    struct itimerspec often = { { 0, 2000000 }, { 0, 2000000 } };
    timer_t           timer;

    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &often, NULL);
    for (int i = 0; i < 5000 && __atomic_load_n(&fired, __ATOMIC_RELAXED) < 50; i++) {
        bad += churn((unsigned)i, 100);
        usleep(200);
    }
    timer_delete(timer);
    check(fired >= 50 && bad == 0, "threads of a timer churn beside the first");
}

static void aio_point(void)
{
    struct aiocb request = { .aio_fildes = open("/proc/self/exe", O_RDONLY), .aio_nbytes = 4 };
    const struct aiocb *const all[] = { &request };

    request.aio_buf = malloc(4);
    aio_read(&request);
    while (aio_error(&request) == EINPROGRESS)
        aio_suspend(all, 1, NULL);
    check(aio_return(&request) == 4 && !memcmp((char *)request.aio_buf, "\177ELF", 4),
        "asynchronous input into a block");
    free((void *)request.aio_buf);
    close(request.aio_fildes);
}

int main(void)
{
    c11_point();
    timer_point();
    aio_point();
    return done();
}
