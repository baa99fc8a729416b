/* front.h - what the front doors share: the way from a public call to the heap.
 * Job         Names of the exported functions, the slow paths behind them, what happens on a fault.
 * Locking     none here.
 */
#ifndef MIDDEN_FRONT_FRONT_H
#define MIDDEN_FRONT_FRONT_H

#include "base/fault.h"
#include "base/option.h"
#include "heap/heap.h"

/* The prefixed build is for tests and sanitizers: the same functions, interposing nothing. */
#ifdef MIDDEN_PREFIXED
#define PUBLIC(name) midden_##name
#define ALIAS(name, target)
#else
#define PUBLIC(name) name
#define ALIAS(name, target) \
    EXPORT extern __typeof__(target) name __attribute__((alias(#target), nothrow, leaf));
#endif

extern const struct options *front_options;     /* the defaults until life begins */

/* Blocks. All return 0 when memory is out, errno untouched; `zero` says whether the block reads as
 * zero. */
word   front_alloc(size_t bytes, bool *zero);
word   front_alloc_aligned(size_t bytes, size_t align, bool *zero);   /* align: a power of two */
void   front_free(word pointer, const char *call);                    /* any pointer whatever */
/* and checks what is claimed of it */
void   front_free_sized(word pointer, size_t bytes, size_t align, const char *call);
void   front_full_word(word block);  /* it was freed, and a word of its slab became all free */
size_t front_usable(word pointer);                                    /* 0: no block of ours */
bool   front_zero_frees(void);  /* whether realloc(p, 0) frees p */
size_t front_page_bytes(void);
void  *front_give(word block);  /* the pointer, or NULL and ENOMEM */

/* Faults. */
void front_fault(enum fault_kind kind, word pointer, size_t given, const char *call);
void front_fault_at(enum fault_kind kind, word pointer, const char *name, const char *call);
/* tells of a block two threads freed at the same time, if there was one */
void front_fault_twice(struct heap *heap);

/* Foreign pointers (foreign.c). */
/* midden=off: the next allocator's; 0: out of memory */
word   foreign_alloc(size_t bytes, size_t align);
void   foreign_free(word pointer, const char *call);
void  *foreign_realloc(word pointer, size_t bytes);
size_t foreign_usable(word pointer);

/* Introspection (introspect.c). */
/* gives empty pages back but for so many bytes; bytes given */
size_t front_trim(size_t keep_bytes);

/* Life (life.c). */
/* this thread's heap, made if it has none; NULL: it can have none */
struct heap *life_attach(void);
struct heap *life_attach_to_free(void);          /* NULL also where a thread ends: it needs none */
void         life_slow_path(void);  /* notices a child that fork handlers were not told of */
void         life_notice(void);                  /* the same, from wherever it is called */
bool         life_is_borrowed(void);             /* a vfork child: this memory is its parent's */

#endif
