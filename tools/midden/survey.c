/* survey.c - one reading of a living process: the heap by its census, the rest by its mappings. */
#include "binary.h"
#include "census.h"
#include "finding.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { ATTEMPTS = 5, STACKS_AT_FIRST = 64, TOP_BYTES = 4096 };

static const char *const ways[] = {
    [RESIDENCY_SCAN] = "scan", [RESIDENCY_MAP] = "pagemap", [RESIDENCY_REFUSED] = "estimate",
};

struct stacks {
    word  *pointer;                              /* of threads that sleep */
    size_t count;
};

/* -- the rest of the process ------------------------------------------------------------------- */

static void note_stack(word pointer, void *arg)
{
    struct stacks *stacks = arg;
    size_t count = stacks->count;
    if (count % STACKS_AT_FIRST == 0) {
        word *larger = realloc(stacks->pointer, (count + STACKS_AT_FIRST) * sizeof *larger);
        if (!larger)
            return;
        stacks->pointer = larger;
    }
    stacks->pointer[stacks->count++] = pointer;
}

static bool holds_stack(const struct stacks *stacks, const struct mapping *mapping)
{
    for (size_t i = 0; i < stacks->count; i++)
        if (stacks->pointer[i] - mapping->lo < mapping->hi - mapping->lo)
            return true;
    return false;
}

/* The C library puts a thread's control block at the top of its stack; it begins with its own
 * address, and has it again two words on. So a thread that runs is found too, and a stack that is
 * kept for the next one. */
static bool holds_thread(struct peer *peer, const struct mapping *mapping)
{
    word top[TOP_BYTES / sizeof(word)], at = mapping->hi - sizeof top;
    if (peer_read(peer, at, top, sizeof top) != sizeof top)
        return false;
    for (size_t i = 0; i + 2 < COUNT_OF(top); i++)
        if (top[i] == at + i * sizeof(word) && top[i + 2] == top[i])
            return true;
    return false;
}

static bool is_stack(struct peer *peer, const struct stacks *stacks, size_t index)
{
    const struct mapping *mapping = &peer->mapping[index], *below = mapping - 1;
    if (strncmp(mapping->path, "[stack", 6) == 0)
        return true;
    if (*mapping->path || !mapping->writable || mapping->shared)
        return false;
    if (holds_stack(stacks, mapping))
        return true;
    bool guarded = index > 0 && below->hi == mapping->lo && !below->readable && !*below->path;
    return guarded && mapping->rss && mapping->hi - mapping->lo > TOP_BYTES
        && holds_thread(peer, mapping);
}

