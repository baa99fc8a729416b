/* linux.c - tests of os.h on the system we run on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "os/os.h"

enum { PIECE = 1 << 20 };

static word committed(size_t bytes)
{
    word at = os_reserve(bytes, KIB(64));
    cr_assert_neq(at, 0);
    cr_assert(os_commit(at, bytes));
    return at;
}

static bool is_zero(word at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (((char *)at)[i] != 0)
            return false;
    return true;
}

static size_t resident(word at, size_t bytes)
{
    static unsigned char in_memory[GIB(1) / KIB(4)];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), sum = 0;
    cr_assert_eq(mincore((void *)at, bytes, in_memory), 0);
    for (size_t i = 0; i < bytes / page; i++)
        sum += (in_memory[i] & 1) * page;
    return sum;
}

/* How a child ends that touches the byte: 0, or the signal. */
static int touch(word at, bool write_too)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        volatile char *byte = (char *)at;
        char value = *byte;
        if (write_too)
            *byte = value;
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* -- pages --------------------------------------------------------------------- */

Test(pages, a_reservation_is_aligned_and_may_not_be_touched)
{
    for (size_t align = KIB(4); align <= GIB(4); align *= 16) {
        word at = os_reserve(PIECE, align);
        cr_assert_neq(at, 0);
        cr_assert_eq(at % align, 0);
        cr_assert_eq(touch(at, false), SIGSEGV);
        cr_assert_eq(touch(at + PIECE - 1, false), SIGSEGV);
        os_unreserve(at, PIECE);
    }
}

Test(pages, a_reservation_may_be_huge_and_costs_no_memory)
{
    word at = os_reserve(GIB(512), GIB(4));
    cr_assert_neq(at, 0);
    cr_assert_eq(resident(at, GIB(1)), 0);
    os_unreserve(at, GIB(512));
}

Test(pages, what_is_committed_is_zero_and_writable_and_nothing_else_is)
{
    word at = os_reserve(2 * PIECE, PIECE);
    cr_assert(os_commit(at, PIECE));
    cr_assert(is_zero(at, PIECE));
    memset((void *)at, 1, PIECE);
    cr_assert_eq(touch(at + PIECE, false), SIGSEGV);
    cr_assert(os_commit(at + PIECE, PIECE));
    cr_assert(is_zero(at + PIECE, PIECE));
    cr_assert_eq(((char *)at)[PIECE - 1], 1);
}

Test(pages, a_claim_takes_only_what_is_free)
{
    word at = os_vacant(4 * PIECE);
    cr_assert_neq(at, 0);
    cr_assert(os_claim(at + PIECE, PIECE));
    cr_assert(is_zero(at + PIECE, PIECE));
    *(int *)(at + PIECE) = 7;
    cr_assert_not(os_claim(at + PIECE, PIECE));
    cr_assert_not(os_claim(at, 2 * PIECE));
    cr_assert_eq(*(int *)(at + PIECE), 7);
    cr_assert(os_claim(at, PIECE) && os_claim(at + 2 * PIECE, PIECE));
}

Test(pages, a_vacant_range_is_not_mapped)
{
    struct os_region region;
    word at = os_vacant(GIB(64));
    cr_assert_neq(at, 0);
    os_region_of(at, &region);
    cr_assert_eq(region.place, OS_UNMAPPED);
    os_region_of(at + GIB(64) - 1, &region);
    cr_assert_eq(region.place, OS_UNMAPPED);
}

Test(pages, a_purge_drops_the_pages_and_leaves_zeros)
{
    word at = committed(PIECE);
    memset((void *)at, 0xee, PIECE);
    cr_assert_eq(resident(at, PIECE), PIECE);
    cr_assert(os_purge(at + PIECE / 2, PIECE / 2));
    cr_assert_eq(resident(at, PIECE), PIECE / 2);
    cr_assert(is_zero(at + PIECE / 2, PIECE / 2));
    cr_assert_eq(((unsigned char *)at)[PIECE / 2 - 1], 0xee);
}

/* A purge is believed only where it worked: locked pages stay what they are. */
Test(pages, a_purge_of_locked_pages_is_refused)
{
    word at = committed(KIB(64));
    memset((void *)at, 0xee, KIB(64));
    if (mlock((void *)at, KIB(64)) != 0)
        cr_skip_test("no page may be locked here");
    cr_assert_not(os_purge(at, KIB(64)));
    cr_assert_eq(*(unsigned char *)at, 0xee);
}

Test(pages, a_renewed_range_is_zero)
{
    word at = committed(PIECE);
    memset((void *)at, 1, PIECE);
    cr_assert(os_renew(at, PIECE));
    cr_assert(is_zero(at, PIECE));
    cr_assert_eq(touch(at, true), 0);
}

Test(pages, pages_move_and_leave_zeros)
{
    word from = committed(PIECE), to = committed(2 * PIECE);
    for (size_t i = 0; i < PIECE; i += 8)
        *(size_t *)(from + i) = i + 1;
    memset((void *)to, 9, 2 * PIECE);
    if (os_move_pages(from, to, PIECE) != OS_MOVED)
        cr_skip_test("this kernel moves no pages and keeps the range");
    for (size_t i = 0; i < PIECE; i += 8)
        cr_assert_eq(*(size_t *)(to + i), i + 1);
    cr_assert(is_zero(from, PIECE));
    cr_assert_eq(*(char *)(to + PIECE), 9);
    cr_assert_eq(touch(from, true), 0, "the range stays ours");
}

