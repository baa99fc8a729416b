/* walk.h - the corridor: everything others may ask about blocks.
 * Job         From a word to a block, and over all blocks; nothing here changes the heap. What is
 *             read while threads run may be half a moment old; it is always safe to read.
 * Locking     none.
 */
#ifndef MIDDEN_HEAP_WALK_H
#define MIDDEN_HEAP_WALK_H

#include "base/base.h"

struct ref {
    word start;                                  /* proven: the first byte of one of our blocks */
};

enum walk_kind { WALK_MANUAL, WALK_LARGE, WALK_ARENA, WALK_COUNTED, WALK_TRACED, WALK_LEAF };

struct walk_block {
    word           start;
    size_t         bytes;
    enum walk_kind kind;
    bool           free;
};

bool walk_resolve(word address, struct ref *ref);  /* a block in use that holds this address */
bool walk_look(word address, struct walk_block *block);               /* any block, free ones too */
/* Those in use, in order of address; `visit` ends it by false, and false is the answer then. */
bool walk_blocks(bool (*visit)(const struct walk_block *block, void *arg), void *arg);
size_t walk_good_bytes(size_t bytes);            /* of the block such a request gets; 0: none */

struct walk_class {
    size_t block_bytes, slabs, blocks, taken;
};
struct walk_figures {
    size_t cage_bytes, reach_bytes, span_bytes, dirty_bytes, peak_span_bytes, meta_bytes;
    size_t taken_blocks, taken_bytes;            /* in use by the program, of all kinds */
    size_t free_blocks, free_bytes;              /* free blocks inside slabs */
    size_t large_blocks, large_bytes;
    size_t arena_blocks, arena_bytes;            /* of named arenas */
    size_t heaps, live_heaps;
};
void   walk_figures(struct walk_figures *figures);
void   walk_class_figures(unsigned class, struct walk_class *figures);
size_t walk_class_count(void);

#endif
