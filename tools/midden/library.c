/* library.c - see library.h. */
#include "library.h"

#include "base/option.h"
#include "policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef LIBDIR
#define LIBDIR "/usr/local/lib"                  /* the build says better: -DLIBDIR */
#endif

/* -- where the library lies -------------------------------------------------------------------- */

/* From the directory of the running command: libtool's build trees first, then a prefix that was
 * moved as a whole. */
static const char *const beside[] = { ".", ".libs", "../.libs", "../../.libs", "../lib" };

/* The directory is resolved, the name is kept: libmidden.so.0 outlives an upgrade, the file it
 * leads to does not, and what a long-lived command starts later must find it. */
static bool take_if_there(struct library *library, const char *candidate, const char *found_by)
{
    char directory[PATH_MAX], resolved[PATH_MAX];
    const char *slash = strrchr(candidate, '/');
    const char *name = slash ? slash + 1 : candidate;
    snprintf(directory, sizeof directory, "%.*s", (int)(name - candidate), candidate);
    if (access(candidate, R_OK) != 0 || !realpath(*directory ? directory : ".", resolved))
        return false;
    size_t length = (size_t)snprintf(library->path, sizeof library->path, "%s/%s",
                                     strcmp(resolved, "/") == 0 ? "" : resolved, name);
    library->found_by = found_by;
    return length < sizeof library->path;
}

