/* weak.c - a cell, found by the object it leads to. */
#include "managed/weak.h"
#include "managed/table.h"
#include "heap/meta.h"

struct midden_weak {
    struct node node;                            /* by the object's address */
    word        object;                          /* hidden header; 0: it is gone */
};

struct lock weak_lock;
static struct table cells;

static bool enter(bool *outer)
{
    *outer = heap_enter_was();
    if (lock_take(&weak_lock))
        return true;
    heap_leave_to(*outer);
    return false;
}

static void leave(bool outer)
{
    lock_give(&weak_lock);
    heap_leave_to(outer);
}

struct midden_weak *weak_make(struct header *header)
{
    bool outer;
    if (!enter(&outer))
        return NULL;
    struct midden_weak *weak = table_grow(&cells) ? meta_take(sizeof *weak) : NULL;
    if (weak != NULL) {
        weak->object = hidden(header);
        weak->node.hash = table_hash_word((word)header);
        table_add(&cells, &weak->node);
        header_raise(header, FLAG_WEAK);
    }
    leave(outer);
    return weak;
}

struct header *weak_get(struct midden_weak *weak)
{
    bool outer;
    if (!enter(&outer))
        return NULL;
    struct header *header = shown(weak->object);     /* W2: it may be looked at */
    if (header != NULL && !object_try_retain(header))
        header = NULL;
    leave(outer);
    return header;
}

void weak_drop(struct midden_weak *weak)
{
    bool outer;
    if (!enter(&outer))
        return;
    if (weak->object != 0)
        table_remove(&cells, &weak->node);
    weak->object = 0;
    meta_give(weak, sizeof *weak);
    leave(outer);
}

void weak_clear(struct header *header)
{
    bool outer;
    uint64_t hash = table_hash_word((word)header);
    if (!enter(&outer))
        return;
    header_lower(header, FLAG_WEAK);
    for (struct node *node = table_first(&cells, hash); node != NULL; ) {
        struct midden_weak *weak = (struct midden_weak *)node;
        struct node *next = table_next(node);
        if (shown(weak->object) == header) {
            table_remove(&cells, node);
            weak->object = 0;
        }
        node = next;
    }
    leave(outer);
}
