/* audit.c - validators, and what no single module can check. */
#include "audit.h"
#include "os_fake.h"
#include "shadow.h"
#include "heap/heap.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/span.h"
#include "heap/walk.h"

#include <string.h>

struct slab *audit_stalled[2];
bool audit_stalled_ever;

enum { SLICES = 1 << (34 - SLICE_SHIFT), LIST_BOUND = SLICES };      /* 16 GiB */

/* By slice of a slab's base: how many cursors, lists and stacks it was met in. */
static struct place {
    uint8_t cursors, lists, stacks;
} places[SLICES];
static size_t counted;                           /* places in use */

static size_t slices(void)
{
    return cage.reach >> SLICE_SHIFT;
}

static struct place *place_of(const struct slab *slab)
{
    size_t slice = cage_slice(slab->base);
    if (cage.slab_of[slice] != slab)
        fake_die("slab %#zx of %zu-byte blocks is listed, but its slice leads elsewhere",
                 slab->base, (size_t)slab->block_bytes);
    return &places[slice];
}

/* -- where slabs are met ---------------------------------------------------------------------- */

static void meet_lists(struct heap *heap)
{
    size_t listed = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        if (heap->cursor[class].slab != NULL)
            place_of(heap->cursor[class].slab)->cursors++;
        struct slab *first = heap->partial[class], *slab = first;
        for (; slab != NULL && listed < LIST_BOUND; listed++) {
            place_of(slab)->lists++;
            slab = slab->next == first ? NULL : slab->next;
        }
    }
    if (listed != heap->listed)
        fake_die("a heap says it lists %zu slabs, but lists %zu", heap->listed, listed);
}

static void meet_stack(struct heap *heap)
{
    size_t met = 0;
    for (struct slab *slab = heap->pending; slab != NULL; slab = slab->pending_next) {
        if (++met > LIST_BOUND)
            fake_die("the stack of pending slabs is a ring");
        if (slab_heap(slab) != heap || !(slab_owner(slab) & OWNER_PENDING))
            fake_die("slab %#zx, owner %#zx, is pending in a heap that does not own it", slab->base,
                     slab_owner(slab));
        place_of(slab)->stacks++;
    }
}

static void meet_heap(struct heap *heap)
{
    heap_validate(heap);
    meet_lists(heap);
    meet_stack(heap);
    if (heap->state == HEAP_DEAD && heap->listed != 0 && !audit_stalled_ever)
        fake_die("a dead heap lists %zu slabs", heap->listed);                          /* H3 */
}

/* -- what each slab must be ------------------------------------------------------------------- */

static bool is_stalled(const struct slab *slab)
{
    return slab == audit_stalled[0] || slab == audit_stalled[1];
}

static bool has_remote(struct slab *slab)
{
    for (size_t i = 0; i < slab->words; i++)
        if (slab_remote(slab)[i] != 0)
            return true;
    return false;
}

static void both_bitmaps(struct slab *slab)      /* S1, with the owner at rest */
{
    for (size_t i = 0; i < slab->words; i++)
        if ((slab->free[i] & slab_remote(slab)[i]) != 0)
            fake_die("slab %#zx has a block that is free twice", slab->base);
}

static void audit_pending(struct slab *slab, const struct place *place)
{
    bool pending = slab_owner(slab) & OWNER_PENDING;
    if (is_stalled(slab))
        return;
    if (place->stacks != pending)
        fake_die("slab %#zx, owner %#zx, is on %u stacks", slab->base, slab_owner(slab),
                 place->stacks);
    if (has_remote(slab) && !pending)
        fake_die("a remote free of slab %#zx is left behind", slab->base);                /* R2 */
}

static void audit_place(struct slab *slab, const struct place *place)
{
    bool full = slab_owner(slab) & OWNER_FULL;
    if (place->cursors + place->lists + full != 1)
        fake_die("slab %#zx, owner %#zx: %u cursors, %u lists", slab->base, slab_owner(slab),
                 place->cursors, place->lists);                                           /* H1 */
    if (slab->watch + 1 > (place->cursors != 0))
        fake_die("slab %#zx: watch %#zx, %u cursors", slab->base, (size_t)slab->watch,
                 place->cursors);                                                         /* K2 */
}

