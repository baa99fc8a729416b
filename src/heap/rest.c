/* rest.c - empty slabs under cursors: counted, given up, missed. */
#include "heap/rest.h"
#include "heap/heap.h"

enum {
    REST_LEAST = KIB(64) >> SLICE_SHIFT,
    REST_MORE  = KIB(64) >> SLICE_SHIFT,         /* with every one that is missed */
    REST_MOST  = MIB(3) >> SLICE_SHIFT,
    EBB        = MIB(2) >> SLICE_SHIFT,          /* given back in a row: the heap shrinks */
    SPARE_MOST = SLICES_OF(KIB(64)),
    LOOKS      = 80,                             /* as many as a slab has words, and some */
};

static bool rests(const struct heap *heap, unsigned class)
{
    const struct slab *slab = heap->cursor[class].slab;
    return slab != NULL && slab->watch == 0;
}

static void give_up(struct heap *heap, unsigned class)
{
    struct cursor *cursor = &heap->cursor[class];
    if (!slab_all_free(cursor->slab)) {          /* in use again: it is looked at again */
        cursor->slab->watch = ~(uint64_t)0;
        return;
    }
    struct slab *slab = heap_cursor_lift(cursor);
    heap->rest.missed[class / 64] |= (uint64_t)1 << class % 64;
    heap_list_add(heap, slab);
    heap_slab_retire(heap, slab);
}

/* Forgets what no longer rests; returns the slices of what is empty. */
static size_t at_rest(struct heap *heap)
{
    struct rest *rest = &heap->rest;
    size_t slices = 0;
    unsigned kept = 0;
    for (unsigned i = 0; i < rest->count; i++) {
        unsigned class = rest->class[i];
        if (!rests(heap, class))
            continue;
        rest->class[kept++] = (uint8_t)class;
        slices += slab_all_free(heap->cursor[class].slab) ? heap->cursor[class].slab->slices : 0;
    }
    rest->count = (uint8_t)kept;
    return slices;
}

/* The newest stays, however large. */
static void shrink(struct heap *heap)
{
    struct rest *rest = &heap->rest;
    size_t most = rest->most > REST_LEAST ? rest->most : REST_LEAST;
    while (at_rest(heap) > most && rest->count > 1) {
        unsigned class = rest->class[0];
        rest->count--;
        __builtin_memmove(rest->class, rest->class + 1, rest->count);
        give_up(heap, class);
    }
}

static void lie_down(struct heap *heap, struct slab *slab)
{
    struct rest *rest = &heap->rest;
    slab->watch = 0;
    for (unsigned i = 0; i < rest->count; i++)
        if (rest->class[i] == slab->class)
            return;
    rest->class[rest->count++] = (uint8_t)slab->class;
}

void rest_look(struct heap *heap, struct slab *slab)
{
    if (slab_all_free(slab)) {
        lie_down(heap, slab);
        shrink(heap);
    } else if (++heap->cursor[slab->class].looks >= LOOKS) {
        heap->cursor[slab->class].looks = 0;
        slab->watch = 0;
    }
}

/* One that had rested and went is wanted again: more may rest. */
void rest_made(struct heap *heap, struct slab *slab)
{
    struct rest *rest = &heap->rest;
    uint64_t *missed = &rest->missed[slab->class / 64], bit = (uint64_t)1 << slab->class % 64;
    rest->ebb = 0;
    if ((*missed & bit) == 0)
        return;
    *missed &= ~bit;
    size_t most = (rest->most > REST_LEAST ? rest->most : REST_LEAST) + REST_MORE;
    rest->most = (uint16_t)(most < REST_MOST ? most : REST_MOST);
}

/* All slabs under cursors are looked at anew. */
static void ebb(struct heap *heap)
{
    heap->rest.most = REST_LEAST;
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct slab *slab = heap->cursor[class].slab;
        heap->cursor[class].looks = 0;
        if (slab == NULL)
            continue;
        if (slab_all_free(slab))
            lie_down(heap, slab);
        else
            slab->watch = ~(uint64_t)0;
    }
    shrink(heap);
}

void rest_given(struct heap *heap, size_t slices)
{
    struct rest *rest = &heap->rest;
    size_t given = rest->ebb + slices;
    rest->ebb = (uint16_t)(given < EBB ? given : 0);
    if (given >= EBB)
        ebb(heap);
}

/* -- in lists ---------------------------------------------------------------------------------- */

static uint64_t *spare_word(struct heap *heap, const struct slab *slab, uint64_t *bit)
{
    *bit = (uint64_t)1 << slab->class % 64;
    return &heap->rest.spare[slab->class / 64];
}

/* A class in which a little more than a slab is in use would cut the next, and drop it, again and
 * again. */
bool rest_spares(struct heap *heap, const struct slab *slab)
{
    struct rest *rest = &heap->rest;
    uint64_t bit, *spare = spare_word(heap, slab, &bit);
    if ((*spare & bit) != 0 || slab->slices > REST_SMALL || heap->kind != KIND_MANUAL ||
        heap->state != HEAP_LIVE || rest->spare_slices + slab->slices > SPARE_MOST)
        return false;
    *spare |= bit;
    rest->spare_slices = (uint16_t)(rest->spare_slices + slab->slices);
    return true;
}

/* Nothing is issued from a slab in a list: an empty one is the spare one. */
void rest_landed(struct heap *heap, const struct slab *slab)
{
    struct rest *rest = &heap->rest;
    uint64_t bit, *spare = spare_word(heap, slab, &bit);
    if (!slab_all_free(slab))
        return;
    *spare &= ~bit;
    size_t slices = slab->slices < rest->spare_slices ? slab->slices : rest->spare_slices;
    rest->spare_slices = (uint16_t)(rest->spare_slices - slices);
}

void rest_spares_none(struct heap *heap)
{
    __builtin_memset(heap->rest.spare, 0, sizeof heap->rest.spare);
    heap->rest.spare_slices = 0;
}

void rest_ends(struct heap *heap)
{
    heap->rest.spare_slices = SPARE_MOST;
}