Test(pages, a_forked_child_finds_zeros)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    word at = committed(page);
    cr_assert(os_wipe_on_fork(at, page));
    *(int *)at = 42;
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(*(int *)at == 0 ? 7 : 1);
    waitpid(child, &status, 0);
    cr_assert_eq(WEXITSTATUS(status), 7);
    cr_assert_eq(*(int *)at, 42);
}

/* -- refusals --------------------------------------------------------------------- */

static void limit_space(void)
{
    struct rlimit limit = { MIB(512), MIB(512) };
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

Test(pages, what_is_refused_changes_nothing_and_not_errno)
{
    limit_space();
    errno = 77;
    cr_assert_eq(os_reserve(GIB(1), GIB(1)), 0);
    word at = os_vacant(GIB(2));
    cr_assert_neq(at, 0);
    cr_assert_not(os_claim(at, GIB(1)));
    cr_assert_not(os_commit(at, PIECE));
    cr_assert_eq(os_move_pages(at, at + GIB(1), PIECE), OS_REFUSED);
    cr_assert_eq(errno, 77);
}

static void never(void *arg)
{
    cr_assert(false, "%p", arg);
}

static void leave(void *arg)
{
    __atomic_store_n((uint32_t *)arg, 1, __ATOMIC_RELEASE);
}

/* No memory for its stack; nothing is left behind of the attempt, and the next one may do. */
Test(thread, one_that_cannot_be_made_is_refused, .timeout = 60)
{
    struct rlimit limit;
    uint32_t left = 0;
    cr_assert_eq(getrlimit(RLIMIT_AS, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 4096;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_not(os_thread_start(never, NULL));
    limit.rlim_cur = before;
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    cr_assert(os_thread_start(leave, &left));
    while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) == 0)
        usleep(100);
}

/* -- facts and files --------------------------------------------------------------------- */

Test(facts, facts_are_those_of_the_system)
{
    struct os_facts facts;
    os_facts_read(&facts);
    cr_assert_eq(facts.page_bytes, (size_t)sysconf(_SC_PAGESIZE));
    size_t pages = (size_t)sysconf(_SC_PHYS_PAGES);
    cr_assert_eq(facts.ram_bytes, pages * facts.page_bytes);
    cr_assert_eq(facts.space_limit_bytes, SIZE_MAX);
    cr_assert(facts.huge_bytes == 0 || is_power_of_two(facts.huge_bytes));
    cr_assert_not(facts.secure);
    limit_space();
    os_facts_read(&facts);
    cr_assert_eq(facts.space_limit_bytes, MIB(512));
}

Test(facts, a_file_is_read_as_far_as_there_is_room)
{
    char room[8];
    cr_assert_eq(os_read_file("/no/such/file", room, sizeof room), 0);
    cr_assert_eq(room[0], '\0');
    cr_assert_eq(os_read_file("/proc/self/maps", room, sizeof room), 7);
    cr_assert_eq(room[7], '\0');
}

Test(facts, a_pipe_that_is_closed_ends_a_write)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(os_write(ends[1], "midden", 6), 6);
    close(ends[0]);
    errno = 77;
    cr_assert_eq(os_write(ends[1], "midden", 6), 0);
    cr_assert_eq(errno, 77);
}

Test(facts, the_environment_is_read_by_whole_names)
{
    setenv("MIDDEN_TEST_NAME", "value", 1);
    cr_assert_str_eq(os_environment("MIDDEN_TEST_NAME"), "value");
    cr_assert_null(os_environment("MIDDEN_TEST_NAM"));
    cr_assert_null(os_environment("MIDDEN_TEST_NAME_"));
}

Test(facts, time_goes_on)
{
    uint64_t before = os_now_ms();
    usleep(50000);
    cr_assert_geq(os_now_ms(), before + 20);
}

Test(facts, abort_ends_even_a_program_that_catches_it, .signal = SIGABRT)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGABRT, SIG_IGN);
    os_abort();
}

/* -- what lies at an address ------------------------------------------------------------------- */

static int initialised = 1;

static enum os_place place_of(const void *address)
{
    struct os_region region;
    os_region_of((word)address, &region);
    if (region.place != OS_UNMAPPED)
        cr_assert(region.lo <= (word)address && (word)address < region.hi);
    return region.place;
}

Test(region, a_region_is_told_for_what_it_is)
{
    struct os_region region;
    int local = 0;
    cr_assert_eq(place_of(&local), OS_STACK);
    cr_assert_eq(place_of(&initialised), OS_FILE);
    cr_assert_eq(place_of((void *)&os_region_of), OS_FILE);
    cr_assert_eq(place_of("text"), OS_FILE);
    cr_assert_eq(place_of(sbrk(16)), OS_BRK);
    cr_assert_eq(place_of(NULL), OS_UNMAPPED);
    cr_assert_eq(place_of((void *)UINTPTR_MAX), OS_UNMAPPED);
    cr_assert_eq(place_of((void *)committed(PIECE)), OS_ANONYMOUS);
    os_region_of((word)&memcpy, &region);
    cr_assert_neq(strstr(region.name, "libc"), NULL);
}

/* More mappings, with longer names, than one piece of the list holds. */
Test(region, a_region_is_found_in_a_long_list)
{
    struct os_region region;
    word at = os_reserve(400 * KIB(64), KIB(64));
    for (size_t i = 0; i < 400; i += 2)
        cr_assert(os_commit(at + i * KIB(64), KIB(64)));
    for (size_t i = 0; i < 400; i += 7) {
        os_region_of(at + i * KIB(64) + 100, &region);
        cr_assert_eq(region.place, OS_ANONYMOUS);
        cr_assert(region.lo <= at + i * KIB(64) && region.hi >= at + (i + 1) * KIB(64));
    }
}
