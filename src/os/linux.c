/* linux.c - pages, facts, files and the end of the process on Linux.
 * Job      os.h but for locks, by raw system calls. Newer facilities are tried and a refusal is
 *          believed: kernels from 5.10 on lack none that is needed.
 * Locking  none.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1                            /* mremap flags */
#endif
#include "os/os.h"
#include "os/linux_call.h"
#include "base/bits.h"
#include "base/check.h"
#include "base/text.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/errno.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

extern char **environ;

/* -- address space and pages ------------------------------------------------------------------- */

static word map_at(word at, size_t bytes, int protection, int flags)
{
    flags |= MAP_PRIVATE | MAP_ANONYMOUS;
    long got = call6(SYS_mmap, (long)at, (long)bytes, protection, flags, -1, 0);
    return call_failed(got) ? 0 : (word)got;
}

word os_reserve(size_t bytes, size_t align)
{
    size_t room = bytes + align;
    word at = map_at(0, room, PROT_NONE, MAP_NORESERVE);
    if (at == 0)
        return 0;
    word start = round_up(at, align);
    if (start > at)
        os_unreserve(at, start - at);
    if (at + room > start + bytes)
        os_unreserve(start + bytes, at + room - (start + bytes));
    return start;
}

void os_unreserve(word at, size_t bytes)
{
    call2(SYS_munmap, at, bytes);
}

bool os_commit(word at, size_t bytes)
{
    return !call_failed(call3(SYS_mprotect, at, bytes, PROT_READ | PROT_WRITE));
}

bool os_claim(word at, size_t bytes)
{
    word got = map_at(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE);
    if (got != 0 && got != at) {                 /* a kernel that takes the flag for a hint */
        os_unreserve(got, bytes);
        return false;
    }
    return got == at;
}

/* Far from where the kernel puts mappings (top down from the stack), the program (0x55...) and
 * shadow memories (below 0x1000...): whoever maps there by address means to. A page is mapped and
 * unmapped to see that the place is free. */
word os_vacant(size_t bytes)
{
    size_t page = 4096;
    uint64_t salt = (uint64_t)os_now_ms() * 0x9e3779b97f4a7c15u ^ (word)&page;
    for (unsigned attempt = 0; attempt < 64; attempt++) {
        word at = TIB(24) + round_down((salt >> 20) % TIB(32), GIB(4));
        if (os_claim(at, KIB(64))) {
            os_unreserve(at, KIB(64));
            if (os_claim(at + bytes - KIB(64), KIB(64))) {
                os_unreserve(at + bytes - KIB(64), KIB(64));
                return at;
            }
        }
        salt = salt * 6364136223846793005u + 1442695040888963407u;
    }
    return 0;
}

bool os_purge(word at, size_t bytes)
{
    return !call_failed(call3(SYS_madvise, at, bytes, MADV_DONTNEED));
}

bool os_renew(word at, size_t bytes)
{
    return map_at(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED) == at;
}

bool os_huge(word at, size_t bytes)
{
    return !call_failed(call3(SYS_madvise, at, bytes, MADV_HUGEPAGE));
}

/* The kernel unmaps the target before it looks whether it can move: up to 6.16 it refuses where
 * the source is more than one mapping, later where a limit stands below what is mapped already. */
enum os_moved os_move_pages(word from, word to, size_t bytes)
{
    int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
    if (!call_failed(call5(SYS_mremap, from, bytes, bytes, flags, to)))
        return OS_MOVED;
    return os_renew(to, bytes) ? OS_REFUSED : OS_LOST;
}

bool os_wipe_on_fork(word at, size_t bytes)
{
    return !call_failed(call3(SYS_madvise, at, bytes, MADV_WIPEONFORK));
}

/* -- facts ------------------------------------------------------------------------------------- */

static size_t number_after(const char *text, const char *label)
{
    size_t length = text_length(label);
    for (; *text != '\0'; text++)
        if (text_starts(text, label)) {
            size_t value = 0;
            for (text += length; *text == ' '; text++)
                ;
            for (; *text >= '0' && *text <= '9'; text++)
                value = value * 10 + (size_t)(*text - '0');
            return value;
        }
    return 0;
}

