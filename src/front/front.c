/* front.c - the long way from a public call to the heap: every case that is not the common one. */
#include "front/front.h"
#include "front/gc.h"
#include "heap/arena.h"
#include "heap/large.h"
#include "heap/meta.h"
#include "heap/roster.h"
#include "heap/shared.h"
#include "heap/span.h"
#include "report/fault.h"
#include "report/handshake.h"
#include "base/count.h"

#include <errno.h>

const struct options *front_options = &option_initial;

/* -- allocation -------------------------------------------------------------------------------- */

struct request {
    size_t   bytes, align;
    unsigned class;                              /* CLASS_COUNT: a span of its own */
};

static word take(struct heap *heap, const struct request *request, bool *zero)
{
    if (request->class < CLASS_COUNT)
        return heap_alloc(heap, request->class, zero);
    return large_alloc(request->bytes, request->align, false, zero);
}

/* A handler that interrupted malloc or free, or a thread that has no heap any more. */
static COLD word take_shared(const struct request *request, bool *zero)
{
    bool interrupted = heap_enter_was(), outer = thread.nested;
    *zero = false;
    if (interrupted)
        COUNT_ONE(emergencies);
    else
        COUNT_ONE(late_calls);
    thread.nested = outer || interrupted;
    bool small = request->class < CLASS_COUNT;
    word block = small ? shared_alloc(request->class, zero) : take(NULL, request, zero);
    thread.nested = outer;
    heap_leave_to(interrupted);
    if (block == 0 && interrupted && request->align <= CLASS_ALIGN)
        block = shared_last_resort(request->bytes);
    return block;
}

/* A handler that interrupted who holds the locks outside of malloc: a fork, most often. */
static COLD word take_beneath(const struct request *request)
{
    bool refused = lock_is_mine(&span_lock) || lock_is_mine(&meta_lock);
    return refused && request->align <= CLASS_ALIGN ? shared_last_resort(request->bytes) : 0;
}

static word take_alone(struct heap *heap, const struct request *request, bool *zero)
{
    heap_enter();
    word block = take(heap, request, zero);
    heap_leave();
    return block;
}

/* Memory is full: what this thread holds empty may be enough, once. */
static COLD word take_again(struct heap *heap, const struct request *request, bool *zero)
{
    heap_enter();
    heap_rest(heap, 0);
    roster_rest();
    heap_leave();
    return take_alone(heap, request, zero);
}

static word serve(const struct request *request, bool *zero)
{
    struct heap *heap = heap_is_inside() ? NULL : life_attach();
    word block;
    if (LIKELY(heap != NULL)) {
        life_slow_path();
        block = take_alone(heap, request, zero);
        if (UNLIKELY(block == 0))
            block = take_again(heap, request, zero);
        if (UNLIKELY(block == 0) && gc_exhausted())
            block = take_alone(heap, request, zero);
        if (UNLIKELY(heap->twice != 0))
            front_fault_twice(heap);
    } else if (UNLIKELY(!front_options->midden)) {
        *zero = false;
        return foreign_alloc(request->bytes, request->align);
    } else {
        block = take_shared(request, zero);
    }
    if (LIKELY(block != 0))
        return block;
    *zero = false;
    block = take_beneath(request);
    if (block == 0)
        COUNT_ONE(out_of_memory);
    return block;
}

word front_alloc(size_t bytes, bool *zero)
{
    if (UNLIKELY(bytes > PTRDIFF_MAX))
        return 0;
    unsigned class = bytes <= CLASS_MAX_BYTES ? class_of(bytes) : CLASS_COUNT;
    struct request request = { bytes, CLASS_ALIGN, class };
    return serve(&request, zero);
}

word front_alloc_aligned(size_t bytes, size_t align, bool *zero)
{
    if (bytes > PTRDIFF_MAX || align > PTRDIFF_MAX)
        return 0;
    bytes = bytes == 0 ? 1 : bytes;
    struct request request = { bytes, align, class_of_aligned(bytes, align) };
    return serve(&request, zero);
}

void *front_give(word block)
{
    if (UNLIKELY(block == 0))
        errno = ENOMEM;
    return (void *)block;
}

bool front_zero_frees(void)
{
    return front_options->realloc_zero == REALLOC_ZERO_FREE;
}

size_t front_page_bytes(void)
{
    if (cage.facts.page_bytes == 0)
        life_attach();
    return cage.facts.page_bytes != 0 ? cage.facts.page_bytes : KIB(4);
}

