/* track.c - track.h on Linux.
 * Job      Every facility is tried on pages of our own before it is believed. A thread under a
 *          seccomp filter asks nothing: some filters kill for a call they do not know, and a filter
 *          may come at any time, to all threads or to one.
 * Source   Documentation/admin-guide/mm/{userfaultfd,pagemap}.rst of the kernel.
 */
#include "os/track.h"
#include "os/os.h"
#include "os/linux_call.h"
#include "base/text.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <time.h>

/* What headers older than the kernel lack. */
enum {
    API_VERSION = 0xaa, USER_MODE_ONLY = 1, MODE_WP = 2,
    PAGE_WRITTEN = 1 << 1, PAGE_PRESENT = 1 << 3, PAGE_SWAPPED = 1 << 4,
    SCAN_PROTECTS = 1,
    REGIONS = 256,
};
#define FEATURE_WP_UNPOPULATED ((uint64_t)1 << 13)
#define FEATURE_WP_ASYNC       ((uint64_t)1 << 15)

struct api {
    uint64_t api, features, ioctls;
};
struct range {
    uint64_t start, length;
};
struct registration {
    struct range range;
    uint64_t     mode, ioctls;
};
struct region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define REQUEST_API        _IOWR(API_VERSION, 0x3f, struct api)
#define REQUEST_REGISTER   _IOWR(API_VERSION, 0x00, struct registration)
#define REQUEST_SCAN       _IOWR('f', 16, struct scan)

static struct {
    enum { UNTRIED, WORKS, FAILS } tried;
    int fd;                                      /* of the userfaultfd; 0: none */
} state;

/* -- descriptors ------------------------------------------------------------------------------- */

/* The program may have closed it, and have another file by the same number. */
static bool fd_is_ours(int fd)
{
    char path[32], name[32];
    struct text text;
    text_init(&text, path, sizeof path);
    text_format(&text, "/proc/self/fd/%d", fd);
    long length = call4(SYS_readlinkat, AT_FDCWD, path, name, sizeof name - 1);
    if (fd == 0 || length <= 0)
        return false;
    name[length] = '\0';
    return text_equal(name, "anon_inode:[userfaultfd]");
}

static bool is_filtered(void)
{
    char status[4096];
    if (os_read_file("/proc/thread-self/status", status, sizeof status) == 0)
        return true;
    return text_contains(status, "\nSeccomp:\t") && !text_contains(status, "\nSeccomp:\t0\n");
}

