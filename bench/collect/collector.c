/* collector.c - start a collector, ask it to collect, and keep what its collections took.
 * Job         Both collectors tell of their collections by a callback. The clock is read here, but
 *             for the time the world stands under midden, which its callback is given.
 * Invariants  L1  the record lies in a shared mapping: neither collector scans it
 */
#include "collect.h"

#include <sys/mman.h>
#include <time.h>

enum { RECORD_ROOM = 1 << 16 };

static struct {
    struct pause *pauses;                        /* L1 */
    size_t        count;
    uint64_t      began, stood;                  /* ns; the collection that runs, its stop */
} record;

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void record_make(void)
{
    record.pauses = mmap(NULL, RECORD_ROOM * sizeof *record.pauses, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (record.pauses == MAP_FAILED)
        collect_fail("there is no memory for the record");
}

static struct pause *record_next(void)           /* the one of the collection that runs */
{
    if (record.count == RECORD_ROOM)
        collect_fail("more collections than the record holds");
    return &record.pauses[record.count];
}

size_t collector_pauses(const struct pause **pauses)
{
    *pauses = record.pauses;
    return record.count;
}

#ifdef USE_BDWGC

/* The world may be stopped, and the collector's lock is held: nothing is called but the clock. */
static void collector_event(GC_EventType event)
{
    switch (event) {
    case GC_EVENT_START:
        record.began = now_ns();
        *record_next() = (struct pause){ 0, 0 };
        break;
    case GC_EVENT_PRE_STOP_WORLD:
        record.stood = now_ns();
        break;
    case GC_EVENT_POST_START_WORLD:
        record_next()->stopped_ns += now_ns() - record.stood;
        break;
    case GC_EVENT_END:
        record_next()->whole_ns = now_ns() - record.began;
        record.count++;
        break;
    default:
        break;
    }
}

void collector_start(void)
{
    record_make();
    GC_INIT();
    GC_start_mark_threads();                     /* a program without threads has none otherwise */
    GC_set_warn_proc(GC_ignore_warn_proc);       /* it warns of large blocks: they are meant */
    GC_set_on_collection_event(collector_event);
}

void collector_full(void)
{
    GC_gcollect();
}

#else

static void collector_event(enum midden_phase phase, const struct midden_collection *collection,
                            void *arg)
{
    (void)arg;
    if (phase == MIDDEN_START) {
        record.began = now_ns();
        return;
    }
    *record_next() = (struct pause){ collection->pause_ns, now_ns() - record.began };
    record.count++;
}

void collector_start(void)
{
    record_make();
    if (midden_callbacks_add(collector_event, NULL) != 0)
        collect_fail("midden_callbacks_add failed: is this a library with a collector?");
}

void collector_full(void)
{
    if (midden_collect(MIDDEN_FULL) < 0)
        collect_fail("midden_collect failed");
}

#endif
