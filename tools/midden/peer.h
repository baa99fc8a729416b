/* peer.h - another process, looked at and not touched.
 * Job         Its mappings, its memory by copy, the place of its stacks. Nothing is stopped or
 *             signalled: what is read of a process that runs is of slightly different moments.
 */
#ifndef MIDDEN_TOOL_PEER_H
#define MIDDEN_TOOL_PEER_H

#include "base/base.h"

struct mapping {
    word     lo, hi;
    bool     readable, writable, executable, shared;
    uint64_t offset, inode;                      /* in the file; inode 0: no file */
    size_t   rss, swap;                          /* bytes */
    size_t   common;                             /* bytes of pages other processes map too */
    char    *path;                               /* as /proc shows it; "": none */
};

struct peer {
    int             pid;
    int             memory;                      /* /proc/PID/mem, -1: not opened yet */
    struct mapping *mapping;                     /* by address */
    size_t          count;
};

void peer_init(struct peer *peer, int pid);
void peer_fini(struct peer *peer);
bool peer_look(struct peer *peer);               /* its mappings, now; false: errno */

/* Copies what is mapped and readable there; returns the bytes copied from the first on. */
size_t peer_read(struct peer *peer, word at, void *out, size_t bytes);

/* Resident memory in bytes, as smaps_rollup counts its pages; 0: not to be had. */
size_t peer_rss(const struct peer *peer);
size_t peer_statm(const struct peer *peer);      /* as top and ps show it: a coarser count */

/* Calls `visit` with the stack pointer of each thread that sleeps. The answer: all threads. */
size_t peer_stacks(const struct peer *peer, void (*visit)(word pointer, void *arg), void *arg);

#endif
