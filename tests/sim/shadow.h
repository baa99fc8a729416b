/* shadow.h - what the program believes it owns.
 * Job  Every block in use with its size and a pattern in its bytes; dies where a new block overlaps
 *      another, where bytes have changed, or where the heap contradicts.
 */
#ifndef MIDDEN_TESTS_SIM_SHADOW_H
#define MIDDEN_TESTS_SIM_SHADOW_H

#include "base/base.h"

enum { SHADOW_MAX = 2048 };

struct shadow_block {
    word     at;
    size_t   bytes;                              /* as asked for */
    uint64_t tag;                                /* of its pattern */
    unsigned thread;                             /* who asked */
    bool     outside;                            /* of the last resort: in no slab */
};

extern struct shadow_block shadow[SHADOW_MAX];
extern size_t shadow_count;

/* Blocks of `bytes` at `at`, zero where it is said so; filled with a pattern of its own. */
void   shadow_add(word at, size_t bytes, size_t align, unsigned thread);
void   shadow_expect_zero(word at, size_t bytes);
void   shadow_check(const struct shadow_block *block);           /* its bytes are what they were */
void   shadow_check_kept(const struct shadow_block *old, word at, size_t bytes);
struct shadow_block shadow_remove(size_t index);                 /* before it is freed */
void   shadow_check_all(void);
void   shadow_check_walk(void);                  /* the corridor shows exactly these blocks */
size_t shadow_inside(void);                      /* those in the cage */

#endif
