/* census.c - see census.h. */
#include "census.h"

#include "heap/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { WORD_BITS = 64 };
#define REACH_MOST TIB(16)                       /* no cage is larger (cage.c) */

/* What lies on a page of a slab, in bytes. */
struct load {
    uint32_t live, free;
};

/* A slab in the copy, checked. */
struct view {
    const struct slab *slab;
    const uint64_t    *free, *remote;
    word               base;
    size_t             bytes, block_bytes, blocks;
    bool               dense;                    /* in huge pages */
};

/* -- copies of the tables ---------------------------------------------------------------------- */

static bool copy(struct census *census, const void *at, void *out, size_t bytes)
{
    return peer_read(census->peer, (word)at, out, bytes) == bytes;
}

static bool is_common(const struct peer *peer, word lo, word hi)
{
    for (size_t i = 0; i < peer->count; i++)
        if (peer->mapping[i].lo < hi && peer->mapping[i].hi > lo && peer->mapping[i].common)
            return true;
    return false;
}

static bool look_at_pages(struct census *census, struct residency *pages, word lo, word hi)
{
    if (!residency_init(pages, lo, hi))
        return false;
    census->way = residency_read(pages, census->peer->pid, census->way,
                                 is_common(census->peer, lo, hi));
    return true;
}

/* Only pages that have been written: reading others would bring them into the process. */
static void copy_pages(struct census *census, struct extent *extent)
{
    size_t page = extent->pages.page_bytes, first = 0, last;
    const uint64_t *stored = extent->pages.stored;
    for (; first < extent->pages.pages; first = last + 1) {
        last = first;
        while (last < extent->pages.pages && (stored[last / WORD_BITS] >> last % WORD_BITS & 1))
            last++;
        if (last > first)
            peer_read(census->peer, extent->lo + first * page, extent->image + first * page,
                      (last - first) * page);
    }
}

