/* machine.c - what midden doctor looks at on the machine: library, kernel, limits, environment. */
#include "child.h"
#include "finding.h"
#include "gate.h"
#include "library.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 10, MAPS_DEFAULT = 65530, SIZE_WORDS = 32 };

static const char *size_words(uint64_t bytes, char *out)
{
    struct text text;
    text_init(&text, out, SIZE_WORDS);
    text_bytes(&text, bytes);
    return out;
}

static bool first_line(const char *path, char *out, size_t bytes)
{
    if (!file_read(path, out, bytes))
        return false;
    out[strcspn(out, "\n")] = '\0';
    return true;
}

/* -- the library ------------------------------------------------------------------------------- */

struct proof {
    unsigned attached;                           /* as the handshake counts */
    char     version[32];                        /* of the library, by its own word; "": unknown */
};

/* Behind VERSION_LOADED, up to the end of its line. */
static void read_version(int output, struct proof *proof)
{
    char text[PATH_MAX + 256];
    ssize_t length = pread(output, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    const char *loaded = strstr(text, VERSION_LOADED);
    if (loaded) {
        loaded += strlen(VERSION_LOADED);
        snprintf(proof->version, sizeof proof->version, "%.*s", (int)strcspn(loaded, "\n"), loaded);
    }
}

static bool run_watched(const struct child *child, struct proof *proof)
{
    struct child_end end;
    struct gate_news news;
    struct gate gate;
    if (!gate_open(&gate))
        return false;
    bool done = child_run(child, &end) && child_exit_code(&end) == 0;
    gate_read(&gate, &news);
    gate_close(&gate);
    proof->attached = news.attached;
    return done;
}

/* Only a program in which it did proves that preloading works here: this command, once more. */
static bool start_proved(const struct library *library, struct proof *proof)
{
    char itself[] = "/proc/self/exe", verb[] = "version";
    char *argv[] = { itself, verb, NULL };
    int output = memfd_create("midden", MFD_CLOEXEC);
    struct child child = { .argv = argv, .input = -1, .output = output };
    char *before = getenv("LD_PRELOAD") ? strdup(getenv("LD_PRELOAD")) : NULL;
    preload_prepend(library->path);
    bool done = output >= 0 && run_watched(&child, proof);
    if (before)
        setenv("LD_PRELOAD", before, 1);
    else
        unsetenv("LD_PRELOAD");
    free(before);
    if (output >= 0) {
        read_version(output, proof);
        close(output);
    }
    return done;
}

static void examine_start(const struct library *library)
{
    static const char cure[] = "run `env LD_PRELOAD=LIBRARY true` and read what the loader says";
    struct proof proof = { 0 };
    if (!start_proved(library, &proof))
        finding(GRADE_BAD, "preloading", cure, "a program could not be run with it");
    else if (proof.attached == 0)
        finding(GRADE_BAD, "preloading", cure, "a program ran, but it did not start in it");
    else
        finding(GRADE_OK, "preloading", NULL, "the library started in a program and said so");
    if (!*proof.version)
        return;
    bool same = strcmp(proof.version, PACKAGE_VERSION) == 0;
    finding(same ? GRADE_OK : GRADE_NOTE, "version",
            same ? NULL : "install the command and the library from one build",
            "command %s, library %s", PACKAGE_VERSION, proof.version);
}

static void examine_library(void)
{
    struct library library;
    char why[PATH_MAX + 256];
    if (!library_find(&library, why, sizeof why)) {
        finding(GRADE_BAD, "library", NULL, "%s", why);
        return;
    }
    finding(GRADE_OK, "library", NULL, "%s (found by: %s)", library.path, library.found_by);
    examine_start(&library);
}

/* -- the kernel -------------------------------------------------------------------------------- */

static void examine_kernel(void)
{
    struct utsname name;
    unsigned major = 0, minor = 0;
    uname(&name);
    sscanf(name.release, "%u.%u", &major, &minor);
    bool old = major < KERNEL_MAJOR || (major == KERNEL_MAJOR && minor < KERNEL_MINOR);
    finding(old ? GRADE_NOTE : GRADE_OK, "kernel",
            old ? "5.10 or newer is what midden is tested on" : NULL, "%s %s", name.sysname,
            name.release);
}

static void examine_pages(void)
{
    char enabled[128], defrag[128] = "unknown";
    finding(GRADE_OK, "page size", NULL, "%ld bytes", sysconf(_SC_PAGESIZE));
    if (!first_line("/sys/kernel/mm/transparent_hugepage/enabled", enabled, sizeof enabled)) {
        finding(GRADE_NOTE, "huge pages", NULL,
                "this kernel has no transparent huge pages; large heaps are slower to touch");
        return;
    }
    first_line("/sys/kernel/mm/transparent_hugepage/defrag", defrag, sizeof defrag);
    bool never = strstr(enabled, "[never]") != NULL;
    finding(never ? GRADE_NOTE : GRADE_OK, "huge pages",
            never ? "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" : NULL,
            "enabled: %s, defrag: %s", enabled, defrag);
}

static void examine_overcommit(void)
{
    char mode[32];
    if (!first_line("/proc/sys/vm/overcommit_memory", mode, sizeof mode))
        finding(GRADE_NOTE, "overcommit", NULL, "unknown: %s", strerror(errno));
    else
        finding(GRADE_OK, "overcommit", NULL, "vm.overcommit_memory=%s%s", mode,
                strcmp(mode, "2") == 0 ? " (strict; what is only reserved is not charged)" : "");
}

/* The heap is one range with few changes of access, but guards and thread stacks of the program
 * need mappings too. */
static void examine_map_count(void)
{
    char count[32];
    if (!first_line("/proc/sys/vm/max_map_count", count, sizeof count))
        return;
    bool low = strtoul(count, NULL, 10) < MAPS_DEFAULT;
    finding(low ? GRADE_NOTE : GRADE_OK, "mappings", low ? "sysctl vm.max_map_count=65530" : NULL,
            "vm.max_map_count=%s", count);
}

/* Asked of the kernel directly: a sandbox shows here, whatever it is called. */
static void examine_reserve(void)
{
    size_t bytes = GIB(64);
    void *range = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) {
        finding(GRADE_NOTE, "reservation", "lift the limit on address space for a single range",
                "64 GiB of address space were refused (%s); the heap is claimed piece by piece",
                strerror(errno));
        return;
    }
    munmap(range, bytes);
    finding(GRADE_OK, "reservation", NULL, "64 GiB of address space can be reserved in one range");
}

