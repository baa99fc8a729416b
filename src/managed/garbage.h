/* garbage.h - what was found unreachable, told and kept (MIDDEN_DEBUG_...).
 * Locking     the turn of a collection; or a stopped world, where it says so.
 */
#ifndef MIDDEN_MANAGED_GARBAGE_H
#define MIDDEN_MANAGED_GARBAGE_H

#include "managed/trial.h"

void   garbage_mark(void);                       /* stopped: uncounted garbage is a root */
size_t garbage_save_unmarked(void);              /* stopped: uncounted ones; they are marked */
/* Our handles of them become the garbage's. How many. */
size_t garbage_save(struct trial_list *list);
void   garbage_tell(const struct trial_list *list, int debug);        /* a line an object */
long   garbage_visit(midden_object_visitor *visit, void *arg);
long   garbage_clear(void);

#endif
