/* sandbox.c - after start-up only memory and futex calls are needed: every other one ends the
 *      process.
 *      Then a filter that refuses, rather than kills: what is refused is done without.
 */
#include "tap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int needed[] = {
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_mremap, SYS_brk, SYS_futex, SYS_write,
        SYS_exit, SYS_exit_group,
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_restart_syscall,
};
enum { NEEDED = sizeof needed / sizeof *needed, THREADS = 3 };

static pthread_barrier_t gate;
static int               bad;
static void             *ring[256];

/* These calls pass; all others end as the action says. */
static int install(const int *calls, int count, unsigned action)
{
    struct sock_filter step[NEEDED + 4];
    struct sock_fprog  program = { 0, step };
    int                at = 0;

    step[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
        offsetof(struct seccomp_data, nr));
    for (int i = 0; i < count; i++)
        step[at++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], (unsigned char)(count - i), 0);
    step[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    step[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    program.len = (unsigned short)at;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

/* Blocks go from thread to thread through the ring. */
static void work(unsigned seed)
{
    unsigned state = seed + 1;

    for (int i = 0; i < 20000; i++) {
        size_t bytes = random_bytes(&state) + 1;
        char  *p = malloc(bytes);

        if (!p) {
            __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
            continue;
        }
        p[0] = 1;
        free(__atomic_exchange_n(&ring[next_random(&state) % 256], p, __ATOMIC_ACQ_REL));
    }
    if (churn(seed, 5000) != 0)
        __atomic_add_fetch(&bad, 1, __ATOMIC_RELAXED);
}

static void *run(void *seed)
{
    free(hide(malloc(10)));
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    work((unsigned)(uintptr_t)seed);
    pthread_barrier_wait(&gate);
    return NULL;
}

/* As a child: threads, then the filter, then work. 0, or what went wrong. */
static int in_sandbox(void *unused)
{
    pthread_t thread;

    pthread_barrier_init(&gate, NULL, THREADS + 1);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, run, (void *)i);
    pthread_barrier_wait(&gate);
    if (install(needed, NEEDED, SECCOMP_RET_KILL_PROCESS) != 0)
        return 77;
    pthread_barrier_wait(&gate);
    work(99);
    pthread_barrier_wait(&gate);
    malloc_trim(0);
    hide(unused);
    return bad ? 1 : 0;
}

/* Large blocks grow, shrink, come back as zeroes. */
static int large_blocks(void)
{
    int wrong = 0;

    for (size_t n = 1 << 20; n < (size_t)1 << 27; n *= 2) {
        char *p = malloc(n);

        memset(p, 1, n);
        p = realloc(p, n * 2);
        wrong += !p || p[n - 1] != 1;
        p = realloc(p, n / 2);
        free(p);
        p = calloc(1, n);
        wrong += !p || !is_zero(p, n);
        free(p);
    }
    return wrong;
}

/* madvise, mremap and all others fail; mapping, futex and exit are left. */
static int refused(void *unused)
{
    static const int few[] = { SYS_mmap, SYS_munmap, SYS_mprotect, SYS_futex, SYS_write, SYS_exit,
        SYS_exit_group };

    if (install(few, sizeof few / sizeof *few, SECCOMP_RET_ERRNO | EPERM) != 0)
        return 77;
    work(5);
    malloc_trim(0);
    hide(unused);
    return bad + large_blocks() ? 1 : 0;
}

int main(void)
{
    int status = in_child(in_sandbox, NULL);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip_all("no filter can be installed here");
    check(status == 0, "threads pass blocks on with memory and futex calls only (status %#x)",
        (unsigned)status);
    status = in_child(refused, NULL);
    check(status == 0, "one thread works when all but mapping is refused with EPERM (status %#x)",
        (unsigned)status);
    return done();
}