void os_facts_read(struct os_facts *facts)
{
    char text[4096];
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
    facts->page_bytes = getauxval(AT_PAGESZ);
    if (facts->page_bytes == 0)
        facts->page_bytes = KIB(4);
    facts->secure = getauxval(AT_SECURE) != 0;
    call4(SYS_prlimit64, 0, RLIMIT_AS, 0, &limit);
    facts->space_limit_bytes = limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
    os_read_file("/proc/meminfo", text, sizeof text);
    facts->ram_bytes = number_after(text, "MemTotal:") * 1024;
    os_read_file("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", text, sizeof text);
    facts->huge_bytes = number_after(text, "");
    if (facts->ram_bytes == 0)                   /* no /proc: a sandbox */
        facts->ram_bytes = GIB(16);
}

/* -- time, text, the end ----------------------------------------------------------------------- */

uint64_t os_now_ms(void)
{
    struct timespec now = { 0, 0 };
    call2(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int os_duplicate(int fd)
{
    long copy = call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100);
    return call_failed(copy) ? -1 : (int)copy;
}

size_t os_write(int fd, const char *bytes, size_t count)
{
    size_t done = 0;
    while (done < count) {
        long wrote = call3(SYS_write, fd, bytes + done, count - done);
        if (wrote == -EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    return done;
}

static int open_read(const char *path)
{
    return (int)call4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

size_t os_read_file(const char *path, char *out, size_t room)
{
    size_t length = 0;
    int fd = open_read(path);
    while (fd >= 0 && length + 1 < room) {
        long got = call3(SYS_read, fd, out + length, room - 1 - length);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (fd >= 0)
        call1(SYS_close, fd);
    out[length] = '\0';
    return length;
}

const char *os_environment(const char *name)
{
    size_t length = text_length(name);
    if (environ == NULL || getauxval(AT_SECURE) != 0)
        return NULL;
    for (char **entry = environ; *entry != NULL; entry++)
        if (text_starts(*entry, name) && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

void *os_map_shared(const char *path, size_t bytes)
{
    long fd = call4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    long got = call6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    call1(SYS_close, fd);
    return call_failed(got) ? NULL : (void *)got;
}

size_t os_program(char *out, size_t room)
{
    long got = call4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", out, room - 1);
    size_t length = got > 0 ? (size_t)got : 0;
    out[length] = '\0';
    return length;
}

int os_process_id(void)
{
    return (int)call0(SYS_getpid);
}

int os_thread_id(void)
{
    return (int)call0(SYS_gettid);
}

/* A directory has two links of its own and one for each directory in it. */
unsigned os_threads(void)
{
    struct stat task;
    long status = call4(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &task, 0);
    return call_failed(status) || task.st_nlink < 3 ? 0 : (unsigned)task.st_nlink - 2;
}

/* A program may block or handle SIGABRT: after one delivery the default action is put back and the
 * signal sent again, and what even that does not end is ended by exit. */
_Noreturn void os_abort(void)
{
    struct {
        void         *handler;
        unsigned long flags;
        void         *restorer;
        uint64_t      mask;
    } plain = { 0, 0, 0, 0 };
    uint64_t abort_only = (uint64_t)1 << (SIGABRT - 1);
    call4(SYS_rt_sigprocmask, SIG_UNBLOCK, &abort_only, 0, sizeof abort_only);
    call3(SYS_tgkill, os_process_id(), os_thread_id(), SIGABRT);
    call4(SYS_rt_sigaction, SIGABRT, &plain, 0, sizeof plain.mask);
    call3(SYS_tgkill, os_process_id(), os_thread_id(), SIGABRT);
    os_exit(134);
}

_Noreturn void os_exit(int status)
{
    for (;;)
        call1(SYS_exit_group, status);
}

_Noreturn COLD void assert_failed(const char *file, int line, const char *what)
{
    char room[256];
    struct text text;
    text_init(&text, room, sizeof room);
    text_format(&text, "midden: assertion failed at %s:%d: %s\n", file, line, what);
    os_write(2, room, text.length);
    os_abort();
}