static void audit_slab(struct slab *slab)
{
    struct heap *heap = slab_heap(slab);
    slab_validate(slab);
    both_bitmaps(slab);
    if (heap == NULL)
        return;
    audit_pending(slab, place_of(slab));
    audit_place(slab, place_of(slab));
}

/* -- all of it -------------------------------------------------------------------------------- */

static size_t audit_slabs(void)
{
    size_t covered = 0;
    for (size_t i = 0; i < slices(); i++) {
        struct slab *slab = cage.slab_of[i];
        if (slab == &slab_none)
            continue;
        if (slab->base == cage_address(i)) {
            audit_slab(slab);
            covered += slab->slices;
        } else if (i < cage_slice(slab->base) || i >= cage_slice(slab->base) + slab->slices) {
            fake_die("slice %zu leads to a slab that does not hold it", i);
        }
    }
    return covered;
}

static void audit_figures(size_t covered)
{
    struct walk_figures figures;
    walk_figures(&figures);
    if ((covered + meta_slices()) << SLICE_SHIFT != figures.span_bytes)
        fake_die("spans in use have %zu bytes, slabs %zu slices", figures.span_bytes, covered);
    if (figures.taken_blocks != shadow_inside())
        fake_die("%zu blocks are taken, %zu are in use", figures.taken_blocks, shadow_inside());
}

/* N2 by looking: the first and the last word of slices that are said to be zero. */
static void audit_clean(void)
{
    for (size_t i = 0; i < slices(); i++) {
        uint64_t bit = (uint64_t)1 << i % 64;
        if (!(cage_tables.available.map[i / 64] & bit) || (cage_tables.dirty.map[i / 64] & bit))
            continue;
        const word *words = (const word *)cage_address(i);
        if (words[0] != 0 || words[SLICE_BYTES / sizeof words[0] - 1] != 0)
            fake_die("slice %zu is said to be zero", i);
    }
}

/* Shared heaps are on no list: they are met by what they own. */
static void meet_shared(void)
{
    struct heap *met[8] = { heap_orphans(KIND_MANUAL) };
    size_t count = 1;
    for (size_t i = 0; i < slices(); i++) {
        struct heap *heap = slab_heap(cage.slab_of[i]);
        bool fresh = heap != NULL && heap->state == HEAP_SHARED;
        for (size_t k = 0; k < count; k++)
            fresh &= heap != met[k];
        if (fresh && count == COUNT_OF(met))
            fake_die("there are more than %zu shared heaps", count);
        if (fresh)
            met[count++] = heap;
    }
    for (size_t k = 0; k < count; k++)
        meet_heap(met[k]);
}

void audit_run(void)
{
    if (cage.base == 0)
        return;
    if (fake_locks_held() != 0)
        fake_die("%zu locks are held between two calls", fake_locks_held());
    memset(places, 0, counted * sizeof places[0]);
    counted = slices();
    if (counted > SLICES)
        fake_die("the cage reaches over %zu slices, which is more than is kept book of", counted);
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        meet_heap(heap);
    meet_shared();
    span_validate();
    audit_figures(audit_slabs());
    if (slices() < 512)
        audit_clean();
    shadow_check_walk();
}

/* What a shared heap holds empty stays with it. */
void audit_expect_nothing_in_use(void)
{
    for (size_t i = 0; cage.base != 0 && i < slices(); i++) {
        struct slab *slab = cage.slab_of[i];
        struct heap *heap = slab_heap(slab);
        bool shared = heap != NULL && heap->state == HEAP_SHARED &&
                      heap != heap_orphans(KIND_MANUAL);
        if (slab != &slab_none && !shared)
            fake_die("all is freed, but slab %#zx of %zu-byte blocks, owner %#zx, holds its span",
                     slab->base, (size_t)slab->block_bytes, slab_owner(slab));
    }
}
