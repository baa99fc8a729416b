/* peer.c - see peer.h. */
#include "peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

void peer_init(struct peer *peer, int pid)
{
    *peer = (struct peer){ .pid = pid, .memory = -1 };
}

static void forget(struct peer *peer)
{
    for (size_t i = 0; i < peer->count; i++)
        free(peer->mapping[i].path);
    free(peer->mapping);
    peer->mapping = NULL;
    peer->count = 0;
}

void peer_fini(struct peer *peer)
{
    forget(peer);
    if (peer->memory >= 0)
        close(peer->memory);
    peer->memory = -1;
}

static FILE *open_in(const struct peer *peer, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "/proc/%d/%s", peer->pid, name);
    return fopen(path, "re");
}

/* -- mappings ---------------------------------------------------------------------------------- */

static bool read_head(char *line, struct mapping *mapping)
{
    char access[8];
    int path = 0;
    *mapping = (struct mapping){ 0 };
    int fields = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %" SCNx64 " %*s %" SCNu64 " %n",
                        &mapping->lo, &mapping->hi, access, &mapping->offset, &mapping->inode,
                        &path);
    if (fields != 5 || path == 0 || strlen(access) != 4)
        return false;
    mapping->readable = access[0] == 'r';
    mapping->writable = access[1] == 'w';
    mapping->executable = access[2] == 'x';
    mapping->shared = access[3] == 's';
    line[strcspn(line, "\n")] = '\0';
    mapping->path = strdup(line + path);
    return mapping->path != NULL;
}

/* Figures of a mapping stand on the lines below its head, in KiB. */
static void read_figure(const char *line, struct mapping *mapping)
{
    static const struct {
        const char *name;
        size_t      at;
    } figures[] = {
        { "Rss:", offsetof(struct mapping, rss) },
        { "Swap:", offsetof(struct mapping, swap) },
        { "Shared_Clean:", offsetof(struct mapping, common) },
        { "Shared_Dirty:", offsetof(struct mapping, common) },
    };
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        size_t length = strlen(figures[i].name);
        if (strncmp(line, figures[i].name, length) == 0)
            *(size_t *)((char *)mapping + figures[i].at) += KIB(strtoul(line + length, NULL, 10));
    }
}

static bool add_mapping(struct peer *peer, const struct mapping *mapping)
{
    if ((peer->count & (peer->count - 1)) == 0) {
        size_t room = peer->count ? peer->count * 2 : 1;
        struct mapping *larger = realloc(peer->mapping, room * sizeof *larger);
        if (!larger)
            return false;
        peer->mapping = larger;
    }
    peer->mapping[peer->count++] = *mapping;
    return true;
}

bool peer_look(struct peer *peer)
{
    char *line = NULL;
    size_t room = 0;
    struct mapping mapping;
    FILE *lines = open_in(peer, "smaps");
    if (!lines)
        return false;
    forget(peer);
    bool sound = true;
    while (sound && (errno = 0, getline(&line, &room, lines)) > 0) {
        if (line[0] >= 'A' && line[0] <= 'Z') {
            if (peer->count)
                read_figure(line, &peer->mapping[peer->count - 1]);
        } else {
            sound = read_head(line, &mapping) && add_mapping(peer, &mapping);
        }
    }
    int error = sound ? errno : ENOMEM;
    free(line);
    fclose(lines);
    errno = error;
    return error == 0;
}

/* -- memory ------------------------------------------------------------------------------------ */

/* Where a sandbox refuses the system call, the file may still be had. */
static ssize_t read_file(struct peer *peer, word at, void *out, size_t bytes)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", peer->pid);
    if (peer->memory < 0)
        peer->memory = open(path, O_RDONLY | O_CLOEXEC);
    return peer->memory < 0 ? -1 : pread(peer->memory, out, bytes, (off_t)at);
}

static ssize_t read_once(struct peer *peer, word at, void *out, size_t bytes)
{
    struct iovec here = { out, bytes }, there = { (void *)at, bytes };
    ssize_t got = process_vm_readv(peer->pid, &here, 1, &there, 1, 0);
    return got < 0 && errno != EFAULT && errno != ESRCH ? read_file(peer, at, out, bytes) : got;
}

size_t peer_read(struct peer *peer, word at, void *out, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        size_t piece = bytes - done < MIB(16) ? bytes - done : MIB(16);
        ssize_t got = read_once(peer, at + done, (char *)out + done, piece);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* -- resident memory --------------------------------------------------------------------------- */

size_t peer_rss(const struct peer *peer)
{
    char *line = NULL;
    size_t room = 0, rss = 0;
    FILE *lines = open_in(peer, "smaps_rollup");
    while (lines && getline(&line, &room, lines) > 0)
        if (strncmp(line, "Rss:", 4) == 0)
            rss = KIB(strtoul(line + 4, NULL, 10));
    free(line);
    if (lines)
        fclose(lines);
    return rss;
}

size_t peer_statm(const struct peer *peer)
{
    size_t pages = 0;
    FILE *statm = open_in(peer, "statm");
    if (statm && fscanf(statm, "%*s %zu", &pages) != 1)
        pages = 0;
    if (statm)
        fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* -- stacks ------------------------------------------------------------------------------------ */

/* "NUMBER ARGUMENTS... SP PC"; of a thread that runs: "running". */
static word stack_pointer(const struct peer *peer, const char *thread)
{
    char path[300], line[256] = "";
    snprintf(path, sizeof path, "task/%s/syscall", thread);
    FILE *file = open_in(peer, path);
    if (!file)
        return 0;
    char *got = fgets(line, sizeof line, file);
    fclose(file);
    char *last = got ? strrchr(line, ' ') : NULL;
    if (!last)
        return 0;
    *last = '\0';
    char *before = strrchr(line, ' ');
    return before ? (word)strtoull(before + 1, NULL, 16) : 0;
}

size_t peer_stacks(const struct peer *peer, void (*visit)(word pointer, void *arg), void *arg)
{
    char path[64];
    struct dirent *entry;
    size_t threads = 0;
    snprintf(path, sizeof path, "/proc/%d/task", peer->pid);
    DIR *tasks = opendir(path);
    while (tasks && (entry = readdir(tasks))) {
        if (entry->d_name[0] == '.')
            continue;
        threads++;
        word pointer = stack_pointer(peer, entry->d_name);
        if (pointer)
            visit(pointer, arg);
    }
    if (tasks)
        closedir(tasks);
    return threads;
}
