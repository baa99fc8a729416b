/* heap.c - the doors of midden/heap.h.
 * Job         Check arguments, ask heap/walk.h, answer in public words.
 * Locking     none.
 */
#include "front/front.h"
#include "heap/walk.h"
#include "managed/object.h"
#include "report/stats.h"
#include "base/count.h"

#include <errno.h>
#include <midden/heap.h>

/* -- one block --------------------------------------------------------------------------------- */

static struct midden_object object_of(const struct walk_block *block)
{
    static const enum midden_kind kinds[] = {
        [WALK_MANUAL] = MIDDEN_MANUAL, [WALK_LARGE] = MIDDEN_MANUAL, [WALK_ARENA] = MIDDEN_ARENA,
        [WALK_COUNTED] = MIDDEN_MANAGED, [WALK_TRACED] = MIDDEN_MANAGED,
        [WALK_LEAF] = MIDDEN_MANAGED_LEAF,
    };
    size_t header = block->kind == WALK_COUNTED ? HEADER_BYTES : 0;
    return (struct midden_object){
        .size = sizeof(struct midden_object), .start = (void *)(block->start + header),
        .bytes = block->bytes - header, .kind = kinds[block->kind], .is_free = block->free,
    };
}

EXPORT int midden_object_at(const void *address, struct midden_object *out)
{
    struct walk_block block;
    if (out->size != sizeof *out) {
        errno = EINVAL;
        return -1;
    }
    if (!walk_look((word)address, &block)) {
        errno = ENOENT;
        return -1;
    }
    *out = object_of(&block);
    return 0;
}

EXPORT size_t midden_usable_bytes(const void *address)
{
    struct walk_block block;
    if (!walk_look((word)address, &block) || block.free)
        return 0;
    struct midden_object object = object_of(&block);
    return object.start == address ? object.bytes : 0;
}

EXPORT size_t midden_good_bytes(size_t bytes)
{
    return bytes <= PTRDIFF_MAX ? walk_good_bytes(bytes) : 0;
}

/* -- all of them ------------------------------------------------------------------------------- */

EXPORT size_t midden_trim(void)
{
    return front_trim(0);
}

/* What is read may not be of one moment. */
static size_t above(size_t value, size_t part)
{
    return value > part ? value - part : 0;
}

static void fill_bytes(struct midden_stats *out)
{
    struct walk_figures figures;
    walk_figures(&figures);
    out->reserved_bytes = figures.cage_bytes;
    out->committed_bytes = figures.reach_bytes;
    out->live_bytes = figures.taken_bytes;
    out->slack_bytes = above(figures.span_bytes, figures.taken_bytes);
    out->dirty_bytes = figures.dirty_bytes;
    out->metadata_bytes = figures.meta_bytes;
    out->peak_bytes = figures.peak_span_bytes;
    out->live_blocks = figures.taken_blocks;
}

EXPORT int midden_stats(struct midden_stats *out)
{
    if (out->size != sizeof *out) {
        errno = EINVAL;
        return -1;
    }
    fill_bytes(out);
#define COUNT(name, text) out->name = __atomic_load_n(&counts.name, __ATOMIC_RELAXED);
#include "base/count.def"
#undef COUNT
    return 0;
}

EXPORT size_t midden_stats_json(char *out, size_t bytes)
{
    struct text text;
    text_init(&text, out, bytes);
    stats_json(&text);
    return text.needed;
}

/* -- a walk ------------------------------------------------------------------------------------ */

struct visit {
    midden_walk_visitor *visitor;
    void                *arg;
};

static __thread uint8_t walking;

static bool visit_block(const struct walk_block *block, void *arg)
{
    const struct visit *visit = arg;
    struct midden_object object = object_of(block);
    return visit->visitor(&object, visit->arg) == 0;
}

EXPORT int midden_walk(midden_walk_visitor *visitor, void *arg)
{
    struct visit visit = { visitor, arg };
    if (visitor == NULL || walking) {
        errno = walking ? EBUSY : EINVAL;
        return -1;
    }
    walking = 1;
    bool alone = os_threads() == 1, whole = walk_blocks(visit_block, &visit);
    walking = 0;
    if (!whole) {
        errno = ECANCELED;
        return -1;
    }
    return alone ? MIDDEN_WALK_EXACT : MIDDEN_WALK_APPROXIMATE;
}
