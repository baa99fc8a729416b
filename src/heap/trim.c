/* trim.c - walk what is free, drop its pages. */
#include "heap/trim.h"
#include "heap/large.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/span.h"

/* Only what is in memory counts, so that a second trim finds nothing. */
static size_t purge_pages(word lo, word hi)
{
    size_t page = cage.facts.page_bytes;
    lo = round_up(lo, page);
    hi = round_down(hi, page);
    if (lo >= hi || span_is_huge(hi - 1))
        return 0;
    size_t resident = os_resident(lo, hi - lo);
    return resident != 0 && os_purge(lo, hi - lo) ? resident : 0;
}

static bool is_free(const struct slab *slab, size_t index)
{
    return slab->free[index / 64] >> index % 64 & 1;
}

/* Runs of free blocks that cover a page. Whoever calls is the slab's owner. */
static size_t purge_slab(const struct slab *slab)
{
    size_t purged = 0;
    for (size_t first = 0, last; first < slab->blocks; first = last + 1) {
        for (last = first; last < slab->blocks && is_free(slab, last);)
            last++;
        if (last > first)
            purged += purge_pages(slab_block(slab, first), slab_block(slab, last));
    }
    return purged;
}

static size_t purge_lists(struct heap *heap)
{
    size_t purged = 0;
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct slab *slab = heap->partial[class];
        for (size_t bound = heap->listed; slab != NULL && bound-- > 0;) {
            purged += purge_slab(slab);
            slab = slab->next != heap->partial[class] ? slab->next : NULL;
        }
    }
    return purged;
}

/* The system calls run under the lock: a slab let go in the middle could be adopted and issued from
 * while its pages go. */
static size_t purge_orphans(void)
{
    if (!lock_take(&roster_lock))
        return 0;
    remote_drain(heap_orphans());
    size_t purged = purge_lists(heap_orphans());
    lock_give(&roster_lock);
    return purged;
}

size_t trim_heap(struct heap *heap, size_t keep_bytes)
{
    size_t purged = 0;
    large_drain();
    if (heap != NULL) {
        heap_rest(heap);
        purged += purge_lists(heap);
    }
    purged += purge_orphans();
    return purged + span_purge(keep_bytes);
}

/* Both locks: nothing of the cage or of the tables grows while what was reserved for them goes. */
void trim_space(size_t limit_bytes)
{
    if (!lock_take(&span_lock))
        return;
    if (lock_take(&meta_lock)) {
        if (!cage_fits(limit_bytes))
            cage_trim();
        lock_give(&meta_lock);
    }
    lock_give(&span_lock);
}
