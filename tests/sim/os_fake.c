/* os_fake.c - os.h over a book of ranges. */
#include "os_fake.h"
#include "base/bits.h"
#include "base/check.h"
#include "heap/meta.h"
#include "heap/roster.h"
#include "heap/span.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct fake fake = {
    .page_bytes = 4096, .huge_bytes = MIB(2), .ram_bytes = GIB(1),
    .space_limit_bytes = SIZE_MAX, .commit_limit_bytes = SIZE_MAX, .reserve_limit_bytes = SIZE_MAX,
};
void (*fake_last_words)(void);

_Noreturn void fake_die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("# ", stdout);
    vprintf(format, list);
    putchar('\n');
    va_end(list);
    if (fake_last_words != NULL)
        fake_last_words();
    fflush(stdout);
    abort();
}

/* -- the book: ranges in order of address, neighbours differ ---------------------------------- */

enum state { NOTHING, RESERVED, COMMITTED };
enum { RANGES = 4096 };

static struct range {
    word lo, hi;
    enum state state;
} book[RANGES];
static size_t ranges;

/* Splits the range that holds `at`, if any, so that one begins there; the index of the first range
 * at or above it. */
static size_t split(word at)
{
    size_t i = 0;
    while (i < ranges && book[i].hi <= at)
        i++;
    if (i == ranges || book[i].lo >= at)
        return i;
    if (ranges == RANGES)
        fake_die("more than %d ranges are mapped", RANGES);
    memmove(&book[i + 1], &book[i], (ranges - i) * sizeof book[0]);
    ranges++;
    book[i].hi = at;
    book[i + 1].lo = at;
    return i + 1;
}

static void join(void)
{
    size_t kept = 0;
    for (size_t i = 1; i < ranges; i++)
        if (book[i].lo == book[kept].hi && book[i].state == book[kept].state)
            book[kept].hi = book[i].hi;
        else
            book[++kept] = book[i];
    ranges = ranges == 0 ? 0 : kept + 1;
}

static void count_bytes(void)
{
    fake.mapped_bytes = fake.committed_bytes = 0;
    for (size_t i = 0; i < ranges; i++) {
        fake.mapped_bytes += book[i].hi - book[i].lo;
        if (book[i].state == COMMITTED)
            fake.committed_bytes += book[i].hi - book[i].lo;
    }
}

static void enter(word lo, word hi, enum state state)
{
    size_t first = split(lo), last = split(hi);
    memmove(&book[first], &book[last], (ranges - last) * sizeof book[0]);
    ranges -= last - first;
    if (state != NOTHING) {
        memmove(&book[first + 1], &book[first], (ranges - first) * sizeof book[0]);
        book[first] = (struct range){ lo, hi, state };
        ranges++;
    }
    join();
    count_bytes();
}

static bool is_all(word lo, word hi, enum state state)
{
    for (size_t i = 0; i < ranges; i++) {
        if (book[i].hi <= lo || book[i].lo >= hi)
            continue;
        if (book[i].state != state)
            return false;
        if (book[i].lo > lo)
            return state == NOTHING;
        lo = book[i].hi;
    }
    return state == NOTHING || lo >= hi;
}

static bool is_mapped(word lo, word hi)
{
    for (size_t i = 0; i < ranges; i++)
        if (book[i].lo <= lo && lo < book[i].hi)
            lo = book[i].hi;
    return lo >= hi;
}

bool fake_is_committed(word at, size_t bytes)
{
    return is_all(at, at + bytes, COMMITTED);
}

/* -- every call passes here ------------------------------------------------------------------- */

static const char *const call_names[FAKE_CALLS] = {
    "os_reserve", "os_commit", "os_claim", "os_vacant", "os_purge", "os_huge", "os_move_pages",
};

static void interrupt(void)
{
    if (fake.interrupt == NULL || fake.interrupted)
        return;
    fake.interrupted = true;
    fake.interrupt();
    fake.interrupted = false;
}

static void expect_pages(enum fake_call call, word at, size_t bytes)
{
    if (bytes == 0 || (at | bytes) % fake.page_bytes != 0 || at + bytes < at)
        fake_die("%s(%#zx, %#zx): no whole pages of %zu bytes", call_names[call], at, bytes,
                 fake.page_bytes);
}

static void expect_state(enum fake_call call, word at, size_t bytes, enum state state)
{
    static const char *const names[] = { "unmapped", "reserved", "committed" };
    expect_pages(call, at, bytes);
    if (!is_all(at, at + bytes, state))
        fake_die("%s(%#zx, %#zx): not all of it is %s", call_names[call], at, bytes, names[state]);
}

static bool refuse(void)
{
    fake.refused++;
    return false;
}

static bool plan_allows(enum fake_call call)
{
    interrupt();
    fake.calls++;
    fake.calls_of[call]++;
    bool planned = fake.calls >= fake.fail_first &&
                   fake.calls - fake.fail_first < fake.fail_count;
    return !planned || refuse();
}