static void examine_membarrier(void)
{
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    bool there = commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    if (there)
        finding(GRADE_OK, "membarrier", NULL, "private expedited barriers are there");
    else
        finding(GRADE_NOTE, "membarrier", "allow membarrier(2) in the sandbox",
                "%s; frees from other threads are dearer",
                commands < 0 ? strerror(errno) : "no private expedited barrier");
}

/* -- limits ------------------------------------------------------------------------------------ */

static void examine_limit(int resource, const char *name, const char *meaning)
{
    struct rlimit limit;
    char size[SIZE_WORDS];
    if (getrlimit(resource, &limit) != 0)
        return;
    if (limit.rlim_cur == RLIM_INFINITY)
        finding(GRADE_OK, name, NULL, "unlimited");
    else
        finding(GRADE_NOTE, name, "ulimit: lift it unless it is meant", "%s; %s",
                size_words(limit.rlim_cur, size), meaning);
}

/* Any group up to the root may be the one that limits. 0: none does. */
static uint64_t group_limit(char *group, const char *mount, const char *file)
{
    uint64_t lowest = 0;
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
        char path[PATH_MAX], text[64];
        *end = '\0';
        snprintf(path, sizeof path, "%s%s/%s", mount, group, file);
        uint64_t limit = first_line(path, text, sizeof text) ? strtoull(text, NULL, 10)
                                                             : 0; /* "max" reads as 0 */
        if (limit && limit < (uint64_t)1 << 60 && (!lowest || limit < lowest))
            lowest = limit;
    }
    return lowest;
}