/* -- frees ------------------------------------------------------------------------------------- */

static enum fault_kind free_in_cage(word pointer)
{
    bool interrupted = heap_is_inside(), outer = thread.nested;
    struct heap *heap = interrupted ? NULL : life_attach_to_free();
    if (!interrupted)
        life_slow_path();
    heap_enter();
    thread.nested = outer || interrupted;
    enum fault_kind fault = heap_free(heap, pointer);
    thread.nested = outer;
    heap_leave_to(interrupted);
    if (heap != NULL && UNLIKELY(heap->twice != 0))
        front_fault_twice(heap);
    return fault;
}

void front_free(word pointer, const char *call)
{
    if (pointer == 0)
        return;
    if (UNLIKELY(!cage_holds(pointer))) {
        foreign_free(pointer, call);
        return;
    }
    enum fault_kind fault = free_in_cage(pointer);
    if (UNLIKELY(fault != FAULT_NONE))
        front_fault(fault, pointer, 0, call);
}

/* A handler may have come before we are inside, and have given the slab back: what lies there now
 * is looked at. */
NOINLINE void front_full_word(word block)
{
    heap_enter();
    struct slab *slab = cage_slab(block);
    if (LIKELY(slab_heap(slab) == heap_mine()))
        heap_free_full_word(heap_mine(), slab);
    heap_leave();
}

void front_free_sized(word pointer, size_t bytes, size_t align, const char *call)
{
    struct slab *slab;
    size_t index;
    if (cage_holds(pointer) && heap_find(pointer, &slab, &index) == FAULT_NONE) {
        if (UNLIKELY(bytes > slab->block_bytes)) {
            front_fault(FAULT_SIZE, pointer, bytes, call);
            return;
        }
        if (UNLIKELY(align > 1 && pointer % align != 0)) {
            front_fault(FAULT_ALIGNMENT, pointer, align, call);
            return;
        }
    }
    front_free(pointer, call);
}

size_t front_usable(word pointer)
{
    struct slab *slab;
    size_t index;
    if (pointer == 0)
        return 0;
    if (!cage_holds(pointer))
        return foreign_usable(pointer);
    return heap_find(pointer, &slab, &index) == FAULT_NONE ? slab->block_bytes : 0;
}

/* -- faults ------------------------------------------------------------------------------------ */

/* Known where the second free comes before the owner has absorbed the first, or where there was
 * never but one thread. */
static const char *freed_by(struct slab *slab, size_t index)
{
    if (slab_heap(slab) == heap_mine() && slab_remote_test(slab, index))
        return ", by another thread";
    return counts.heaps_made == 1 && counts.heaps_reused == 0 ? ", by this thread" : NULL;
}

static void describe_block(struct fault *fault)
{
    struct slab *slab = cage_slab(fault->pointer);
    if (slab_owner(slab) & OWNER_ARENA)
        fault->name = arena_name(slab);
    if (slab_heap(slab) == NULL && !(slab_owner(slab) & OWNER_LARGE))
        return;
    struct slab_place place = slab_place(slab, fault->pointer);
    if (place.index >= slab->blocks)
        return;
    fault->start = slab_block(slab, place.index);
    fault->block_bytes = slab->block_bytes;
    if (fault->kind == FAULT_DOUBLE_FREE)
        fault->by = freed_by(slab, place.index);
}

static COLD void raise_fault(struct fault *fault)
{
    char sentence[512];
    COUNT_ONE(faults);
    fault_sentence(fault, sentence, sizeof sentence);
    handshake_fault(fault->kind, sentence);
    if (front_options->corruption == CORRUPTION_IGNORE)
        return;
    fault_tell(fault);
    if (front_options->corruption == CORRUPTION_ABORT)
        os_abort();
}

COLD void front_fault(enum fault_kind kind, word pointer, size_t given, const char *call)
{
    struct fault fault = { .kind = kind, .call = call, .pointer = pointer, .given = given };
    if (cage_holds(pointer))
        describe_block(&fault);
    raise_fault(&fault);
}

COLD void front_fault_at(enum fault_kind kind, word pointer, const char *name, const char *call)
{
    struct fault fault = { .kind = kind, .call = call, .pointer = pointer, .name = name };
    raise_fault(&fault);
}

COLD void front_fault_twice(struct heap *heap)
{
    word block = heap->twice;
    heap->twice = 0;
    front_fault(FAULT_DOUBLE_FREE, block, 0, "free");
}
