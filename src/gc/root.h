/* root.h - where words come from.
 * Job         Memory the program registered; and of a process nobody told anything about, its
 *             stacks, registers, static data, thread-locals and private writable mappings. Memory
 *             that is the collector's own is left out.
 * Invariants  O1  registered ranges are sorted and do not overlap
 * Locking     root_lock guards the table; who reads it in a stopped world needs no lock (W1).
 */
#ifndef MIDDEN_GC_ROOT_H
#define MIDDEN_GC_ROOT_H

#include "base/base.h"
#include "os/os.h"

extern struct lock root_lock;

enum root_kind { ROOT_REGISTERED, ROOT_STACK, ROOT_STATIC, ROOT_MAPPING };

/* A piece of a root: what stands at `address`, to be read at `at`. */
struct root_piece {
    enum root_kind kind;
    word           base;                         /* of the whole root */
    word           address;
    const word    *at;
    size_t         words;
};
typedef void root_visit(const struct root_piece *piece, void *arg);

/* errno values as gc.h says, 0: done. Both are called inside. */
int  root_add(word base, size_t bytes);
int  root_remove(word base);

/* The calling thread ends: its stack, [lo, hi), is no root any more, until another thread has it.
 * Inside. */
void root_thread_ends(word lo, word hi);

bool root_prepare(void);                         /* before it stops; false: out of memory */
/* In a stopped world. `lowest`: as os_spill says of the calling thread. false: what is mapped could
 * not be read to its end. */
void root_each_registered(root_visit *visit, void *arg);
bool root_each_mapping(word lowest, root_visit *visit, void *arg);

/* Memory of our own that is never a root, reserved only; 0: none. *bytes is what it would be good
 * to have, and then what there is: at least `least`.
 * Under a limit on address space it is little. */
word root_own_memory(size_t least, size_t *bytes);
/* What is small, and needed whole. */
INLINE word root_own_piece(size_t bytes)
{
    return root_own_memory(bytes, &bytes);
}

#endif