static void examine_group(void)
{
    char groups[8192], size[SIZE_WORDS], *rest = NULL;
    uint64_t limit = 0;
    if (!file_read("/proc/self/cgroup", groups, sizeof groups))
        return;
    for (char *line = strtok_r(groups, "\n", &rest); line && !limit;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "0::", 3) == 0)
            limit = group_limit(line + 3, "/sys/fs/cgroup", "memory.max");
        else if (strstr(line, ":memory:"))
            limit = group_limit(strstr(line, ":memory:") + 8, "/sys/fs/cgroup/memory",
                                "memory.limit_in_bytes");
    }
    if (limit)
        finding(GRADE_NOTE, "memory cgroup",
                "MIDDEN_OPTIONS=limit=... makes malloc fail before the kernel kills", "at most %s",
                size_words(limit, size));
    else
        finding(GRADE_OK, "memory cgroup", NULL, "no limit");
}

static void examine_seccomp(void)
{
    char status[8192];
    const char *line =
        file_read("/proc/self/status", status, sizeof status) ? strstr(status, "\nSeccomp:") : NULL;
    int mode = line ? atoi(line + strlen("\nSeccomp:")) : 0;
    if (mode)
        finding(GRADE_NOTE, "seccomp", NULL,
                "a filter is active (mode %d); what it forbids of the above is told above", mode);
    else
        finding(GRADE_OK, "seccomp", NULL, "no filter");
}

static void examine_yama(void)
{
    char scope[32];
    if (!first_line("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof scope))
        finding(GRADE_OK, "yama", NULL, "not there; processes of the same user can be looked at");
    else if (atoi(scope) < 2)
        finding(GRADE_OK, "yama", NULL, "ptrace_scope=%s", scope);
    else
        finding(GRADE_NOTE, "yama", "look at other processes as root", "ptrace_scope=%s", scope);
}

/* -- the environment --------------------------------------------------------------------------- */

static void examine_preload(void)
{
    const char *list = getenv("LD_PRELOAD");
    if (!list || !*list)
        finding(GRADE_OK, "LD_PRELOAD", NULL, "not set");
    else if (strstr(list, "asan") || strstr(list, "tsan") || strstr(list, "lsan"))
        finding(GRADE_BAD, "LD_PRELOAD", "unset it: a sanitizer and midden cannot share a heap",
                "%s", list);
    else if (strstr(list, "jemalloc") || strstr(list, "tcmalloc") || strstr(list, "mimalloc"))
        finding(GRADE_NOTE, "LD_PRELOAD", "unset it; `midden run` puts midden in front of it",
                "%s holds another allocator", list);
    else
        finding(GRADE_OK, "LD_PRELOAD", NULL, "%s", list);
}

static void examine_system_preload(void)
{
    char list[1024];
    if (!file_read("/etc/ld.so.preload", list, sizeof list) || !list[strspn(list, " \t\n")])
        finding(GRADE_OK, "ld.so.preload", NULL, "nothing is preloaded into every program");
    else {
        list[strcspn(list, "\n")] = '\0';
        finding(GRADE_NOTE, "ld.so.preload",
                "it comes after LD_PRELOAD, and before every program's own malloc",
                "/etc/ld.so.preload: %s", list);
    }
}

static void examine_options(const struct verb *verb)
{
    const char *pairs = getenv("MIDDEN_OPTIONS");
    if (!pairs || !*pairs)
        finding(GRADE_OK, "MIDDEN_OPTIONS", NULL, "not set");
    else if (preload_options_valid(verb, pairs, "MIDDEN_OPTIONS"))
        finding(GRADE_OK, "MIDDEN_OPTIONS", NULL, "%s", pairs);
    else
        finding(GRADE_BAD, "MIDDEN_OPTIONS", "correct it; `midden help options` lists the keys",
                "%s", pairs);
    if (access("/etc/midden.conf", F_OK) == 0)
        finding(GRADE_NOTE, "midden.conf", NULL,
                "/etc/midden.conf is there: its settings are the defaults of every program");
    else
        finding(GRADE_OK, "midden.conf", NULL, "/etc/midden.conf is not there");
}

void machine_examine(const struct verb *verb)
{
    examine_library();
    examine_kernel();
    examine_pages();
    examine_overcommit();
    examine_map_count();
    examine_reserve();
    examine_membarrier();
    examine_limit(RLIMIT_AS, "address space", "the heap is claimed piece by piece under RLIMIT_AS");
    examine_limit(RLIMIT_DATA, "data segment",
                  "RLIMIT_DATA counts the heap too, and malloc fails there");
    examine_group();
    examine_seccomp();
    examine_yama();
    examine_preload();
    examine_system_preload();
    examine_options(verb);
}
