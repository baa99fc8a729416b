/* introspect.c - what a program may ask of its malloc.
 * Job         glibc's ways to look at the heap and to tune it, answered from our own figures.
 *             Without them a program would reach the C library's, which would tell of a heap that
 *             nobody uses.
 *             With midden=off it is the C library's heap that is used, and asked.
 * Locking     none here. What is read while other threads run may be a moment old.
 */
#include "front/front.h"
#include "heap/trim.h"
#include "heap/walk.h"
#include "report/stats.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>

/* What answers in our place; NULL: we do. */
static void *instead(const char *name)
{
    return LIKELY(front_options->midden) ? NULL : dlsym(RTLD_NEXT, name);
}

/* -- memory back ------------------------------------------------------------------------------- */

size_t front_trim(size_t keep_bytes)
{
    if (heap_is_inside())                        /* a handler's call, above one that has it */
        return 0;
    struct heap *heap = life_attach();
    life_slow_path();
    heap_enter();
    size_t given = trim_heap(heap, keep_bytes);
    heap_leave();
    if (heap != NULL && UNLIKELY(heap->twice != 0))
        front_fault_twice(heap);
    return given;
}

EXPORT int PUBLIC(malloc_trim)(size_t pad)
{
    int (*next)(size_t) = (int (*)(size_t))instead("malloc_trim");
    return next != NULL ? next(pad) : front_trim(pad) != 0;
}

/* -- figures ----------------------------------------------------------------------------------- */

/* glibc's words: a chunk is a block, what is mapped is a large block, all the rest is the arena. */
EXPORT struct mallinfo2 PUBLIC(mallinfo2)(void)
{
    struct walk_figures figures;
    struct mallinfo2 (*next)(void) = (struct mallinfo2 (*)(void))instead("mallinfo2");
    if (next != NULL)
        return next();
    walk_figures(&figures);
    size_t used = figures.taken_bytes - figures.large_bytes;
    size_t free = figures.free_bytes + figures.dirty_bytes;
    return (struct mallinfo2){
        .arena = used + free, .ordblks = figures.free_blocks,
        .hblks = figures.large_blocks, .hblkhd = figures.large_bytes,
        .uordblks = used, .fordblks = free, .keepcost = figures.dirty_bytes,
    };
}

static int fitted(size_t value)                  /* one that wraps would mislead more */
{
    return value < INT_MAX ? (int)value : INT_MAX;
}

EXPORT struct mallinfo PUBLIC(mallinfo)(void)
{
    struct mallinfo2 wide = PUBLIC(mallinfo2)();
    return (struct mallinfo){
        .arena = fitted(wide.arena), .ordblks = fitted(wide.ordblks),
        .hblks = fitted(wide.hblks), .hblkhd = fitted(wide.hblkhd),
        .uordblks = fitted(wide.uordblks), .fordblks = fitted(wide.fordblks),
        .keepcost = fitted(wide.keepcost),
    };
}

EXPORT void PUBLIC(malloc_stats)(void)
{
    void (*next)(void) = (void (*)(void))instead("malloc_stats");
    if (next != NULL)
        next();
    else
        stats_tell();
}

/* -- malloc_info ------------------------------------------------------------------------------- */

static void print_total(FILE *out, const char *type, size_t count, size_t bytes)
{
    fprintf(out, "<total type=\"%s\" count=\"%zu\" size=\"%zu\"/>\n", type, count, bytes);
}

static void print_size(FILE *out, const char *element, const char *type, size_t bytes)
{
    fprintf(out, "<%s type=\"%s\" size=\"%zu\"/>\n", element, type, bytes);
}

/* A size class is a bin: `total` and `count` are of its free blocks. What else is known of it
 * stands in attributes of our own. */
static void print_classes(FILE *out)
{
    size_t below = 0;
    fputs("<sizes>\n", out);
    for (unsigned class = 0; class < walk_class_count(); class++) {
        struct walk_class figures;
        walk_class_figures(class, &figures);
        size_t free = figures.blocks - figures.taken;
        if (figures.slabs != 0)
            fprintf(out, "<size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\" used=\"%zu\" "
                    "slabs=\"%zu\"/>\n", below + 1, figures.block_bytes,
                    free * figures.block_bytes, free, figures.taken, figures.slabs);
        below = figures.block_bytes;
    }
    fputs("</sizes>\n", out);
}

static void print_sums(FILE *out, const struct walk_figures *figures, bool whole)
{
    print_total(out, "fast", 0, 0);
    print_total(out, "rest", figures->free_blocks, figures->free_bytes);
    if (whole)
        print_total(out, "mmap", figures->large_blocks, figures->large_bytes);
    print_size(out, "system", "current", figures->span_bytes + figures->dirty_bytes);
    print_size(out, "system", "max", figures->peak_span_bytes);
    print_size(out, "aspace", "total", figures->cage_bytes);
    print_size(out, "aspace", "mprotect", figures->reach_bytes);
}

/* The document that glibc calls version 1, of one heap. */
EXPORT int PUBLIC(malloc_info)(int options, FILE *out)
{
    struct walk_figures figures;
    int (*next)(int, FILE *) = (int (*)(int, FILE *))instead("malloc_info");
    if (next != NULL)
        return next(options, out);
    if (options != 0)
        return EINVAL;
    walk_figures(&figures);
    fputs("<malloc version=\"1\">\n<heap nr=\"0\">\n", out);
    print_classes(out);
    print_sums(out, &figures, false);
    fputs("</heap>\n", out);
    print_sums(out, &figures, true);
    fputs("</malloc>\n", out);
    return ferror(out) != 0 ? EIO : 0;
}

/* -- tuning ------------------------------------------------------------------------------------ */

/* What glibc knows is taken and does nothing: each of these tunes a mechanism that is not here. */
EXPORT int PUBLIC(mallopt)(int what, int value)
{
    int (*next)(int, int) = (int (*)(int, int))instead("mallopt");
    if (next != NULL)
        return next(what, value);
    switch (what) {
    case M_MXFAST:
    case M_NLBLKS:
    case M_GRAIN:
    case M_KEEP:
    case M_TRIM_THRESHOLD:
    case M_TOP_PAD:
    case M_MMAP_THRESHOLD:
    case M_MMAP_MAX:
    case M_CHECK_ACTION:
    case M_PERTURB:
    case M_ARENA_TEST:
    case M_ARENA_MAX:
        return 1;
    }
    return 0;
}

/* -- heaps kept in files: gone from glibc with 2.25, but old programs ask for the names -------- */

EXPORT void *PUBLIC(malloc_get_state)(void)
{
    errno = ENOSYS;
    return NULL;
}

EXPORT int PUBLIC(malloc_set_state)(void *state)
{
    (void)state;
    errno = ENOSYS;
    return -1;
}
