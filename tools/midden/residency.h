/* residency.h - which pages of a range are in memory.
 * Job         A bit a page, read by the best way the kernel offers and permits: PAGEMAP_SCAN (6.7),
 *             else /proc/PID/pagemap. Pages of zeros that were only read count as nothing, as in
 *             the kernel's own figures.
 */
#ifndef MIDDEN_TOOL_RESIDENCY_H
#define MIDDEN_TOOL_RESIDENCY_H

#include "base/base.h"

enum residency_way { RESIDENCY_SCAN, RESIDENCY_MAP, RESIDENCY_REFUSED };

struct residency {
    word      lo;                                /* first byte of the range */
    size_t    page_bytes, pages;
    uint64_t *present;                           /* in memory */
    uint64_t *stored;                            /* in memory or swapped out: worth reading */
    size_t    swapped;                           /* bytes */
};

bool residency_init(struct residency *residency, word lo, word hi);   /* false: no memory */
void residency_fini(struct residency *residency);

/* The ways are tried from `way` on; the answer is the one that worked. `common`: other processes
 * may map these pages too, as after a fork. Where every way is refused all pages are marked. */
enum residency_way residency_read(struct residency *residency, int pid, enum residency_way way,
                                  bool common);

size_t residency_bytes(const struct residency *residency, word lo, word hi);   /* of [lo, hi) */
bool   residency_page(const struct residency *residency, word address);

#endif