static bool add_extent(struct census *census, word lo, word hi)
{
    struct extent *extent = &census->extent[census->extents];
    size_t page = census->cage.facts.page_bytes;
    if (census->extents == EXTENTS || !is_power_of_two(page))
        return false;
    extent->lo = round_down(lo, page);
    extent->hi = round_up(hi, page);
    void *image = mmap(NULL, extent->hi - extent->lo, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (image == MAP_FAILED)
        return false;
    extent->image = image;
    census->extents++;
    if (!look_at_pages(census, &extent->pages, extent->lo, extent->hi))
        return false;
    copy_pages(census, extent);
    return true;
}

/* Where a table that begins at `at` ends: with the mappings that follow each other from there. */
static word mapped_end(const struct peer *peer, word at)
{
    for (size_t i = 0; i < peer->count; i++)
        if (peer->mapping[i].lo <= at && peer->mapping[i].hi > at && peer->mapping[i].readable)
            at = peer->mapping[i].hi;
    return at;
}

static bool copy_tables(struct census *census)
{
    size_t slices = census->cage.reach >> SLICE_SHIFT;
    size_t map_bytes = (slices / WORD_BITS + 1) * sizeof(uint64_t);
    const struct cage_tables *tables = &census->tables;
    word slab_of = (word)census->cage.slab_of, meta_end = mapped_end(census->peer, tables->meta);
    return add_extent(census, slab_of, slab_of + slices * sizeof(word))
        && add_extent(census, (word)tables->available.map, (word)tables->available.map + map_bytes)
        && add_extent(census, (word)tables->dirty.map, (word)tables->dirty.map + map_bytes)
        && (meta_end <= tables->meta || add_extent(census, tables->meta, meta_end));
}

static word slice_address(const struct census *census, size_t slice)
{
    return census->cage.base + (slice << SLICE_SHIFT);
}

static bool is_ours(const struct census *census, size_t slice)
{
    const struct cage_zone *zone = census->cage.zone;
    return (slice >= zone[ZONE_SPARSE].first && slice < zone[ZONE_SPARSE].reach)
        || (slice >= zone[ZONE_DENSE].first && slice < zone[ZONE_DENSE].reach);
}

/* The copy of what lies there; NULL: it was not copied whole, or nothing of ours begins there. */
static const void *image(const struct census *census, word at, size_t bytes)
{
    if (at % sizeof(word) != 0)
        return NULL;
    for (unsigned i = 0; i < census->extents; i++) {
        const struct extent *extent = &census->extent[i];
        if (at >= extent->lo && at < extent->hi && bytes <= extent->hi - at)
            return extent->image + (at - extent->lo);
    }
    return NULL;
}

static bool bit_of(const struct census *census, const uint64_t *map, size_t slice)
{
    word at = (word)map + slice / WORD_BITS * sizeof(uint64_t);
    const uint64_t *bits = image(census, at, sizeof *bits);
    return bits && (*bits >> slice % WORD_BITS & 1);
}

/* -- one slab ---------------------------------------------------------------------------------- */

/* T2. Cut between two moments, a descriptor may be another's by now, or half made. */
static bool is_sound(const struct census *census, const struct slab *slab, size_t slice)
{
    size_t slices = census->cage.reach >> SLICE_SHIFT, words = slab->words;
    return slab->base == slice_address(census, slice)
        && slab->slices > 0 && slab->slices <= slices - slice
        && slab->blocks > 0 && words == (slab->blocks + WORD_BITS - 1) / WORD_BITS
        && slab->block_bytes > 0
        && slab->block_bytes <= ((size_t)slab->slices << SLICE_SHIFT) / slab->blocks
        && slab->remote_at >= sizeof *slab + words * sizeof(uint64_t)
        && slab->remote_at % sizeof(uint64_t) == 0 && !(slab->owner & OWNER_NONE)
        && slab->owner != 0;
}

static bool open_view(const struct census *census, word at, size_t slice, struct view *view)
{
    const struct slab *slab = image(census, at, sizeof *slab);
    if (!slab || at % META_UNIT != 0 || !is_sound(census, slab, slice)
        || !image(census, at, slab->remote_at + slab->words * sizeof(uint64_t)))
        return false;
    *view = (struct view){
        .slab = slab, .free = slab->free,
        .remote = (const uint64_t *)((const char *)slab + slab->remote_at),
        .base = slab->base, .bytes = (size_t)slab->slices << SLICE_SHIFT,
        .block_bytes = slab->block_bytes, .blocks = slab->blocks,
        .dense = slice >= census->cage.zone[ZONE_DENSE].first,
    };
    return true;
}

static bool is_free(const struct view *view, size_t index)       /* S1 */
{
    uint64_t bits = view->free[index / WORD_BITS] | view->remote[index / WORD_BITS];
    return bits >> index % WORD_BITS & 1;
}

static void spread(struct load *load, size_t page, size_t from, size_t to, bool live)
{
    while (from < to) {
        size_t end = round_down(from, page) + page;
        size_t bytes = (end < to ? end : to) - from;
        if (live)
            load[from / page].live += (uint32_t)bytes;
        else
            load[from / page].free += (uint32_t)bytes;
        from += bytes;
    }
}

static size_t load_blocks(const struct view *view, struct load *load, size_t page)
{
    size_t live = 0;
    for (size_t i = 0; i < view->blocks; i++) {
        bool taken = !is_free(view, i);
        spread(load, page, i * view->block_bytes, (i + 1) * view->block_bytes, taken);
        live += taken;
    }
    return live;
}

/* Blocks of an arena are runs of granules: a clear bit in `free` begins one, the next beginning, a
 * bit in `remote`, or the arena's `next` ends it (arena.h, B1 to B3). */
static size_t arena_end(const struct census *census, const struct view *view)
{
    const struct arena *arena = image(census, (word)view->slab->arena, sizeof *arena);
    size_t end = view->blocks * view->block_bytes;
    size_t next = arena ? arena->next - view->base : end;
    return next > 0 && next < end ? next : end;
}

static size_t load_arena(const struct view *view, struct load *load, size_t page, size_t limit)
{
    size_t count = 0;
    bool live = false;
    for (size_t i = 0; i < view->blocks; i++) {
        size_t from = i * view->block_bytes, to = from + view->block_bytes;
        bool begins = !(view->free[i / WORD_BITS] >> i % WORD_BITS & 1);
        bool ends = view->remote[i / WORD_BITS] >> i % WORD_BITS & 1;
        live = begins || (live && !ends);
        count += begins;
        size_t used = !live || from > limit ? from : to < limit ? to : limit;
        spread(load, page, from, used, true);
        spread(load, page, used, to, false);
    }
    return count;
}

/* -- adding up --------------------------------------------------------------------------------- */

struct sums {
    size_t live, free, pinned, tails, trimmable, live_bytes;
};

/* What malloc_trim looks at (trim.c): slabs of one word, on small pages. */
static bool is_trimmed(const struct view *view)
{
    return view->slab->words == 1 && !view->dense && !(view->slab->owner & OWNER_ARENA);
}

static void add_page(struct sums *sums, const struct load *load, size_t page, bool trimmed)
{
    sums->live += load->live;
    sums->tails += page - load->live - load->free;
    if (load->live != 0) {
        sums->pinned += load->free;
        return;
    }
    sums->free += load->free;
    if (load->free == page && trimmed)
        sums->trimmable += page;
}

static void add_pages(const struct census *census, const struct view *view,
                      const struct load *load, struct sums *sums)
{
    size_t page = census->pages.page_bytes;
    for (size_t i = 0; i < view->bytes / page; i++) {
        sums->live_bytes += load[i].live;
        if (residency_page(&census->pages, view->base + i * page))
            add_page(sums, &load[i], page, is_trimmed(view));
    }
}

static void add_class(struct survey *survey, const struct view *view, const struct sums *sums,
                      size_t live)
{
    struct survey_class *class = &survey->classes[view->slab->class];
    class->size = view->block_bytes;
    class->slabs++;
    class->blocks += live;
    class->capacity += view->blocks;
    class->live += sums->live;
    class->free += sums->free;
    class->pinned += sums->pinned;
}

static void add_small(struct census *census, struct survey *survey, const struct view *view)
{
    struct sums sums = { 0 };
    size_t page = census->pages.page_bytes, live;
    bool arena = view->slab->owner & OWNER_ARENA;
    struct load *load = calloc(view->bytes / page + 1, sizeof *load);
    if (!load)
        return;
    live = arena ? load_arena(view, load, page, arena_end(census, view))
                 : load_blocks(view, load, page);
    add_pages(census, view, load, &sums);
    free(load);
    survey->row[arena ? ROW_arena : ROW_live] += (int64_t)sums.live;
    survey->row[ROW_free] += (int64_t)sums.free;
    survey->row[ROW_pinned] += (int64_t)sums.pinned;
    survey->row[ROW_tails] += (int64_t)sums.tails;
    survey->trimmable += (int64_t)sums.trimmable;
    *(arena ? &survey->arena_blocks : &survey->live_blocks) += (int64_t)live;
    *(arena ? &survey->arena_bytes : &survey->live_bytes) += (int64_t)sums.live_bytes;
    if (!arena && view->slab->class < CLASS_COUNT)
        add_class(survey, view, &sums, live);
}

static void add_large(struct census *census, struct survey *survey, const struct view *view)
{
    word end = view->base + view->block_bytes;
    bool live = !is_free(view, 0);
    survey->row[live ? ROW_large : ROW_free] +=
        (int64_t)residency_bytes(&census->pages, view->base, end);
    survey->row[ROW_tails] +=
        (int64_t)residency_bytes(&census->pages, end, view->base + view->bytes);
    survey->large_blocks += live;
    survey->large_bytes += live ? (int64_t)view->block_bytes : 0;
}

/* No span's, or on its way from one use to another. */
static void add_slice(struct census *census, struct survey *survey, size_t slice)
{
    word at = slice_address(census, slice);
    bool unused = bit_of(census, census->tables.available.map, slice)
               && !bit_of(census, census->tables.dirty.map, slice);                    /* N2 */
    enum row row = image(census, at, 1) ? ROW_tables : unused ? ROW_huge : ROW_empty;
    survey->row[row] += (int64_t)residency_bytes(&census->pages, at, at + SLICE_BYTES);
}

static word slab_at(const struct census *census, size_t slice)
{
    word at = (word)census->cage.slab_of + slice * sizeof(word);
    const word *entry = image(census, at, sizeof *entry);
    return entry ? *entry : 0;
}

/* Where address space was short, descriptors lie in slices of the cage itself (meta.c). */
static void copy_slices(struct census *census)
{
    for (size_t i = 0; i < census->cage.reach >> SLICE_SHIFT; i++) {
        word at = slab_at(census, i);
        if (at % META_UNIT == 0 && at - census->cage.base < census->cage.reach
            && !image(census, at, 1))
            add_extent(census, round_down(at, SLICE_BYTES),
                       round_down(at, SLICE_BYTES) + SLICE_BYTES);
    }
}

static size_t add_span(struct census *census, struct survey *survey, size_t slice)
{
    struct view view;
    word at = slab_at(census, slice);
    if (at == (word)census->beacon->chart.none || !open_view(census, at, slice, &view)) {
        add_slice(census, survey, slice);
        return 1;
    }
    if (view.slab->owner & OWNER_LARGE)
        add_large(census, survey, &view);
    else
        add_small(census, survey, &view);
    return view.slab->slices;
}

static void walk(struct census *census, struct survey *survey)
{
    copy_slices(census);
    for (size_t i = 0; i < census->cage.reach >> SLICE_SHIFT;)
        i += is_ours(census, i) ? add_span(census, survey, i) : 1;
}

/* Those that are in use, together. */
static void pack_classes(struct survey *survey)
{
    for (size_t i = 0; i < CLASS_COUNT; i++)
        if (survey->classes[i].slabs)
            survey->classes[survey->class_count++] = survey->classes[i];
}

static void add_tables(struct census *census, struct survey *survey)
{
    for (unsigned i = 0; i < census->extents; i++) {
        const struct extent *extent = &census->extent[i];
        if (extent->lo - census->cage.base < census->cage.reach)
            continue;                            /* counted as a slice */
        survey->row[ROW_tables] +=
            (int64_t)residency_bytes(&extent->pages, extent->lo, extent->hi);
        survey->heap_swap += (int64_t)extent->pages.swapped;
    }
}

/* -- the whole --------------------------------------------------------------------------------- */

static bool read_roots(struct census *census, struct survey *survey)
{
    const struct published *published = &census->beacon->published;
    return copy(census, census->beacon->chart.cage, &census->cage, sizeof census->cage)
        && copy(census, census->beacon->chart.tables, &census->tables, sizeof census->tables)
        && copy(census, published->counts, &survey->counts, sizeof survey->counts);
}

static size_t committed(const struct cage *there)
{
    size_t slices = 0;
    for (unsigned i = 0; i < ZONE_COUNT; i++)
        slices += there->zone[i].reach - there->zone[i].first;
    return slices << SLICE_SHIFT;
}

static bool is_cage_sound(const struct cage *there)
{
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        const struct cage_zone *zone = &there->zone[i];
        if (zone->first > zone->reach || zone->reach > zone->end
            || zone->end > there->bytes >> SLICE_SHIFT)
            return false;
    }
    return there->reach <= there->bytes && there->reach % SLICE_BYTES == 0
        && there->reach <= REACH_MOST;
}

