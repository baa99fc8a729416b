/* garbage.c - a list of hidden addresses. */
#include "managed/garbage.h"
#include "managed/table.h"
#include "base/text.h"
#include "gc/root.h"

#define MOST ((size_t)1 << 24)                   /* objects; only what is used is committed */

static struct {
    word  *object;                               /* hidden first bytes */
    size_t count, reserved, committed;           /* the last two in bytes */
} saved;

static bool room(void)
{
    if (saved.object == NULL) {
        saved.reserved = MOST * sizeof(word);
        saved.object = (word *)root_own_memory(KIB(64), &saved.reserved);
    }
    size_t bytes = round_up((saved.count + 1) * sizeof(word), KIB(64));
    if (saved.object == NULL || bytes > saved.reserved)
        return false;
    if (bytes <= saved.committed)
        return true;
    if (!os_commit((word)saved.object, bytes))
        return false;
    saved.committed = bytes;
    return true;
}

static bool save(word object)
{
    if (!room())
        return false;
    saved.object[saved.count++] = hidden((void *)object);
    return true;
}

/* -- stopped ----------------------------------------------------------------------------------- */

void garbage_mark(void)
{
    for (size_t i = 0; i < saved.count; i++) {
        word object = (word)shown(saved.object[i]);
        mark_words(mark_marker(), &object, 1, false);
    }
}

static uint64_t unmarked(const struct slab *slab, size_t at)
{
    return trace_taken(slab, at) & ~trace_old(slab, at);
}

static size_t save_slab(struct slab *slab)
{
    size_t count = 0;
    uint64_t *marks = trace_marks(slab);
    for (size_t i = 0; i < slab->words; i++)
        for (uint64_t bits = unmarked(slab, i); bits != 0; bits &= bits - 1) {
            if (!save(slab_block(slab, i * 64 + bit_lowest(bits))))
                return count;
            marks[i] |= bits & -bits;
            count++;
        }
    return count;
}

size_t garbage_save_unmarked(void)
{
    size_t slice = 0, count = 0;
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_TRACED | 1u << KIND_LEAF)); )
        count += save_slab(slab);
    return count;
}

/* -- the world runs ---------------------------------------------------------------------------- */

size_t garbage_save(struct trial_list *list)
{
    size_t count = 0;
    for (struct header *at = list->first, *next; at != NULL; at = next) {
        next = header_next(at);
        header_lower(at, FLAG_CONDEMNED);
        if (save(header_object(at))) {
            header_raise(at, FLAG_SAVED);
            count++;
        } else {
            object_release(header_object(at));   /* found again by the next */
        }
    }
    return count;
}

void garbage_tell(const struct trial_list *list, int debug)
{
    bool keeps = (debug & MIDDEN_DEBUG_SAVEALL) != 0;
    if ((debug & (keeps ? MIDDEN_DEBUG_UNCOLLECTABLE : MIDDEN_DEBUG_COLLECTABLE)) == 0)
        return;
    for (struct header *at = list->first; at != NULL; at = header_next(at)) {
        char line[256];
        struct text text;
        const char *name = header_type(at)->name;
        text_init(&text, line, sizeof line - 1);
        text_string(&text, "midden: gc: unreachable");
        text_string(&text, keeps ? " and kept: " : ": ");
        text_hex(&text, header_object(at));
        text_string(&text, " ");
        text_plain(&text, name != NULL ? name : "(no name)",
                   text_length(name != NULL ? name : "(no name)"));
        line[text.length] = '\n';
        os_write(2, line, text.length + 1);
    }
}

long garbage_visit(midden_object_visitor *visit, void *arg)
{
    long visits = 0;
    for (size_t i = 0; i < saved.count; i++) {
        visits++;
        if (visit(shown(saved.object[i]), arg) != 0)
            break;
    }
    return visits;
}

/* From the end: a finalizer may clear it, too. */
long garbage_clear(void)
{
    long count = 0;
    for (; saved.count != 0; count++) {
        word object = (word)shown(saved.object[--saved.count]);
        struct trace_block block;
        if (object_find(object, &block) != FAULT_NONE)
            continue;                            /* an uncounted one */
        header_lower(object_header(object), FLAG_SAVED);
        object_release(object);
    }
    return count;
}
