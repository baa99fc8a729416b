/* process.c - what midden doctor looks at in a living process: is the library in it, and if not,
 * why. */
#include "finding.h"
#include "preflight.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mapped {
    char        midden[PATH_MAX];                /* path of the library; "": not mapped */
    char        replaced[64];                    /* another file that brings a malloc; "": none */
    const char *sanitizer;                       /* NULL: none */
};

static const char *const allocators[] = {
    "libjemalloc", "libtcmalloc", "libmimalloc", "libhardened_malloc"
};
static const char *const sanitizers[] = { "libasan", "libtsan", "liblsan", "libhwasan" };

static const char *word_in(const char *line, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(line, words[i]))
            return words[i];
    return NULL;
}

static void note_line(struct mapped *mapped, char *line)
{
    const char *path = strchr(line, '/');
    if (!path)
        return;
    line[strcspn(line, "\n")] = '\0';
    const char *allocator = word_in(path, allocators, COUNT_OF(allocators));
    const char *sanitizer = word_in(path, sanitizers, COUNT_OF(sanitizers));
    if (strstr(path, "/libmidden.so"))
        snprintf(mapped->midden, sizeof mapped->midden, "%s", path);
    if (allocator)
        snprintf(mapped->replaced, sizeof mapped->replaced, "%s", allocator);
    if (sanitizer)
        mapped->sanitizer = sanitizer;
}

static bool read_maps(int process, struct mapped *mapped)
{
    char path[64], *line = NULL;
    size_t room = 0;
    memset(mapped, 0, sizeof *mapped);
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return false;
    bool any = false;
    while (errno = 0, getline(&line, &room, maps) > 0) {
        any = true;
        note_line(mapped, line);
    }
    int error = errno;
    free(line);
    fclose(maps);
    errno = error;
    return any || error == 0;
}

/* -- why it is not there ----------------------------------------------------------------------- */

/* The value of NAME in the environment the process was started with; false: not set there, or not
 * readable (errno). */
static bool started_with(int process, const char *name, char *out, size_t bytes)
{
    static char all[1 << 20];
    char path[64];
    size_t length = strlen(name);
    snprintf(path, sizeof path, "/proc/%d/environ", process);
    memset(all, 0, sizeof all);
    if (!file_read(path, all, sizeof all - 1))
        return false;
    errno = 0;
    for (const char *at = all; *at; at += strlen(at) + 1)
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return snprintf(out, bytes, "%s", at + length + 1) >= 0;
    return false;
}

static bool started_secure(int process)
{
    char path[64];
    ElfW(auxv_t) entry;
    bool secure = false;
    snprintf(path, sizeof path, "/proc/%d/auxv", process);
    FILE *entries = fopen(path, "re");
    while (entries && fread(&entry, sizeof entry, 1, entries) == 1)
        secure = secure || (entry.a_type == AT_SECURE && entry.a_un.a_val);
    if (entries)
        fclose(entries);
    return secure;
}

/* First entry of LD_PRELOAD that names the library, as the process sees the file system. */
static bool library_reachable(int process, const char *preload, char *entry, size_t bytes)
{
    char seen[PATH_MAX + 64];
    const char *at = preload;
    while (*at) {
        size_t length = strcspn(at, ": ");
        if (memmem(at, length, "libmidden", strlen("libmidden")))
            break;
        at += length + (at[length] != '\0');
    }
    snprintf(entry, bytes, "%.*s", (int)strcspn(at, ": "), at);
    snprintf(seen, sizeof seen, "/proc/%d/root%s", process, entry);
    return entry[0] != '/' || access(seen, R_OK) == 0;
}

static void explain_asked(int process, const char *preload)
{
    char entry[PATH_MAX];
    if (started_secure(process))
        finding(GRADE_BAD, "why",
                "start it as its own user, without file capabilities, or link it with -lmidden",
                "its start was marked as secure (AT_SECURE), so the loader ignored LD_PRELOAD=%s",
                preload);
    else if (!library_reachable(process, preload, entry, sizeof entry))
        finding(GRADE_BAD, "why",
                "install the library where the process sees it (its container has its own files)",
                "LD_PRELOAD names %s, which it cannot read", entry);
    else
        finding(GRADE_BAD, "why", "read what the loader said on its stderr when it started",
                "LD_PRELOAD=%s was set, but the loader did not take it", preload);
}

static void explain_absence(int process)
{
    char preload[PATH_MAX] = "", path[64];
    struct preflight flight;
    snprintf(path, sizeof path, "/proc/%d/exe", process);
    preflight_file(path, &flight);
    if (flight.obstacle == OBSTACLE_STATIC || flight.obstacle == OBSTACLE_MUSL
        || flight.obstacle == OBSTACLE_CLASS || flight.obstacle == OBSTACLE_MACHINE) {
        finding(GRADE_BAD, "why", preflight_cure(flight.obstacle), "the program %s (%s)",
                preflight_cause(flight.obstacle), flight.evidence);
        return;
    }
    bool known = started_with(process, "LD_PRELOAD", preload, sizeof preload) || errno == 0;
    if (!known)
        finding(GRADE_NOTE, "why", "ask as its user, or as root",
                "its environment cannot be read (%s)", strerror(errno));
    else if (!strstr(preload, "libmidden"))
        finding(GRADE_BAD, "why",
                "start it with `midden run`; a running process cannot change its malloc",
                "LD_PRELOAD was %s%s when it started", *preload ? "" : "not set", preload);
    else
        explain_asked(process, preload);
}

/* -- the whole --------------------------------------------------------------------------------- */

static void examine_loaded(int process, const struct mapped *mapped)
{
    char preload[PATH_MAX] = "";
    const char *first = NULL;
    bool gone = strstr(mapped->midden, " (deleted)") != NULL;
    finding(gone ? GRADE_NOTE : GRADE_OK, "loaded",
            gone ? "the file was replaced since; restart the process to get the new one" : NULL,
            "%s", mapped->midden);
    if (started_with(process, "LD_PRELOAD", preload, sizeof preload)
        && strstr(preload, "libmidden")) {
        *strstr(preload, "libmidden") = '\0';
        first = word_in(preload, allocators, COUNT_OF(allocators));
    }
    if (first)
        finding(GRADE_BAD, "order", "put libmidden first in LD_PRELOAD, as `midden run` does",
                "%s comes before it in LD_PRELOAD, and is the malloc of the process", first);
    else if (*mapped->replaced)
        finding(GRADE_NOTE, "others", NULL, "%s is mapped too, behind midden", mapped->replaced);
}

void process_examine(int process)
{
    struct mapped mapped;
    char name[256] = "?", path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", process);
    if (!file_read(path, name, sizeof name)) {
        finding(GRADE_BAD, "process",
                "ps -e lists what runs; in a container, use the number seen inside it",
                "there is no process %d", process);
        return;
    }
    name[strcspn(name, "\n")] = '\0';
    finding(GRADE_OK, "process", NULL, "%d, %s", process, name);
    if (!read_maps(process, &mapped)) {
        finding(GRADE_BAD, "maps", "ask as its user, or as root",
                "/proc/%d/maps cannot be read (%s)", process, strerror(errno));
        return;
    }
    if (mapped.sanitizer)
        finding(GRADE_BAD, "sanitizer", "build it without -fsanitize",
                "%s is mapped and owns the heap", mapped.sanitizer);
    if (*mapped.midden)
        examine_loaded(process, &mapped);
    else {
        finding(GRADE_BAD, "loaded", NULL, "libmidden is not mapped in it%s%s",
                *mapped.replaced ? "; its malloc is " : "", mapped.replaced);
        explain_absence(process);
    }
}