static bool find_beside(struct library *library)
{
    char here[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", here, sizeof here - 1);
    if (length <= 0)
        return false;
    here[length] = '\0';
    *strrchr(here, '/') = '\0';
    for (size_t i = 0; i < COUNT_OF(beside); i++) {
        char candidate[PATH_MAX + 64];
        snprintf(candidate, sizeof candidate, "%s/%s/%s", here, beside[i], LIBRARY_SONAME);
        if (take_if_there(library, candidate, "beside the command"))
            return true;
    }
    return false;
}

static bool find_anywhere(struct library *library, char *why, size_t why_bytes)
{
    const char *named = getenv("MIDDEN_LIBRARY");
    if (named && *named) {
        if (take_if_there(library, named, "MIDDEN_LIBRARY"))
            return true;
        snprintf(why, why_bytes, "MIDDEN_LIBRARY names a library that cannot be read (%s: %s). "
                 "Correct it or unset it", named, strerror(errno));
        return false;
    }
    char resolved[PATH_MAX];
    if (find_beside(library)
        || take_if_there(library, LIBDIR "/" LIBRARY_SONAME, "the configured library directory")
        || (library_resolve(LIBRARY_SONAME, resolved, sizeof resolved)
            && take_if_there(library, resolved, "the loader's search path")))
        return true;
    snprintf(why, why_bytes,
             "%s was not found (beside the command, in %s, on the loader's search path). "
             "Install it, or set MIDDEN_LIBRARY to its path",
             LIBRARY_SONAME, LIBDIR);
    return false;
}

/* What ld.so would refuse later, with a line that nobody reads and an exit status of 0. */
static bool is_preloadable(const struct library *library, char *why, size_t why_bytes)
{
    struct statvfs about;
    if (strpbrk(library->path, ": ")) {
        snprintf(why, why_bytes, "the library's path has a space or a colon in it (%s), and "
                 "LD_PRELOAD splits there. Move it, or name a link to it", library->path);
        return false;
    }
    if (statvfs(library->path, &about) == 0 && (about.f_flag & ST_NOEXEC)) {
        snprintf(why, why_bytes, "the library lies on a file system mounted noexec (%s), and "
                 "cannot be mapped as code. Install it elsewhere", library->path);
        return false;
    }
    return true;
}

bool library_find(struct library *library, char *why, size_t why_bytes)
{
    return find_anywhere(library, why, why_bytes) && is_preloadable(library, why, why_bytes);
}

bool library_enter(const struct verb *verb)
{
    struct library library;
    char why[PATH_MAX + 256];
    if (!library_find(&library, why, sizeof why)) {
        complain(verb, "%s", why);
        return false;
    }
    preload_prepend(library.path);
    return true;
}

/* -- asking the dynamic loader ----------------------------------------------------------------- */

/* With LD_TRACE_LOADED_OBJECTS set the loader lists what it would map and stops before any code of
 * it runs: its own answer, with its cache and its rules, and no constructor of a stranger in this
 * process. */
static void trace_child(const char *name, int out)
{
    static char itself[] = "/proc/self/exe";
    int null = open("/dev/null", O_RDWR);
    setenv("LD_TRACE_LOADED_OBJECTS", "1", 1);
    setenv("LD_PRELOAD", name, 1);
    dup2(null, STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    execv(itself, (char *[]){ itself, NULL });
    _exit(EXIT_OURS);
}

/* Lines look like "\tlibx.so.1 => /path/libx.so.1 (0x...)" or "\t/path/libx.so (0x...)". */
static bool trace_line(char *line, const char *name, char *path, size_t bytes)
{
    char *arrow = strstr(line, " => ");
    char *start = arrow ? arrow + 4 : line + strspn(line, " \t");
    char *first = line + strspn(line, " \t");
    if (strncmp(first, name, strlen(name)) != 0 || !strchr(" \t(", first[strlen(name)])
        || *start != '/')
        return false;
    char *end = strstr(start, " (0x");
    if (end)
        *end = '\0';
    return (size_t)snprintf(path, bytes, "%s", start) < bytes;
}

bool library_resolve(const char *name, char *path, size_t bytes)
{
    int ends[2];
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child == 0)
        trace_child(name, ends[1]);
    close(ends[1]);
    FILE *lines = fdopen(ends[0], "r");
    while (lines && getline(&line, &room, lines) > 0)
        found = found || trace_line(line, name, path, bytes);
    free(line);
    if (lines)
        fclose(lines);
    if (child > 0)
        waitpid(child, NULL, 0);
    return found;
}

/* -- the environment of what is executed ------------------------------------------------------- */

static void environment_join(const char *name, const char *head, char separator, const char *tail)
{
    char *joined;
    if (asprintf(&joined, "%s%c%s", head, separator, tail) < 0)
        return;
    setenv(name, joined, 1);
    free(joined);
}

void preload_prepend(const char *path)
{
    const char *before = getenv("LD_PRELOAD");
    size_t length = strlen(path);
    if (!before || !*before)
        setenv("LD_PRELOAD", path, 1);
    else if (strncmp(before, path, length) != 0 || !strchr(": ", before[length]))
        environment_join("LD_PRELOAD", path, ':', before);
}

void preload_options_add(const char *pairs)
{
    const char *before = getenv("MIDDEN_OPTIONS");
    if (!before || !*before)
        setenv("MIDDEN_OPTIONS", pairs, 1);
    else
        environment_join("MIDDEN_OPTIONS", before, ',', pairs);
}

/* -- the options the library knows ------------------------------------------------------------- */

static void tell_complaint(const struct option_complaint *complaint, void *verb)
{
    char line[512];
    struct text text;
    text_init(&text, line, sizeof line);
    option_complaint_text(&text, complaint);
    complain(verb, "%s; `midden help options` lists the keys", line);
}

bool preload_options_valid(const struct verb *verb, const char *pairs, const char *origin)
{
    struct options options;
    struct option_source source = { origin, tell_complaint, (void *)verb, policy_judge };
    option_defaults(&options);
    return option_parse(&options, pairs, &source) == 0;
}

void preload_options_list(void)
{
    char takes[256], initial[64];
    printf("MIDDEN_OPTIONS=\"KEY=VALUE,KEY=VALUE\" is read by the library when a program starts;\n"
           "`midden run --options` adds to it. Where nothing is said:\n\n");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        struct text text;
        text_init(&text, takes, sizeof takes);
        option_takes_text(&text, &option_table[i]);
        text_init(&text, initial, sizeof initial);
        option_value_text(&text, &option_table[i], option_table[i].initial);
        printf("  %s=%s\n      %s\n      takes %s\n", option_table[i].name, initial,
               option_table[i].text, takes);
    }
}
