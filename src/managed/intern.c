/* intern.c - a table of leaf objects, none of which it keeps alive. */
#include "managed/intern.h"
#include "managed/pool.h"
#include "managed/table.h"
#include "heap/meta.h"
#include "heap/trace.h"

struct entry {
    struct node node;                            /* by the bytes */
    word        object;                          /* hidden */
    size_t      count;
};

struct lock intern_lock;
static struct table entries;

static struct entry *find(const void *bytes, size_t count, uint64_t hash)
{
    for (struct node *node = table_first(&entries, hash); node != NULL; node = table_next(node)) {
        struct entry *entry = (struct entry *)node;
        if (node->hash == hash && entry->count == count &&
            __builtin_memcmp(shown(entry->object), bytes, count) == 0)
            return entry;
    }
    return NULL;
}

static word make(const void *bytes, size_t count, uint64_t hash)
{
    bool zero;
    struct entry *entry = table_grow(&entries) ? meta_take(sizeof *entry) : NULL;
    if (entry == NULL)
        return 0;
    word object = pool_take_inside(KIND_LEAF, count + 1, &zero);
    if (object == 0) {
        meta_give(entry, sizeof *entry);
        return 0;
    }
    __builtin_memcpy((void *)object, bytes, count);
    ((char *)object)[count] = '\0';
    *entry = (struct entry){ { 0, hash }, hidden((void *)object), count };
    table_add(&entries, &entry->node);
    return object;
}

word intern(const void *bytes, size_t count)
{
    uint64_t hash = table_hash(bytes, count);
    if (heap_enter_was())
        return 0;
    word object = 0;
    if (lock_take(&intern_lock)) {
        struct entry *entry = find(bytes, count, hash);
        object = entry != NULL ? (word)shown(entry->object) : make(bytes, count, hash);
        lock_give(&intern_lock);
    }
    heap_leave();
    return object;
}

static bool is_kept(struct node *node)
{
    struct trace_block block;
    struct entry *entry = (struct entry *)node;
    if (trace_find((word)shown(entry->object), &block) &&
        (trace_old(block.slab, block.index / 64) & block.bit) != 0)
        return true;
    meta_give(entry, sizeof *entry);
    return false;
}

void intern_forget_unmarked(void)
{
    table_filter(&entries, is_kept);
}
