/* track.h - which pages were written since they were last protected.
 * Job         The kernel's own book of it, by userfaultfd in its asynchronous mode and PAGEMAP_SCAN
 *             (Linux 6.7): the first write to a protected page costs the writer a short fault, and
 *             nobody is told. Where a page was never protected, or the kernel has forgotten that it
 *             was (its mapping is new, or our descriptor was closed by the program), it counts as
 *             written: to be wrong here costs time, never an object. What a device, or the kernel
 *             by pages it has pinned (registered buffers of io_uring), writes is not seen.
 * Locking     none: one caller at a time.
 */
#ifndef MIDDEN_OS_TRACK_H
#define MIDDEN_OS_TRACK_H

#include "base/base.h"

/* Makes [lo, lo + bytes) ready to be protected, after a test of the kernel at the first call. Call
 * it before each round: what was mapped meanwhile is made ready, too. false: not on this system,
 * or not in this process, and os_track_written will say false or that all is written. */
bool os_track_prepare(word lo, size_t bytes);
bool os_track_protect(word lo, word hi);         /* what is in memory there; false: not all */
/* Ranges of pages in [lo, hi) that were written, in order. false: not all were told. */
typedef void os_track_visit(word lo, word hi, void *arg);
bool os_track_written(word lo, word hi, os_track_visit *visit, void *arg);
void os_track_end(void);  /* nothing is protected any more; a forked child begins with it */

#endif
