/* trial.h - which counted objects nobody outside holds.
 * Job         Trial deletion over the objects of some generations: copies counts, takes away what
 *             owned fields explain; what has something left lives, with all it owns.
 * Source      Christopher, "Reference count garbage collection", 1984, in the form of CPython's gc;
 *             the second look for the resurrected is PEP 442's.
 * Locking     all of it needs a stopped world, and is called by the one who stopped it.
 */
#ifndef MIDDEN_MANAGED_TRIAL_H
#define MIDDEN_MANAGED_TRIAL_H

#include "managed/object.h"
#include "gc/mark.h"

/* Every counted object in use of generations up to `oldest`. */
typedef void trial_visit(struct header *header, void *arg);
void trial_each(unsigned oldest, trial_visit *visit, void *arg);

/* Links hold what nobody explains afterwards. */
void trial_subtract(unsigned oldest);
/* Raises the marks of what lives by itself: handles left, ending, or frozen. Drain afterwards. */
void trial_mark_held(unsigned oldest);
/* What would end with a finalizer lives on, too, its own or that of one it owns, or may be (who is
 * frozen is not asked): for where none may be called. Drain afterwards. */
void trial_spare_finalizers(unsigned oldest);
/* Young ones that a registered root or an uncounted object holds live; drained on return. false:
 * there is too much to look through, and nobody may be condemned. */
bool trial_hold_others(unsigned oldest);
/* A mark_object: of a collection of all generations, of words alone, and of the young ones. */
void trial_look_into(struct marker *marker, word start, size_t bytes);
void trial_look_into_words(struct marker *marker, word start, size_t bytes);
void trial_look_into_young(struct marker *marker, word start, size_t bytes);

struct trial_list {
    struct header *first;                        /* by links */
    size_t         count, bytes;
    size_t         lookers;  /* of them: a finalizer waits to be called, or visit looks elsewhere */
    size_t         survivors;                    /* of the generations looked at */
    size_t         survivors_bytes;
};
/* What is unmarked: condemned, with a handle of ours each; nobody, if not `any`. All grow older:
 * who was in a generation up to `oldest` is in the one behind it. */
void trial_condemn(bool any, unsigned oldest, struct trial_list *list);
/* What a finalizer may still look at: words of the condemned that may be pointers. */
void trial_keep_reached(const struct trial_list *list, struct marker *marker);
/* After finalizers: those retained, and what they own, leave the list; how many. */
size_t trial_pardon(struct trial_list *list);
/* A mark_object for trial_pardon. */
void trial_look_into_condemned(struct marker *marker, word start, size_t bytes);
void trial_clear_marks(unsigned oldest);

#endif
