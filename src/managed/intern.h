/* intern.h - one leaf object for equal bytes.
 * Job         Finds the object that holds these bytes, or makes it; forgets those that went.
 * Locking     intern_lock, taken inside.
 */
#ifndef MIDDEN_MANAGED_INTERN_H
#define MIDDEN_MANAGED_INTERN_H

#include "base/base.h"
#include "os/os.h"

extern struct lock intern_lock;

word intern(const void *bytes, size_t count);    /* 0: out of memory */
void intern_forget_unmarked(void);               /* stopped, marks still up */

#endif
