/* fault.h - the kinds of misuse, and what is known of one.
 * Job  The heap finds a fault and returns it; the front decides what to do; report/ tells it.
 *      Nothing here prints.
 */
#ifndef MIDDEN_BASE_FAULT_H
#define MIDDEN_BASE_FAULT_H

#include "base/base.h"

enum fault_kind {
    FAULT_NONE,
#define FAULT(name, sentence) FAULT_##name,
#include "base/fault.def"
#undef FAULT
    FAULT_COUNT
};

struct fault {
    enum fault_kind kind;
    const char     *call;                        /* "free", "realloc", ... */
    word            pointer;                     /* as the program passed it */
    word            start;                       /* of the block it hit; 0: none */
    size_t          block_bytes;                 /* usable bytes of that block */
    size_t          given;                       /* size or alignment claimed, where one was */
    const char     *name;                        /* arena or object file; NULL: unknown */
    const char     *by;                          /* ", by this thread", ...; NULL: unknown */
};

#endif
