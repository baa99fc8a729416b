/* track.c - tests of os/track.h on the system we run on, which may not have it. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bits.h"
#include "os/os.h"
#include "os/track.h"

enum { PAGES = 2048 };

static word   base;
static size_t page;
static bool   tracks;
static bool   written[PAGES];

static void set_up(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    base = os_reserve(PAGES * page, KIB(64));
    cr_assert_neq(base, 0);
    cr_assert(os_commit(base, PAGES * page));
    tracks = os_track_prepare(base, PAGES * page);
}

TestSuite(track, .init = set_up, .timeout = 60);

static void touch(size_t first, size_t behind)
{
    for (size_t i = first; i < behind; i++)
        ((volatile char *)base)[i * page] = 1;
}

static void note(word lo, word hi, void *last)
{
    cr_assert_geq(lo, *(word *)last, "in order");
    cr_assert(lo % page == 0 && hi % page == 0 && lo < hi && hi <= base + PAGES * page);
    for (word at = lo; at < hi; at += page)
        written[(at - base) / page] = true;
    *(word *)last = hi;
}

static bool ask(void)
{
    word last = base;
    memset(written, 0, sizeof written);
    return os_track_written(base, base + PAGES * page, note, &last);
}

/* What must be told, and, where writes are tracked, what must not: neither does anything else. */
static void expect(size_t first, size_t behind)
{
    if (!ask()) {
        cr_assert_not(tracks);
        return;
    }
    for (size_t i = 0; i < PAGES; i++) {
        bool expected = i >= first && i < behind;
        if (expected || tracks)
            cr_assert_eq(written[i], expected, "page %zu", i);
    }
}

Test(track, what_was_touched_is_written_and_the_rest_is_not)
{
    expect(0, 0);
    touch(3, 40);
    expect(3, 40);
}

Test(track, protected_pages_are_written_once_they_are_written)
{
    touch(0, PAGES);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
    touch(7, 8);
    expect(7, 8);
    expect(7, 8);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
    touch(PAGES - 1, PAGES);
    expect(PAGES - 1, PAGES);
}

Test(track, a_page_that_was_not_protected_stays_written)
{
    touch(0, 100);
    cr_assert(os_track_protect(base, base + 50 * page) || !tracks);
    expect(50, 100);
}

Test(track, more_ranges_than_one_question_takes_are_all_told)
{
    touch(0, PAGES);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    for (size_t i = 0; i < PAGES; i += 2)
        touch(i, i + 1);
    if (!ask())
        return;
    for (size_t i = 0; i < PAGES; i++)
        if (i % 2 == 0 || tracks)
            cr_assert_eq(written[i], i % 2 == 0, "page %zu", i);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
}

Test(track, what_the_kernel_writes_counts)
{
    int ends[2];
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_eq(read(ends[0], (char *)base + 5 * page + 100, 1), 1);
    expect(5, 6);
}

Test(track, purged_pages_hold_nothing_and_are_written_when_touched)
{
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    cr_assert(os_purge(base + 2 * page, 2 * page));
    expect(0, 0);
    touch(2, 4);
    expect(2, 4);
}

Test(track, a_mapping_made_since_counts_as_written)
{
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    cr_assert(os_renew(base + 4 * page, 2 * page));
    touch(4, 6);
    expect(4, 6);
    cr_assert_eq(os_track_prepare(base, PAGES * page), tracks);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
}

Test(track, pages_that_were_moved_count_as_written)
{
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    cr_assert_eq(os_move_pages(base + 2 * page, base + 20 * page, 4 * page), OS_MOVED);
    expect(20, 24);
    touch(22, 23);
    expect(20, 24);
}

Test(track, at_the_end_nothing_is_protected)
{
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    os_track_end();
    expect(0, 10);
    cr_assert_eq(os_track_prepare(base, PAGES * page), tracks);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
}

Test(track, when_the_program_closes_our_descriptor_everything_counts_as_written)
{
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    for (int fd = 100; fd < 200; fd++)
        close(fd);
    expect(0, 10);
    cr_assert_eq(os_track_prepare(base, PAGES * page), tracks);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    expect(0, 0);
}

Test(track, a_descriptor_that_is_another_file_now_is_left_alone)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    for (int fd = 100; fd < 200; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            cr_assert_eq(dup2(ends[0], fd), fd);
    cr_assert_eq(os_track_prepare(base, PAGES * page), tracks);
    cr_assert_eq(write(ends[1], "x", 1), 1);
}

Test(track, a_forked_child_begins_anew_and_its_parent_goes_on)
{
    int status;
    touch(0, 10);
    cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
    pid_t child = fork();
    if (child == 0) {
        os_track_end();
        expect(0, 10);
        cr_assert_eq(os_track_prepare(base, PAGES * page), tracks);
        cr_assert(os_track_protect(base, base + PAGES * page) || !tracks);
        touch(3, 4);
        expect(3, 4);
        _exit(7);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    expect(0, 0);
    touch(8, 9);
    expect(8, 9);
}
