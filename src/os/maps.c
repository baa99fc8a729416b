/* maps.c - what is mapped in this process, from /proc/self/maps.
 * Job      One reader of its lines for two questions: what lies at an address (os.h), and what all
 *          of it is (stop.h). Nothing is allocated, and nothing depends on errno.
 * Locking  none: what another thread maps or unmaps meanwhile may be seen or not.
 */
#include "os/stop.h"
#include "os/linux_call.h"
#include "base/text.h"

#include <fcntl.h>

enum { PIECE = 8192, SMALL_PIECE = 2048 };        /* the stack of a handler may be small */

/* "lo-hi rwxp offset dev inode   name" */
struct line {
    word        lo, hi;
    const char *rights;                          /* four letters */
    const char *name;                            /* may be empty */
};

static word hex_of(const char **at)
{
    word value = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            value = value * 16 + (word)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (word)(c - 'a' + 10);
        else
            return value;
    }
}

static struct line line_of(const char *text)
{
    struct line line;
    const char *at = text;
    line.lo = hex_of(&at);
    at += *at == '-';
    line.hi = hex_of(&at);
    line.rights = text_length(at) > 4 ? at + 1 : "----";
    for (unsigned field = 0; field < 4 && *at != '\0'; field++) {
        at += *at == ' ';
        while (*at != ' ' && *at != '\0')
            at++;
    }
    while (*at == ' ')
        at++;
    line.name = at;
    return line;
}

/* The whole lines of a piece, until a visit says true; what is left of the last, partial one is
 * moved to the front. */
static bool lines_of(char *piece, size_t *held, bool (*visit)(const struct line *, void *),
                     void *arg)
{
    size_t start = 0;
    for (size_t i = 0; i < *held; i++) {
        if (piece[i] != '\n')
            continue;
        piece[i] = '\0';
        struct line line = line_of(piece + start);
        if (visit(&line, arg))
            return true;
        start = i + 1;
    }
    *held -= start;
    __builtin_memmove(piece, piece + start, *held);
    return false;
}

enum seen { SEEN_ALL, SEEN_ENOUGH, SEEN_NOT_ALL };

static enum seen lines_each(char *piece, size_t room, bool (*visit)(const struct line *, void *),
                            void *arg)
{
    size_t held = 0;
    enum seen seen = SEEN_ALL;
    long got, fd = call4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (call_failed(fd))
        return SEEN_NOT_ALL;
    while ((got = call3(SYS_read, fd, piece + held, room - held)) > 0) {
        held += (size_t)got;
        if (lines_of(piece, &held, visit, arg)) {
            seen = SEEN_ENOUGH;
            break;
        }
        if (held == room)                /* a name longer than the piece says nothing */
            held = 0;
    }
    call1(SYS_close, fd);
    return call_failed(got) ? SEEN_NOT_ALL : seen;
}

/* -- all of it --------------------------------------------------------------------------------- */

struct listing {
    void (*visit)(const struct os_range *range, void *arg);
    void  *arg;
    word   barrier;                              /* where the last unreadable one ended */
};

static bool range_told(const struct line *line, void *arg)
{
    struct listing *listing = arg;
    const char *name = line->name;
    struct os_range range = {
        .lo = line->lo, .hi = line->hi,
        .writable = line->rights[1] == 'w', .private = line->rights[3] == 'p',
        .stack = text_starts(name, "[stack"), .guarded = line->lo == listing->barrier,
        .backed = name[0] == '/' && !text_starts(name, "/memfd:") &&
                  !text_starts(name, "/dev/zero"),
    };
    if (line->rights[0] == 'r')
        listing->visit(&range, listing->arg);
    else
        listing->barrier = line->hi;
    return false;
}

bool os_ranges(void (*visit)(const struct os_range *range, void *arg), void *arg)
{
    char piece[PIECE];
    struct listing listing = { visit, arg, 0 };
    return lines_each(piece, sizeof piece, range_told, &listing) == SEEN_ALL;
}

/* -- at one address ---------------------------------------------------------------------------- */

struct question {
    word              address;
    struct os_region *region;
};

static enum os_place place_named(const char *name)
{
    if (text_equal(name, "[heap]"))
        return OS_BRK;
    if (text_starts(name, "[stack"))
        return OS_STACK;
    return name[0] == '/' || text_equal(name, "[vdso]") ? OS_FILE : OS_ANONYMOUS;
}

static bool region_found(const struct line *line, void *arg)
{
    const struct question *question = arg;
    struct os_region *region = question->region;
    struct text text;
    if (question->address < line->lo || question->address >= line->hi)
        return false;
    *region = (struct os_region){ .place = place_named(line->name), .lo = line->lo, .hi = line->hi,
                                  .readable = line->rights[0] == 'r' };
    text_init(&text, region->name, sizeof region->name);
    text_string(&text, line->name);
    return true;
}

void os_region_of(word address, struct os_region *region)
{
    char piece[SMALL_PIECE];
    struct question question = { address, region };
    if (lines_each(piece, sizeof piece, region_found, &question) != SEEN_ENOUGH)
        *region = (struct os_region){ .place = OS_UNMAPPED };
}
