/* minor.h - collections of young uncounted objects alone.
 * Job         The marks of the last collection stand: what has one is old, and neither looked into
 *             nor swept. Only old memory that was written since may hold a young object; the kernel
 *             says which it is (os/track.h), and it is looked into again.
 * Invariants  Y1  while marks stand, what an old block on an unwritten page holds is old, too
 *             Y2  a manual block that was freed and given out again keeps its mark: all it holds
 *                 was written since, so it is looked into
 *             Y3  all counted blocks are roots of a minor collection: it cannot know who lives
 * Locking     of one who collects (C1).
 * Source      sticky mark bits: Demers, Weiser, Hayes, Boehm, Bobrow and Shenker, "Combining
 *             generational and conservative garbage collection", 1990.
 *
 * When  a full collection that follows growth looked into much, left little more than the one
 * before it, and found nearly all of that alive: its marks stand, and the next ones for growth are
 * minor, until a quarter of what it left has been added (the 25 % rule). They come at half of what
 * is left of the growth that is allowed; what dies old comes on top, until the next full one.
 * One that had to look into half of the heap, or added a quarter at once, was in vain, and the next
 * full ones leave no marks: one, then two, four, up to 64. What dies old waits for a full one: the
 * seventeenth is one.
 */
#ifndef MIDDEN_MANAGED_MINOR_H
#define MIDDEN_MANAGED_MINOR_H

#include "heap/trace.h"

bool minor_is_enough(void);                      /* for a full one, while marks stand */
/* In a stopped world, before roots are looked at. false: it is not known what was written. */
bool minor_look_again(void);

void minor_never(bool never);                    /* no marks stand from now on */
bool minor_is_thinkable(size_t scanned_bytes);   /* after a full one: is it worth to compare? */
/* In the same stop, after the sweep; both may clear the marks after all. Counted bytes: what all
 * counted objects had at the last full one, and what was added to generation 2 since. */
void minor_was_made(size_t scanned_bytes, const struct trace_swept *swept, size_t counted_bytes);
void minor_full_was_made(size_t scanned_bytes, const struct trace_swept *swept,
                         size_t counted_bytes);
void minor_fork_child(void);

/* Y1, the hard way, in a stopped world (minor_check.c). After a minor one has marked: */
void minor_check(word lowest, bool (*mark_roots)(word lowest));
void minor_check_begin(void);                    /* some pages are about to be protected: */
void minor_check_protected(word lo, word hi);

#endif
