/* minor.c - what stands between two collections. */
#include "managed/minor.h"
#include "gc/mark.h"
#include "os/track.h"

enum {
    PROMOTED_SHARE = 4,                          /* added to what a full one left: make another */
    VAIN_SHARE     = 2,                          /* of what a full one looked into */
    DEAD_SHARE     = DEBUG_BUILD ? 1 : 8,        /* of the old may have died, and marks stand */
    OLD_SHARE      = 4,                          /* of a slab's blocks may be young, or free */
    VAIN_MOST      = DEBUG_BUILD ? 1 : 64,
    MADE_MOST      = 16,                         /* old garbage waits for no more than so many */
};
/* Below, a full collection is over before the kernel has told what was written. */
#define WORTH_BYTES (DEBUG_BUILD ? KIB(64) : MIB(4))

static struct {
    size_t   full_scanned, full_live;            /* of the last full one: bytes */
    unsigned made;                               /* minor ones since */
    unsigned vain, skip;                         /* full ones to come that leave no marks */
    bool     never;                              /* an option says so */
    bool     overdue;                            /* the next one is to be full */
} state;

/* -- pages that are watched -------------------------------------------------------------------- */

/* A slab that is filled just now is written anyway, and not worth a fault a page. */
static bool is_old(const struct slab *slab)
{
    size_t old = 0;
    if (slab->kind == KIND_COUNTED && trace.has_young[cage_slice(slab->base)] != 0)
        return false;
    for (size_t i = 0; i < slab->words; i++) {
        uint64_t taken = trace_taken(slab, i);
        old += bit_count(slab->kind == KIND_COUNTED ? taken : taken & trace_old(slab, i));
    }
    return old != 0 && old >= slab->blocks - slab->blocks / OLD_SHARE;
}

static bool protect(word lo, word hi)
{
    if (lo == hi)
        return true;
    VALIDATE(minor_check_protected(lo, hi));
    return os_track_protect(lo, hi);
}

static bool protect_old(void)
{
    word lo = 0, hi = 0;
    size_t slice = 0;
    VALIDATE(minor_check_begin());
    unsigned kinds = 1u << KIND_TRACED | 1u << KIND_MANUAL | 1u << KIND_COUNTED;
    for (struct slab *slab; (slab = trace_next(&slice, kinds)) != NULL; ) {
        if (!is_old(slab))
            continue;
        if (slab->base != hi) {
            if (!protect(lo, hi))
                return false;
            lo = slab->base;
        }
        hi = slab->base + ((size_t)slab->slices << SLICE_SHIFT);
    }
    return protect(lo, hi);
}

static void look_again(word lo, word hi, void *unused)
{
    (void)unused;
    mark_again(lo, hi);
}

bool minor_look_again(void)
{
    return os_track_written(cage.base, cage.base + cage_reach(), look_again, NULL);
}

/* -- when -------------------------------------------------------------------------------------- */

bool minor_is_enough(void)
{
    return !state.overdue;
}

/* In a planned cage others may have mappings of their own, which are not to be watched. */
static bool watch_pages(void)
{
    return !cage.planned && os_track_prepare(cage.base, cage_reach()) && protect_old();
}

static void give_up_for_long(void)
{
    state.skip = VAIN_MOST;
    os_track_end();
}

/* `before` and a fourth of it are more than `live`. */
static bool little_more(size_t live, size_t before)
{
    return live < before + before / PROMOTED_SHARE;
}

void minor_never(bool never)
{
    state.never = never;
}

bool minor_is_thinkable(size_t scanned_bytes)
{
    return !state.never && scanned_bytes >= WORTH_BYTES;
}

static bool may_follow(const struct trace_swept *swept, size_t live)
{
    if (swept->old == 0 || swept->old_dead > swept->old / DEAD_SHARE ||
        !little_more(live, state.full_live))
        return false;
    if (state.skip != 0) {
        state.skip--;
        return false;
    }
    if (watch_pages())
        return true;
    give_up_for_long();
    return false;
}

void minor_full_was_made(size_t scanned_bytes, const struct trace_swept *swept,
                         size_t counted_bytes)
{
    size_t live = swept->live_bytes + counted_bytes;
    if (trace.stand && !may_follow(swept, live))
        trace_clear();
    state.full_scanned = scanned_bytes;
    state.full_live = live;
    state.made = 0;
    state.overdue = false;
}

void minor_was_made(size_t scanned_bytes, const struct trace_swept *swept, size_t counted_bytes)
{
    bool grown = !little_more(swept->live_bytes + counted_bytes, state.full_live);
    bool vain = scanned_bytes > state.full_scanned / VAIN_SHARE || (grown && state.made == 0);
    if (vain)
        state.vain = state.vain == 0 ? 1 : state.vain < VAIN_MOST ? 2 * state.vain : VAIN_MOST;
    else
        state.vain = 0;
    state.made++;
    state.skip = state.vain;
    state.overdue = vain || grown || state.made >= MADE_MOST || !protect_old();
    if (state.vain == VAIN_MOST)
        give_up_for_long();
}

void minor_fork_child(void)
{
    os_track_end();
    state.overdue = true;
}
