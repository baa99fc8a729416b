/* handshake.h - the page by which the command knows that the library was really in a program.
 * Job         A preload that fails is silent, so a gate must not take silence for health. The
 *             command makes a memory file of one struct handshake and names it in the environment:
 *                 MIDDEN_HANDSHAKE=/proc/PID/fd/N
 *             Every program that the library starts in, the child and its own children, maps the
 *             page and adds one to `attached`; every fault found is noted in it. The command reads
 *             it when the child has ended.
 * Layout      one page of 4096 bytes in the byte order of the machine, fixed by the magic: what
 *             changes it changes "H1". Eight notes are a ring: fault number n is in note[n %
 *             HANDSHAKE_NOTES], and `number` tells which round it is of.
 * Invariants  H1  note[i].number is n + 1 once fault n is written whole, and 0 while it is being
 *                 written
 *             H2  faults >= number of every note
 * Locking     none: `attached` and `faults` are added to atomically. Whoever sets `busy` writes the
 *             note; a fault that finds it set, eight faults after one that is still being written,
 *             is counted and not noted. A program that dies while it writes leaves one note of
 *             eight unused. A note is published by storing its number with release and read by
 *             loading it with acquire; a reader of a running program may be overtaken while it
 *             reads.
 */
#ifndef MIDDEN_REPORT_HANDSHAKE_H
#define MIDDEN_REPORT_HANDSHAKE_H

#include "base/fault.h"

#define HANDSHAKE_VARIABLE "MIDDEN_HANDSHAKE"
#define HANDSHAKE_MAGIC    "middenH1"            /* eight bytes, no NUL */

enum { HANDSHAKE_BYTES = 4096, HANDSHAKE_NOTES = 8, HANDSHAKE_SENTENCE_BYTES = 488 };

struct handshake_note {
    uint32_t number;                             /* H1 */
    uint32_t kind;                               /* enum fault_kind */
    int32_t  pid;                                /* as seen in the program's own pid namespace */
    uint32_t busy;                               /* 1: somebody writes it */
    char     sentence[HANDSHAKE_SENTENCE_BYTES]; /* without "midden: "; NUL-terminated */
};

struct handshake {
    char     magic[8];                           /* HANDSHAKE_MAGIC, written by the command */
    uint32_t attached;                           /* programs the library started in */
    uint32_t faults;                             /* found by all of them together */
    uint32_t unused[12];
    struct handshake_note note[HANDSHAKE_NOTES];
};
_Static_assert(sizeof(struct handshake) <= HANDSHAKE_BYTES, "the handshake is one page");

/* -- in the library ---------------------------------------------------------------------------- */

/* Once, at start. True if there is a command that listens. Reads MIDDEN_HANDSHAKE, never under
 * AT_SECURE; what is not a file of /proc with the magic in it is left alone. */
bool handshake_attach(void);

/* Notes a fault and counts it; nothing if nobody listens. Async-signal-safe, from any thread, also
 * in a forked child. */
void handshake_fault(enum fault_kind kind, const char *sentence);

/* -- in the command ---------------------------------------------------------------------------- */

/* `page`: HANDSHAKE_BYTES of zeros, mapped shared from the memory file. */
INLINE void handshake_init(struct handshake *page)
{
    for (unsigned i = 0; i < sizeof page->magic; i++)
        page->magic[i] = HANDSHAKE_MAGIC[i];
}

INLINE uint32_t handshake_attached(const struct handshake *page)
{
    return __atomic_load_n(&page->attached, __ATOMIC_RELAXED);
}

INLINE uint32_t handshake_faults(const struct handshake *page)
{
    return __atomic_load_n(&page->faults, __ATOMIC_RELAXED);
}

/* The last fault that was written whole, NULL: none. Kept in the page; overwritten eight faults on.
 * */
INLINE const struct handshake_note *handshake_last(const struct handshake *page)
{
    const struct handshake_note *last = NULL;
    for (unsigned i = 0; i < HANDSHAKE_NOTES; i++) {
        uint32_t number = __atomic_load_n(&page->note[i].number, __ATOMIC_ACQUIRE);   /* H1 */
        if (number != 0 && (last == NULL || number > last->number))
            last = &page->note[i];
    }
    return last;
}

#endif
