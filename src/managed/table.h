/* table.h - a hash table of nodes that somebody else owns.
 * Job         Buckets that double in place as nodes come. Nodes and buckets are kept as their
 *             complement, so that no scan takes one for a pointer into the heap.
 * Locking     the owner's.
 * Source      doubling by splitting each bucket in two is Litwin's linear hashing (1980), a whole
 *             level at a time.
 */
#ifndef MIDDEN_MANAGED_TABLE_H
#define MIDDEN_MANAGED_TABLE_H

#include "base/base.h"

struct node {
    word     next;                               /* hidden */
    uint64_t hash;
};

struct table {
    word  *bucket;                               /* hidden nodes; NULL: none yet */
    size_t size, count, reserved, committed;     /* the last two in bytes */
};

INLINE word hidden(const void *pointer)          /* of NULL: 0 */
{
    return pointer != NULL ? ~(word)pointer : 0;
}

INLINE void *shown(word hidden_word)
{
    return hidden_word != 0 ? (void *)~hidden_word : NULL;
}

uint64_t table_hash(const void *bytes, size_t count);
INLINE uint64_t table_hash_word(word value)
{
    value *= 0x9e3779b97f4a7c15;
    return value ^ value >> 32;
}

bool         table_grow(struct table *table);    /* room for one more; false: out of memory */
void         table_add(struct table *table, struct node *node);       /* after table_grow */
void         table_remove(struct table *table, struct node *node);
struct node *table_first(const struct table *table, uint64_t hash);   /* of its bucket */
INLINE struct node *table_next(const struct node *node)
{
    return shown(node->next);
}

/* Removes the nodes `keep` says no to; it may give their memory away. */
void table_filter(struct table *table, bool (*keep)(struct node *node));

#endif