bool census_take(struct census *census, struct survey *survey)
{
    if (!read_roots(census, survey))
        return false;
    word base = census->cage.base;
    size_t reach = census->cage.reach;
    survey->reserved = (int64_t)census->cage.bytes;
    survey->committed = (int64_t)committed(&census->cage);
    if (reach == 0)
        return true;
    if (!is_cage_sound(&census->cage)
        || !look_at_pages(census, &census->pages, base, base + reach) || !copy_tables(census))
        return false;
    survey->heap_swap = (int64_t)census->pages.swapped;
    walk(census, survey);
    pack_classes(survey);
    add_tables(census, survey);
    return true;
}

void census_fini(struct census *census)
{
    for (unsigned i = 0; i < census->extents; i++) {
        struct extent *extent = &census->extent[i];
        munmap(extent->image, extent->hi - extent->lo);
        residency_fini(&extent->pages);
    }
    census->extents = 0;
    residency_fini(&census->pages);
}

static size_t overlap(const struct residency *pages, const struct extent *range,
                      const struct mapping *mapping)
{
    word lo = mapping->lo > range->lo ? mapping->lo : range->lo;
    word hi = mapping->hi < range->hi ? mapping->hi : range->hi;
    return lo < hi ? residency_bytes(pages, lo, hi) : 0;
}

size_t census_share(const struct census *census, const struct mapping *mapping)
{
    size_t bytes = 0;
    if (census->cage.reach == 0)
        return 0;
    for (unsigned i = 0; i < ZONE_COUNT; i++) {
        const struct cage_zone *zone = &census->cage.zone[i];
        struct extent range = { .lo = slice_address(census, zone->first),
                                .hi = slice_address(census, zone->reach) };
        if (!census->cage.planned && mapping->lo >= range.lo
            && mapping->hi <= slice_address(census, zone->end))
            return mapping->rss;
        bytes += overlap(&census->pages, &range, mapping);
    }
    for (unsigned i = 0; i < census->extents; i++)
        if (census->extent[i].lo - census->cage.base >= census->cage.reach)
            bytes += overlap(&census->extent[i].pages, &census->extent[i], mapping);
    return bytes;
}
