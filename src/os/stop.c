/* stop.c - threads stopped by a real-time signal, and memory read that may not be there, on Linux.
 * Job      stop.h. The handler makes system calls only, and touches errno by none of them.
 * Locking  `round` and `active` are written by the one who stops; a parked thread waits for `round`
 *          to change and touches its record no more.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1                            /* register names of ucontext */
#endif
#include "os/stop.h"
#include "os/linux_call.h"
#include "base/bits.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/uio.h>
#include <ucontext.h>

enum { HIGHEST_SIGNAL = 64, LOWEST_SIGNAL = 36, RED_ZONE = 128, PIECE = 8192 };

struct os_stopping os_stopping;

/* -- the handler ------------------------------------------------------------------------------- */

/* As the kernel takes it. */
struct action {
    void        (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void        (*restorer)(void);
    uint64_t      mask;
};

#if defined(__x86_64__)
enum { RESTORER_FLAG = 0x04000000 };
void os_stop_restorer(void) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".globl os_stop_restorer\n"
        ".hidden os_stop_restorer\n"
        ".type os_stop_restorer, @function\n"
        "os_stop_restorer:\n"
        "    mov $15, %rax\n"
        "    syscall\n"
        ".size os_stop_restorer, . - os_stop_restorer\n");
#else
enum { RESTORER_FLAG = 0 };
#define os_stop_restorer NULL
#endif

static word stack_of(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (word)context->uc_mcontext.gregs[REG_RSP] - RED_ZONE;
#else
    return (word)context->uc_mcontext.sp;
#endif
}

static void answer(struct os_stop *stop, enum os_stop_state state)
{
    __atomic_store_n(&stop->state, state, __ATOMIC_RELEASE);
    __atomic_fetch_add(&os_stopping.answers, 1, __ATOMIC_RELEASE);
    call3(SYS_futex, &os_stopping.answers, FUTEX_WAKE_PRIVATE, 1);
}

/* The record is looked at only while its stop is under way: a signal that comes late finds another
 * round. */
static struct os_stop *asked_for(const siginfo_t *info)
{
    struct os_stop *stop = info->si_value.sival_ptr;
    bool ours = info->si_code == SI_QUEUE && stop >= os_stopping.first && stop < os_stopping.end &&
                __atomic_load_n(&os_stopping.active, __ATOMIC_ACQUIRE) != 0;
    uint32_t round = __atomic_load_n(&os_stopping.round, __ATOMIC_ACQUIRE);
    return ours && stop->round == round && stop->thread == os_thread_id() ? stop : NULL;
}

/* The registers, and with them the vector state, lie in the frame the kernel pushed, above the
 * handler's own: what is scanned from `parked` upwards holds them. */
static void on_stop(int number, siginfo_t *info, void *context)
{
    (void)number;
    struct os_stop *stop = asked_for(info);
    if (stop == NULL)
        return;
    if (!os_stopping.may_park()) {
        answer(stop, STOP_BUSY);
        return;
    }
    uint32_t round = stop->round;
    stop->parked = (word)__builtin_frame_address(0);
    stop->interrupted = stack_of(context);
    stop->block = os_thread_block();
    answer(stop, STOP_PARKED);
    while (__atomic_load_n(&os_stopping.round, __ATOMIC_ACQUIRE) == round)
        call4(SYS_futex, &os_stopping.round, FUTEX_WAIT_PRIVATE, round, 0);
}

static bool leads_to_us(int number)
{
    struct action action = { 0 };
    return !call_failed(call4(SYS_rt_sigaction, number, 0, &action, sizeof action.mask)) &&
           action.handler == on_stop;
}

static bool is_unused(int number)
{
    struct action action = { 0 };
    return !call_failed(call4(SYS_rt_sigaction, number, 0, &action, sizeof action.mask)) &&
           action.handler == NULL;
}

bool os_stop_prepare(void)
{
    if (os_stopping.signal != 0 && leads_to_us(os_stopping.signal))
        return true;
    struct action ours = {
        on_stop, SA_SIGINFO | SA_RESTART | SA_ONSTACK | RESTORER_FLAG, os_stop_restorer,
        ~(uint64_t)0,
    };
    for (int number = HIGHEST_SIGNAL; number >= LOWEST_SIGNAL; number--) {
        if (!is_unused(number) ||
            call_failed(call4(SYS_rt_sigaction, number, &ours, 0, sizeof ours.mask)))
            continue;
        os_stopping.signal = number;
        return true;
    }
    return false;
}

