/* trim.h - give memory back because somebody asks for it.
 * Job         Everything that is not in use and still has pages: empty slabs, pages that free
 *             blocks of a slab cover whole, empty spans. Of this thread's heap and of threads that
 *             ended; what another thread holds is his.
 * Locking     the roster lock and the span lock, taken inside. Called between heap_enter and
 *             heap_leave.
 */
#ifndef MIDDEN_HEAP_TRIM_H
#define MIDDEN_HEAP_TRIM_H

#include "heap/heap.h"

/* Bytes given back. `heap` may be NULL: a thread without one. Of the empty spans so many bytes keep
 * their pages. */
size_t trim_heap(struct heap *heap, size_t keep_bytes);

/* What is set aside fits such a limit on address space from now on. */
void trim_space(size_t limit_bytes);

#endif