static bool chargeable(size_t mapped, size_t committed)
{
    size_t space = fake.space_limit_bytes, commit = fake.commit_limit_bytes;
    bool space_left = fake.mapped_bytes <= space && mapped <= space - fake.mapped_bytes;
    bool commit_left = fake.committed_bytes <= commit && committed <= commit - fake.committed_bytes;
    return (space_left && commit_left) || refuse();
}

static word map(word at, size_t bytes, int protection, int flags)
{
    flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *got = mmap((void *)at, bytes, protection, flags, -1, 0);
    return got == MAP_FAILED ? 0 : (word)got;
}

/* -- address space and pages ------------------------------------------------------------------ */

word os_reserve(size_t bytes, size_t align)
{
    expect_pages(FAKE_RESERVE, 0, bytes);
    if (!is_power_of_two(align))
        fake_die("os_reserve: an alignment of %#zx", align);
    if (!plan_allows(FAKE_RESERVE) || !chargeable(bytes, 0))
        return 0;
    word at = bytes <= fake.reserve_limit_bytes ? map(0, bytes + align, PROT_NONE, 0) : 0;
    if (at == 0)
        return refuse();
    word start = round_up(at, align);
    if (start > at)
        munmap((void *)at, start - at);
    if (at + align > start)
        munmap((void *)(start + bytes), at + align - start);
    enter(start, start + bytes, RESERVED);
    return start;
}

void os_unreserve(word at, size_t bytes)
{
    if (bytes == 0 || (at | bytes) % fake.page_bytes != 0)
        fake_die("os_unreserve(%#zx, %#zx): no whole pages", at, bytes);
    if (!is_mapped(at, at + bytes))
        fake_die("os_unreserve(%#zx, %#zx): not all of it is mapped", at, bytes);
    munmap((void *)at, bytes);
    enter(at, at + bytes, NOTHING);
}

bool os_commit(word at, size_t bytes)
{
    expect_state(FAKE_COMMIT, at, bytes, RESERVED);
    if (!plan_allows(FAKE_COMMIT) || !chargeable(0, bytes))
        return false;
    if (mprotect((void *)at, bytes, PROT_READ | PROT_WRITE) != 0)
        return refuse();
    enter(at, at + bytes, COMMITTED);
    return true;
}

bool os_claim(word at, size_t bytes)
{
    expect_pages(FAKE_CLAIM, at, bytes);
    if (!plan_allows(FAKE_CLAIM) || !chargeable(bytes, bytes))
        return false;
    if (!is_all(at, at + bytes, NOTHING))
        fake_die("os_claim(%#zx, %#zx): something of ours is there", at, bytes);
    word got = map(at, bytes, PROT_READ | PROT_WRITE, MAP_FIXED_NOREPLACE);
    if (got != at)
        return refuse();
    enter(at, at + bytes, COMMITTED);
    return true;
}

word os_vacant(size_t bytes)
{
    expect_pages(FAKE_VACANT, 0, bytes);
    if (!plan_allows(FAKE_VACANT))
        return 0;
    size_t room = bytes + GIB(4);
    word at = map(0, room, PROT_NONE, 0);
    if (at == 0)
        return refuse();
    munmap((void *)at, room);
    return round_up(at, GIB(4));
}

static void drop_pages(word at, size_t bytes)
{
    if (madvise((void *)at, bytes, MADV_DONTNEED) != 0)
        memset((void *)at, 0, bytes);
}

bool os_purge(word at, size_t bytes)
{
    expect_state(FAKE_PURGE, at, bytes, COMMITTED);
    if (!plan_allows(FAKE_PURGE) || (fake.locked && !refuse()))
        return false;
    drop_pages(at, bytes);
    return true;
}

bool os_renew(word at, size_t bytes)
{
    expect_state(FAKE_PURGE, at, bytes, COMMITTED);
    if (!plan_allows(FAKE_PURGE))
        return false;
    drop_pages(at, bytes);
    return true;
}

bool os_huge(word at, size_t bytes)
{
    expect_pages(FAKE_HUGE, at, bytes);
    if (!is_mapped(at, at + bytes))
        fake_die("os_huge(%#zx, %#zx): not all of it is mapped", at, bytes);
    if (fake.huge_bytes == 0 || (at | bytes) % fake.huge_bytes != 0)
        fake_die("os_huge(%#zx, %#zx): no whole huge pages", at, bytes);
    return plan_allows(FAKE_HUGE);
}

enum os_moved os_move_pages(word from, word to, size_t bytes)
{
    expect_state(FAKE_MOVE, from, bytes, COMMITTED);
    expect_state(FAKE_MOVE, to, bytes, COMMITTED);
    if (from < to + bytes && to < from + bytes)
        fake_die("os_move_pages(%#zx, %#zx, %#zx): the two overlap", from, to, bytes);
    if (!plan_allows(FAKE_MOVE))
        return OS_REFUSED;
    memcpy((void *)to, (void *)from, bytes);
    drop_pages(from, bytes);
    return OS_MOVED;
}

