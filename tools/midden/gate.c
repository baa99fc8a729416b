/* gate.c - see gate.h. */
#include "gate.h"

#include "report/handshake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool gate_map(struct gate *gate)
{
    void *page = MAP_FAILED;
    if (ftruncate(gate->fd, HANDSHAKE_BYTES) == 0)
        page = mmap(NULL, HANDSHAKE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, gate->fd, 0);
    if (page == MAP_FAILED)
        return false;
    gate->page = page;
    handshake_init(gate->page);
    return true;
}

/* The children open the page by its name in /proc; the descriptor itself is not handed down. */
bool gate_open(struct gate *gate)
{
    char name[64];
    gate->fd = memfd_create("midden", MFD_CLOEXEC);
    if (gate->fd < 0)
        return false;
    if (!gate_map(gate)) {
        int error = errno;
        close(gate->fd);
        errno = error;
        return false;
    }
    snprintf(name, sizeof name, "/proc/%d/fd/%d", getpid(), gate->fd);
    setenv(HANDSHAKE_VARIABLE, name, 1);
    return true;
}

void gate_read(const struct gate *gate, struct gate_news *news)
{
    const struct handshake_note *last = handshake_last(gate->page);
    memset(news, 0, sizeof *news);
    news->attached = handshake_attached(gate->page);
    news->faults = handshake_faults(gate->page);
    if (!last)
        return;
    news->last_process = last->pid;
    snprintf(news->sentence, sizeof news->sentence, "%.*s", HANDSHAKE_SENTENCE_BYTES,
             last->sentence);
}

void gate_close(struct gate *gate)
{
    munmap(gate->page, HANDSHAKE_BYTES);
    close(gate->fd);
    unsetenv(HANDSHAKE_VARIABLE);
}
