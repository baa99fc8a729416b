/* callback.h - whom a collection tells.
 * Job         A short list of functions, called in the order they were added in.
 * Locking     a lock of its own, taken inside; not held during a call.
 */
#ifndef MIDDEN_MANAGED_CALLBACK_H
#define MIDDEN_MANAGED_CALLBACK_H

#include "base/base.h"

#include <midden/gc.h>

/* errno values as gc.h says, 0: done. */
int  callback_add(midden_callback *call, void *arg);
int  callback_remove(midden_callback *call, void *arg);
void callback_each(enum midden_phase phase, const struct midden_collection *collection);
void callback_fork_child(void);

#endif