bool os_stop_ask(struct os_stop *stop)
{
    siginfo_t info = { 0 };
    info.si_code = SI_QUEUE;
    info.si_pid = os_process_id();
    info.si_value.sival_ptr = stop;
    __atomic_store_n(&stop->state, STOP_ASKED, __ATOMIC_RELEASE);
    stop->asked++;
    long sent = call4(SYS_rt_tgsigqueueinfo, info.si_pid, stop->thread, os_stopping.signal, &info);
    return sent != -ESRCH;
}

/* -- who there is ------------------------------------------------------------------------------ */

struct entry {                                   /* linux_dirent64 */
    uint64_t inode;
    int64_t  offset;
    uint16_t bytes;
    uint8_t  type;
    char     name[];
};

static int number_of(const char *name)
{
    int value = 0;
    if (*name < '1' || *name > '9')
        return 0;
    for (; *name >= '0' && *name <= '9'; name++)
        value = value * 10 + (*name - '0');
    return value;
}

unsigned os_thread_list(int *threads, unsigned room)
{
    char piece[PIECE] ALIGNED(8);
    unsigned count = 0;
    long fd = call4(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got;
    while ((got = call3(SYS_getdents64, fd, piece, sizeof piece)) > 0)
        for (long at = 0; at < got; ) {
            const struct entry *entry = (const struct entry *)(piece + at);
            int thread = number_of(entry->name);
            if (thread != 0 && count < room)
                threads[count++] = thread;
            at += entry->bytes;
        }
    call1(SYS_close, fd);
    return got == 0 && count < room ? count : 0;
}

/* The state is the letter behind the name's last parenthesis. */
enum os_thread_state os_thread_state(int thread)
{
    char path[64], text[512];
    struct text name;
    text_init(&name, path, sizeof path);
    text_string(&name, "/proc/self/task/");
    text_decimal(&name, (uint64_t)thread);
    text_string(&name, "/stat");
    size_t length = os_read_file(path, text, sizeof text);
    if (call3(SYS_tgkill, os_process_id(), thread, 0) == -ESRCH)
        return THREAD_ENDED;
    if (length == 0)                             /* it cannot be read: who knows */
        return THREAD_SLEEPS;
    while (length > 0 && text[length] != ')')
        length--;
    char letter = text[length + 1] == ' ' ? text[length + 2] : 'S';
    if (letter == 'Z' || letter == 'X')
        return THREAD_ENDED;
    return letter == 'R' ? THREAD_RUNS : THREAD_SLEEPS;
}

NOINLINE void os_spill(void (*run)(word lowest, void *arg), void *arg)
{
    word kept[16];
#if defined(__x86_64__)
    __asm__ volatile("mov %%rbx, 0(%0)\n\tmov %%rbp, 8(%0)\n\tmov %%r12, 16(%0)\n\t"
                     "mov %%r13, 24(%0)\n\tmov %%r14, 32(%0)\n\tmov %%r15, 40(%0)"
                     : : "r"(kept) : "memory");
#else
    __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, 16]\n\t"
                     "stp x23, x24, [%0, 32]\n\tstp x25, x26, [%0, 48]\n\t"
                     "stp x27, x28, [%0, 64]\n\tstr x29, [%0, 80]"
                     : : "r"(kept) : "memory");
#endif
    run((word)kept, arg);
    __asm__ volatile("" : : "r"(kept) : "memory");     /* no tail call: the frame stays */
}

word os_thread_block(void)
{
    return (word)__builtin_thread_pointer();
}

/* On x86-64 its third word is its own address, which is how code finds it. */
bool os_is_thread_block(word at)
{
#if defined(__x86_64__)
    word self = 0;
    return os_peek(&self, at + 2 * sizeof(word), sizeof self) == sizeof self && self == at;
#else
    (void)at;
    return false;
#endif
}

/* -- memory that may not be there -------------------------------------------------------------- */

size_t os_peek(void *out, word at, size_t bytes)
{
    struct iovec here = { out, bytes }, there = { (void *)at, bytes };
    long got = call6(SYS_process_vm_readv, os_process_id(), (long)&here, 1, (long)&there, 1, 0);
    return call_failed(got) ? 0 : (size_t)got;
}