static bool is_shared_memory(const struct mapping *mapping)
{
    static const char *const names[] = {
        "/dev/shm/", "/memfd:", "/SYSV", "/dev/zero", "[anon_shmem"
    };
    for (size_t i = 0; mapping->shared && i < COUNT_OF(names); i++)
        if (strncmp(mapping->path, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* What a program sets to zero at its start has no file, but lies right behind the part that has. */
static bool is_behind_file(const struct peer *peer, size_t index)
{
    const struct mapping *mapping = &peer->mapping[index], *below = mapping - 1;
    return index > 0 && below->hi == mapping->lo && below->inode != 0 && below->writable
        && mapping->writable && !*mapping->path;
}

static enum row row_of(struct peer *peer, const struct stacks *stacks, size_t index)
{
    const struct mapping *mapping = &peer->mapping[index];
    if (is_stack(peer, stacks, index))
        return ROW_stacks;
    if (is_shared_memory(mapping))
        return ROW_shared;
    if (strcmp(mapping->path, "[heap]") == 0)
        return ROW_brk;
    bool file = mapping->inode != 0 || strncmp(mapping->path, "[v", 2) == 0;
    return file || is_behind_file(peer, index) ? ROW_files : ROW_anonymous;
}

/* What is not the heap's. */
static size_t rest_of(const struct census *census, const struct mapping *mapping)
{
    size_t share = census_share(census, mapping);
    return mapping->rss > share ? mapping->rss - share : 0;
}

static void add_rest(struct census *census, struct survey *survey)
{
    struct stacks stacks = { 0 };
    struct peer *peer = census->peer;
    survey->threads = (int64_t)peer_stacks(peer, note_stack, &stacks);
    for (size_t i = 0; i < peer->count; i++) {
        size_t rest = rest_of(census, &peer->mapping[i]);
        survey->swap += (int64_t)peer->mapping[i].swap;
        if (rest)
            survey->row[row_of(peer, &stacks, i)] += (int64_t)rest;
    }
    free(stacks.pointer);
}

/* -- without pagemap --------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of the mappings that are part of [lo, hi). */
static int64_t range_rss(const struct peer *peer, word lo, word hi)
{
    int64_t rss = 0;
    for (size_t i = 0; i < peer->count; i++)
        if (peer->mapping[i].lo < hi && peer->mapping[i].hi > lo)
            rss += (int64_t)peer->mapping[i].rss;
    return rss;
}

/* Every page was taken for resident. What the kernel says of the cage as a whole is dealt out to
 * the rows, those first that are surely touched. */
static void estimate(const struct census *census, struct survey *survey)
{
    static const enum row order[] = {
        ROW_live, ROW_arena, ROW_large, ROW_pinned, ROW_tails, ROW_free, ROW_empty, ROW_huge,
    };
    const struct cage_tables *tables = &census->tables;
    word base = census->cage.base;
    int64_t left = range_rss(census->peer, base, base + census->cage.reach);
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        int64_t *row = &survey->row[order[i]];
        *row = least(*row, left);
        left -= *row;
    }
    survey->trimmable = least(survey->trimmable, survey->row[ROW_free]);
    survey->row[ROW_tables] = least(survey->row[ROW_tables],
        range_rss(census->peer, tables->side, tables->meta + tables->meta_bytes));
}

/* -- one attempt, and the best of some --------------------------------------------------------- */

static int64_t rows_sum(const struct survey *survey)
{
    int64_t sum = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        sum += survey->row[i];
    return sum;
}

static int64_t mappings_rss(const struct peer *peer)
{
    int64_t rss = 0;
    for (size_t i = 0; i < peer->count; i++)
        rss += (int64_t)peer->mapping[i].rss;
    return rss;
}

static bool attempt(struct peer *peer, struct beacon *beacon, struct survey *survey)
{
    struct census census = { .peer = peer, .beacon = beacon };
    *survey = (struct survey){ .pid = peer->pid, .time = (int64_t)time(NULL) };
    bool done = peer_look(peer) && census_take(&census, survey);
    if (done) {
        add_rest(&census, survey);
        if (census.way == RESIDENCY_REFUSED)
            estimate(&census, survey);
        survey->rss = (int64_t)peer_rss(peer);
        survey->rss = survey->rss ? survey->rss : mappings_rss(peer);
        survey->statm = (int64_t)peer_statm(peer);
        survey->row[ROW_moved] = survey->rss - rows_sum(survey);               /* V1 */
        snprintf(survey->pages, sizeof survey->pages, "%s", ways[census.way]);
    }
    int error = errno;
    census_fini(&census);
    errno = error;
    return done;
}

static int64_t size_of(int64_t moved)
{
    return moved < 0 ? -moved : moved;
}

/* A process that allocates while it is read gives rows of different moments: the reading with the
 * smallest remainder is the one closest to a moment. */
static bool attempt_some(struct peer *peer, struct beacon *beacon, struct survey *best)
{
    static struct survey next;
    bool any = false;
    for (int i = 0; i < ATTEMPTS; i++) {
        bool done = attempt(peer, beacon, &next);
        if (done && (!any || size_of(next.row[ROW_moved]) < size_of(best->row[ROW_moved])))
            *best = next;
        any = any || done;
        if (any && size_of(best->row[ROW_moved]) <= best->rss / 1024)
            break;
    }
    return any;
}

/* -- what goes wrong --------------------------------------------------------------------------- */

static void user_of(int pid, char *out, size_t bytes)
{
    char path[64];
    struct stat about;
    snprintf(path, sizeof path, "/proc/%d", pid);
    struct passwd *entry = stat(path, &about) == 0 ? getpwuid(about.st_uid) : NULL;
    snprintf(out, bytes, "%s", entry ? entry->pw_name : "another user");
}

/* A process that the kernel lets nobody look into has no mappings to show. */
static void tell_empty(const struct verb *verb, int pid)
{
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    bool there = file_read(path, line, sizeof line);
    const char *state = there ? strrchr(line, ')') : NULL;
    if (!state)
        complain(verb, "process %d has just ended", pid);
    else if (strstr(state, ") Z") == state || strstr(state, ") X") == state)
        complain(verb, "process %d has ended and waits for its parent to notice; it has no memory",
                 pid);
    else
        complain(verb, "process %d is a thread of the kernel; it has no memory of its own", pid);
}

static void tell_denied(const struct verb *verb, int pid, int error)
{
    char user[64], yama[16] = "0";
    user_of(pid, user, sizeof user);
    if (file_read("/proc/sys/kernel/yama/ptrace_scope", yama, sizeof yama) && *yama > '0')
        complain(verb, "the memory of process %d (of %s) may not be read (%s); Yama restricts it "
                 "here (kernel.yama.ptrace_scope is %c). Ask as root", pid, user, strerror(error),
                 *yama);
    else
        complain(verb, "the memory of process %d (of %s) may not be read (%s). Ask as its user, "
                 "or as root", pid, user, strerror(error));
}

static void tell_unlooked(const struct verb *verb, int pid, int error)
{
    if (error == EACCES || error == EPERM)
        tell_denied(verb, pid, error);
    else if (error == ENOENT || error == ESRCH)
        complain(verb, "there is no process %d; ps -e lists what runs, and in a container the "
                 "numbers seen inside it count", pid);
    else
        complain(verb, "process %d cannot be looked at (%s)", pid, strerror(error));
}

static void tell_absent(const struct verb *verb, int pid)
{
    char path[64];
    struct binary_facts facts;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (binary_read(path, &facts) == BINARY_READ && facts.class_bits == 32)
        complain(verb, "process %d is a program of 32 bits, and midden a library of 64: it cannot "
                 "be in there", pid);
    else
        complain(verb, "midden is not in process %d; `midden doctor %d` says why", pid, pid);
}

static bool tell_beacon(const struct verb *verb, int pid, const struct beacon *beacon,
                        enum beacon_answer answer)
{
    int error = errno;
    switch (answer) {
    case BEACON_FOUND:
        return true;
    case BEACON_ABSENT:
        tell_absent(verb, pid);
        break;
    case BEACON_MUTE:
        complain(verb, "the library in process %d (%s) is of another version and publishes "
                 "nothing this command knows. Use the command that came with it, or start the "
                 "process again", pid, beacon->path);
        break;
    case BEACON_OTHER:
        complain(verb, "the library in process %d (%s) is midden %s, whose tables this command "
                 "(midden %s) cannot read: %s. Use the command that came with it, or start the "
                 "process again", pid, beacon->path, beacon->published.version, PACKAGE_VERSION,
                 beacon->difference);
        break;
    case BEACON_UNREADABLE:
        tell_denied(verb, pid, error);
        break;
    }
    return false;
}

/* -- the whole --------------------------------------------------------------------------------- */

static void name_it(struct survey *survey, const struct beacon *beacon)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)survey->pid);
    if (file_read(path, survey->command, sizeof survey->command))
        survey->command[strcspn(survey->command, "\n")] = '\0';
    snprintf(survey->library, sizeof survey->library, "%s", beacon->path);
    snprintf(survey->version, sizeof survey->version, "%s", beacon->published.version);
}

static bool take(const struct verb *verb, struct peer *peer, struct survey *survey)
{
    struct beacon beacon;
    if (!peer_look(peer)) {
        tell_unlooked(verb, peer->pid, errno);
        return false;
    }
    if (peer->count == 0) {
        tell_empty(verb, peer->pid);
        return false;
    }
    errno = 0;
    if (!tell_beacon(verb, peer->pid, &beacon, beacon_find(&beacon, peer)))
        return false;
    if (!attempt_some(peer, &beacon, survey)) {
        tell_unlooked(verb, peer->pid, errno);
        return false;
    }
    name_it(survey, &beacon);
    return true;
}

bool survey_take(const struct verb *verb, int pid, struct survey *survey)
{
    struct peer peer;
    peer_init(&peer, pid);
    bool taken = take(verb, &peer, survey);
    peer_fini(&peer);
    return taken;
}