bool os_wipe_on_fork(word at, size_t bytes)
{
    expect_pages(FAKE_COMMIT, at, bytes);
    return true;
}

/* -- locks: 0 free, 1 held -------------------------------------------------------------------- */

enum { LOCKS = 16 };
static struct lock *held[LOCKS];
static size_t locks;

/* Of lock.def; 0: a shared heap's, or the front's own. */
static int rank(const struct lock *lock)
{
    return lock == &roster_lock ? 1 : lock == &span_lock ? 4 : lock == &meta_lock ? 5 : 0;
}

size_t fake_locks_held(void)
{
    return locks;
}

static void note_taken(struct lock *lock)
{
    lock->state = 1;
    if (locks == LOCKS)
        fake_die("more than %d locks are held", LOCKS);
    held[locks++] = lock;
}

bool lock_try(struct lock *lock)
{
    interrupt();
    if (lock->state != 0)
        return false;
    note_taken(lock);
    interrupt();
    return true;
}

bool lock_take(struct lock *lock)
{
    interrupt();
    if (lock->state != 0) {
        if (fake.interrupted)
            return false;                        /* the handler stands above the holder */
        fake_die("a thread takes the lock of rank %d, which it holds", rank(lock));
    }
    for (size_t i = 0; i < locks && !fake.interrupted; i++)
        if (rank(lock) != 0 && rank(held[i]) >= rank(lock))
            fake_die("lock %d is taken above lock %d", rank(lock), rank(held[i]));
    note_taken(lock);
    interrupt();
    return true;
}

bool lock_is_mine(const struct lock *lock)
{
    for (size_t i = 0; i < locks; i++)
        if (held[i] == lock)
            return true;
    return false;
}

void lock_give(struct lock *lock)
{
    size_t i = 0;
    while (i < locks && held[i] != lock)
        i++;
    if (i == locks)
        fake_die("a lock of rank %d is given that is not held", rank(lock));
    held[i] = held[--locks];
    lock->state = 0;
    interrupt();
}

void os_pause(void)
{
}

void os_yield(void)
{
}

void lock_reset(struct lock *lock)
{
    if (lock->state != 0)
        lock_give(lock);
}

/* -- the rest --------------------------------------------------------------------------------- */

void os_facts_read(struct os_facts *facts)
{
    *facts = (struct os_facts){
        .page_bytes = fake.page_bytes, .huge_bytes = fake.huge_bytes,
        .ram_bytes = fake.ram_bytes,
        .space_limit_bytes = fake.space_limit_bytes,
    };
}

uint64_t os_now_ms(void)
{
    static uint64_t now;
    return now++;
}

size_t os_write(int fd, const char *bytes, size_t count)
{
    ssize_t wrote = write(fd, bytes, count);
    return wrote > 0 ? (size_t)wrote : 0;
}

int os_duplicate(int fd)
{
    return fd;
}

size_t os_read_file(const char *path, char *out, size_t room)
{
    (void)path;
    out[0] = '\0';
    (void)room;
    return 0;
}

const char *os_environment(const char *name)     /* a run depends on its seed alone */
{
    (void)name;
    return NULL;
}

void *os_map_shared(const char *path, size_t bytes)
{
    (void)path;
    (void)bytes;
    return NULL;
}

size_t os_program(char *out, size_t room)
{
    (void)room;
    out[0] = '\0';
    return 0;
}

int os_process_id(void)
{
    return 1;
}

unsigned os_threads(void)
{
    return 1;
}

int os_thread_id(void)
{
    return 1;
}

_Noreturn void os_abort(void)
{
    fake_die("the library ended the process");
}

_Noreturn void os_exit(int status)
{
    fake_die("the library called exit(%d)", status);
}

_Noreturn COLD void assert_failed(const char *file, int line, const char *what)
{
    fake_die("assertion failed at %s:%d: %s", file, line, what);
}

/* -- helper threads: there are none ----------------------------------------------------------- */

bool os_thread_start(void (*run)(void *), void *arg)
{
    (void)run;
    (void)arg;
    return false;
}

bool os_thread_is_ours(int tid)
{
    (void)tid;
    return false;
}

void os_thread_show(int signal)
{
    (void)signal;
}

void os_thread_hide(void)
{
}

void os_threads_forget(void)
{
}

unsigned os_processors(void)
{
    return 1;
}

void os_wait(const uint32_t *at, uint32_t seen, uint32_t ms)
{
    if (*at == seen && ms == 0)
        fake_die("a thread waits for another, and there is none");
}

void os_wake(uint32_t *at, unsigned count)
{
    (void)at;
    (void)count;
}

uint64_t os_now_ns(void)
{
    return os_now_ms() * 1000000;
}

bool os_pressure_open(struct os_pressure *pressure)
{
    (void)pressure;
    return false;
}

bool os_pressure_rises(struct os_pressure *pressure)
{
    (void)pressure;
    return false;
}

void os_pressure_close(struct os_pressure *pressure)
{
    (void)pressure;
}
