/* trim.c - walk what is free, drop its pages. */
#include "heap/trim.h"
#include "heap/large.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/span.h"

/* No system call tells what went: this is among the few that a sandbox allows. So blocks that were
 * never issued are left out, and those whose pages went before are not counted. */
static size_t purge_pages(word lo, word hi, size_t gone_bytes)
{
    size_t page = cage.facts.page_bytes;
    lo = round_up(lo, page);
    hi = round_down(hi, page);
    if (lo >= hi || span_is_huge(hi - 1) || !os_purge(lo, hi - lo))
        return 0;
    return hi - lo > gone_bytes ? hi - lo - gone_bytes : 0;
}

static size_t purge_run(struct slab *slab, size_t first, size_t last)
{
    uint64_t *gone = slab_trimmed(slab), run = bits_below(last) & ~bits_below(first);
    word lo = slab_block(slab, first), hi = slab_block(slab, last);
    if ((run & ~*gone) == 0 || lo >= slab->virgin)
        return 0;
    hi = hi < slab->virgin ? hi : slab->virgin;
    size_t purged = purge_pages(lo, hi, bit_count(run & *gone) * slab->block_bytes);
    if (purged != 0)
        *gone |= run;
    return purged;
}

/* Runs of free blocks, in slabs of one word: so are all whose blocks have 512 bytes and more; of
 * smaller ones a whole page is seldom free. Whoever calls is the slab's owner, and has no cursor on
 * it. */
static size_t purge_slab(struct slab *slab)
{
    size_t purged = 0;
    if (slab->words != 1)
        return 0;
    for (unsigned first = 0, last; first < slab->blocks; first = last + 1) {
        for (last = first; last < slab->blocks && (slab->free[0] >> last & 1);)
            last++;
        if (last > first)
            purged += purge_run(slab, first, last);
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
    size_t purged = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        remote_drain(heap_orphans(kind));
        purged += purge_lists(heap_orphans(kind));
    }
    lock_give(&roster_lock);
    return purged;
}

size_t trim_heap(struct heap *heap, size_t keep_bytes)
{
    size_t purged = 0;
    large_drain();
    if (heap != NULL) {
        heap_rest(heap, 0);
        purged += purge_lists(heap);
    }
    roster_rest();
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
