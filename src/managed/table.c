/* table.c - buckets that double in place. */
#include "managed/table.h"
#include "gc/root.h"
#include "base/bits.h"

enum { FIRST = 1024 };
#define MOST ((size_t)1 << 26)                   /* buckets; only what is used is committed */

uint64_t table_hash(const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325 ^ count;
    for (size_t i = 0; i < count; i++)           /* FNV-1a */
        hash = (hash ^ at[i]) * 0x100000001b3;
    return table_hash_word(hash);
}

static word *bucket_of(const struct table *table, uint64_t hash)
{
    return &table->bucket[hash & (table->size - 1)];
}

static bool cover(struct table *table, size_t size)
{
    size_t bytes = round_up(size * sizeof(word), KIB(64));
    if (bytes <= table->committed)
        return true;
    if (bytes > table->reserved || !os_commit((word)table->bucket, bytes))
        return false;
    table->committed = bytes;
    return true;
}

static void split(struct table *table, size_t at)
{
    struct node *node = shown(table->bucket[at]);
    size_t size = table->size;
    table->bucket[at] = 0;
    while (node != NULL) {
        struct node *next = table_next(node);
        word *bucket = &table->bucket[node->hash & (2 * size - 1)];
        node->next = *bucket;
        *bucket = hidden(node);
        node = next;
    }
}

/* A table that cannot double goes on with longer chains. */
static void grow(struct table *table)
{
    if (!cover(table, 2 * table->size))
        return;
    for (size_t i = 0; i < table->size; i++)
        split(table, i);
    table->size *= 2;
}

bool table_grow(struct table *table)
{
    if (table->bucket == NULL) {
        table->reserved = MOST * sizeof(word);
        word at = root_own_memory(FIRST * sizeof(word), &table->reserved);
        if (at == 0)
            return false;
        table->bucket = (word *)at;
    }
    if (table->size == 0) {
        if (!cover(table, FIRST))
            return false;
        table->size = FIRST;
    }
    if (table->count >= table->size)
        grow(table);
    return true;
}

void table_add(struct table *table, struct node *node)
{
    word *bucket = bucket_of(table, node->hash);
    node->next = *bucket;
    *bucket = hidden(node);
    table->count++;
}

void table_remove(struct table *table, struct node *node)
{
    for (word *at = bucket_of(table, node->hash); *at != 0; at = &((struct node *)shown(*at))->next)
        if (shown(*at) == node) {
            *at = node->next;
            table->count--;
            return;
        }
}

struct node *table_first(const struct table *table, uint64_t hash)
{
    return table->size != 0 ? shown(*bucket_of(table, hash)) : NULL;
}

void table_filter(struct table *table, bool (*keep)(struct node *node))
{
    for (size_t i = 0; i < table->size; i++)
        for (word *at = &table->bucket[i]; *at != 0; ) {
            struct node *node = shown(*at);
            word next = node->next;
            if (keep(node)) {
                at = &node->next;
                continue;
            }
            *at = next;
            table->count--;
        }
}
