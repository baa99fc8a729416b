/* foreign.c - pointers that are not ours.
 * Job         Forward to the next allocator what it may own: the brk heap and anonymous mappings,
 *             where a library bound to libc (RTLD_DEEPBIND) got its blocks. Everything else dies
 *             with a sentence that says what lies there.
 * Locking     none; the last region seen is kept per process as a hint, one word at a time.
 */
#include "front/front.h"
#include "heap/shared.h"
#include "os/os.h"
#include "base/count.h"

#include <dlfcn.h>
#include <errno.h>

struct next {
    void   (*free)(void *pointer);
    void  *(*malloc)(size_t bytes);
    void  *(*memalign)(size_t align, size_t bytes);
    void  *(*realloc)(void *pointer, size_t bytes);
    size_t (*usable)(void *pointer);
};

/* dlsym may allocate, and is asked with no lock held; a call that comes from inside it finds no
 * next allocator. */
static const struct next *next_allocator(void)
{
    static struct next next;
    if (LIKELY(__atomic_load_n(&next.free, __ATOMIC_ACQUIRE) != NULL))
        return &next;
    if (thread.nested)
        return NULL;
    thread.nested = 1;
    next.malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    next.memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
    next.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    next.usable = (size_t (*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size");
    __atomic_store_n(&next.free, (void (*)(void *))dlsym(RTLD_NEXT, "free"), __ATOMIC_RELEASE);
    thread.nested = 0;
    return next.free != NULL ? &next : NULL;
}

word foreign_alloc(size_t bytes, size_t align)
{
    const struct next *next = next_allocator();
    if (next == NULL)
        return align <= CLASS_ALIGN ? shared_last_resort(bytes) : 0;
    return (word)(align <= CLASS_ALIGN ? next->malloc(bytes) : next->memalign(align, bytes));
}

/* What is wrong with the pointer; FAULT_NONE: another allocator may own it. */
static enum fault_kind judge(word pointer, struct os_region *region)
{
    Dl_info object;
    word frame = (word)__builtin_frame_address(0);
    if (cage_is_bookkeeping(pointer))
        return FAULT_BOOKKEEPING;
    if (dladdr((void *)pointer, &object) != 0) {
        struct text name;
        text_init(&name, region->name, sizeof region->name);
        text_string(&name, object.dli_fname);
        return FAULT_STATIC;
    }
    os_region_of(pointer, region);
    if (region->place == OS_UNMAPPED)
        return FAULT_UNMAPPED;
    if (region->place == OS_STACK || frame - region->lo < region->hi - region->lo)
        return FAULT_STACK;
    return region->place == OS_FILE ? FAULT_STATIC : FAULT_NONE;
}

/* The C library writes before each block the size of its chunk and three flags; a block mapped by
 * itself begins with its chunk at a page. Another allocator's marks are not known: he is asked. */
static bool bears_its_marks(word pointer, const struct os_region *region)
{
    enum { MAPPED = 2, FLAGS = 7, HEADER = 16 };
    Dl_info owner;
    const struct next *next = next_allocator();
    if (next == NULL || dladdr((void *)next->free, &owner) == 0)
        return false;
    if (!text_contains(owner.dli_fname, "libc.so"))
        return true;
    if (!region->readable || pointer - region->lo < HEADER)
        return false;
    const size_t *block = (const size_t *)pointer;
    size_t before = block[-2], size = block[-1], bytes = size & ~(size_t)FLAGS;
    if (bytes < 2 * HEADER || bytes % CLASS_ALIGN != 0)
        return false;
    if (size & MAPPED)
        return (pointer - HEADER - before) % KIB(4) == 0 && (bytes + before) % KIB(4) == 0;
    return bytes - HEADER <= region->hi - pointer;
}

static bool may_own(word pointer, struct os_region *region, const char *call)
{
    static word known_lo, known_hi;              /* a region another allocator owned blocks in */
    if (!front_options->midden)
        return true;
    word lo = __atomic_load_n(&known_lo, __ATOMIC_RELAXED);
    if (lo != 0 && pointer >= lo && pointer < __atomic_load_n(&known_hi, __ATOMIC_RELAXED))
        return true;
    enum fault_kind fault = judge(pointer, region);
    if (fault == FAULT_NONE && (pointer % CLASS_ALIGN != 0 || !bears_its_marks(pointer, region)))
        fault = FAULT_FOREIGN;
    if (fault != FAULT_NONE) {
        front_fault_at(fault, pointer, region->name, call);
        return false;
    }
    __atomic_store_n(&known_lo, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&known_hi, region->hi, __ATOMIC_RELAXED);
    __atomic_store_n(&known_lo, region->lo, __ATOMIC_RELAXED);
    return true;
}

void foreign_free(word pointer, const char *call)
{
    struct os_region region;
    int kept = errno;
    if (shared_is_last_resort(pointer)) {
        shared_last_resort_give(pointer);
        return;
    }
    if (heap_is_inside())                           /* a handler's: better lost than asked about */
        return;
    if (may_own(pointer, &region, call) && next_allocator() != NULL) {
        COUNT_ONE(foreign_frees);
        next_allocator()->free((void *)pointer);
    }
    errno = kept;
}

static void *copy_last_resort(word pointer, size_t bytes)
{
    bool zero;
    size_t had = shared_last_resort_bytes(pointer);
    word block = front_alloc(bytes, &zero);
    if (block != 0) {
        __builtin_memcpy((void *)block, (void *)pointer, had < bytes ? had : bytes);
        shared_last_resort_give(pointer);
    }
    return front_give(block);
}

void *foreign_realloc(word pointer, size_t bytes)
{
    struct os_region region;
    if (shared_is_last_resort(pointer))
        return copy_last_resort(pointer, bytes);
    if (heap_is_inside() || !may_own(pointer, &region, "realloc") || next_allocator() == NULL)
        return front_give(0);
    return next_allocator()->realloc((void *)pointer, bytes);
}

size_t foreign_usable(word pointer)
{
    struct os_region region;
    if (shared_is_last_resort(pointer))
        return shared_last_resort_bytes(pointer);
    if (heap_is_inside() || next_allocator() == NULL)
        return 0;
    if (front_options->midden && judge(pointer, &region) != FAULT_NONE)
        return 0;
    return next_allocator()->usable((void *)pointer);
}