static int open_fd(void)
{
    struct api api = { API_VERSION, FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC, 0 };
    long fd = call1(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
    if (call_failed(fd))
        return 0;
    int kept = call_failed(call3(SYS_ioctl, fd, REQUEST_API, &api)) ? -1 : os_duplicate((int)fd);
    call1(SYS_close, fd);
    return kept > 0 ? kept : 0;
}

static bool prepare(int fd, word lo, size_t bytes)
{
    struct registration ask = { { lo, bytes }, MODE_WP, 0 };
    return !call_failed(call3(SYS_ioctl, fd, REQUEST_REGISTER, &ask));
}

/* -- pages ------------------------------------------------------------------------------------- */

/* Asked for pages that were written and are in memory, or were swapped out: one that never was in
 * memory counts as written to the kernel, and to protect it would keep huge pages away. There is
 * always room for what is found: some kernels fall over a scan without any. */
static bool scan(word lo, word hi, uint64_t flags, os_track_visit *visit, void *arg)
{
    struct region regions[REGIONS];
    long found = 0;
    long pages = call4(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
    if (call_failed(pages))
        return false;
    struct scan ask = {
        .size = sizeof ask, .flags = flags, .start = lo, .end = hi,
        .vec = (word)regions, .vec_len = REGIONS, .category_mask = PAGE_WRITTEN,
        .category_anyof_mask = PAGE_PRESENT | PAGE_SWAPPED, .return_mask = PAGE_WRITTEN,
    };
    while (ask.start < hi) {
        found = call3(SYS_ioctl, pages, REQUEST_SCAN, &ask);
        if (call_failed(found) || ask.walk_end <= ask.start)
            break;
        for (long i = 0; visit != NULL && i < found; i++)
            visit(regions[i].start, regions[i].end, arg);
        ask.start = ask.walk_end;
    }
    call1(SYS_close, pages);
    return ask.start >= hi;
}

bool os_track_protect(word lo, word hi)
{
    return scan(lo, hi, SCAN_PROTECTS, NULL, NULL);
}

bool os_track_written(word lo, word hi, os_track_visit *visit, void *arg)
{
    return !is_filtered() && scan(lo, hi, 0, visit, arg);
}

/* -- is it true? ------------------------------------------------------------------------------- */

struct tally {
    word first, last, bytes;
};

static void add(word lo, word hi, void *arg)
{
    struct tally *tally = arg;
    tally->first = tally->bytes == 0 ? lo : tally->first;
    tally->last = hi;
    tally->bytes += hi - lo;
}

static bool tells(word lo, word hi, word first, word last)
{
    struct tally tally = { 0, 0, 0 };
    return os_track_written(lo, hi, add, &tally) && tally.bytes == last - first &&
           tally.first == first && tally.last == last;
}

/* Four pages: one is never touched, one is not written again, one is written by us and one by the
 * kernel. */
static bool test(int fd, word at, size_t page)
{
    word end = at + 4 * page;
    if (!prepare(fd, at, 4 * page))
        return false;
    for (word i = at + page; i < end; i += page)
        *(volatile word *)i = 1;
    if (!tells(at, end, at + page, end) || !os_track_protect(at, end) || !tells(at, end, 0, 0))
        return false;
    *(volatile word *)(at + 2 * page) = 2;
    call2(SYS_clock_gettime, CLOCK_MONOTONIC, at + 3 * page);
    return tells(at, end, at + 2 * page, end) && *(volatile word *)(at + page) == 1 &&
           *(volatile word *)(at + 2 * page) == 2;
}

/* Pages that were protected and then moved count as written, before and after they are: kernels
 * older than 6.13 kept a page's protection without its mapping's, and never told of it again. */
static bool test_moved(word at, word to, size_t page)
{
    if (!os_track_protect(at, at + 4 * page) || !tells(at, at + 4 * page, 0, 0) ||
        os_move_pages(at, to, 4 * page) != OS_MOVED || !tells(to, to + 4 * page, to + page,
                                                              to + 4 * page))
        return false;
    *(volatile word *)(to + page) = 3;
    return tells(to, to + 4 * page, to + page, to + 4 * page) && *(volatile word *)(to + page) == 3;
}

static bool try_fd(int fd)
{
    struct os_facts facts;
    os_facts_read(&facts);
    size_t page = facts.page_bytes, bytes = 8 * page;
    word at = os_reserve(bytes, KIB(64));
    if (at == 0)
        return false;
    bool works = os_commit(at, bytes) && test(fd, at, page) &&
                 test_moved(at, at + 4 * page, page);
    os_unreserve(at, bytes);
    return works;
}

/* -- the public part --------------------------------------------------------------------------- */

static bool open_and_try(void)
{
    if (state.tried == FAILS || (state.fd = open_fd()) == 0)
        return false;
    if (state.tried == UNTRIED && !try_fd(state.fd)) {
        call1(SYS_close, state.fd);
        state.fd = 0;
        return false;
    }
    return true;
}

bool os_track_prepare(word lo, size_t bytes)
{
    if (is_filtered())
        return false;
    if (fd_is_ours(state.fd) && prepare(state.fd, lo, bytes))
        return true;
    if (fd_is_ours(state.fd))
        return false;
    state.tried = open_and_try() ? WORKS : FAILS;
    return state.tried == WORKS && prepare(state.fd, lo, bytes);
}

void os_track_end(void)
{
    if (state.fd != 0 && !is_filtered() && fd_is_ours(state.fd))
        call1(SYS_close, state.fd);
    state.fd = 0;
}
