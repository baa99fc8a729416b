/* ask.h - objects, asked from outside.
 * Job         Who there is, who refers to whom; and what is frozen.
 * Locking     each stops the world for its look (collect.h); the visitor is called stopped.
 */
#ifndef MIDDEN_MANAGED_ASK_H
#define MIDDEN_MANAGED_ASK_H

#include "base/base.h"

#include <midden/gc.h>

/* A word that points into an object: its first byte, or 0. */
word ask_object(word address);
bool ask_is_counted(word object);                /* it is one's first byte, and in use */
bool ask_is_tracked(word address);
bool ask_is_finalized(word address);

/* Visits made; -1: the world could not be stopped. */
long ask_objects(int generation, midden_object_visitor *visit, void *arg);
/* -2: one of them is no managed object. */
long ask_referrers(void *const *objects, size_t count, midden_reference_visitor *visit, void *arg);
long ask_referents(void *const *objects, size_t count, midden_object_visitor *visit, void *arg);

bool   ask_freeze(void);
bool   ask_unfreeze(void);
size_t ask_frozen(void);

#endif
