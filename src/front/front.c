/* front.c - the long way from a public call to the heap: every case that is not the common one. */
#include "front/front.h"
#include "heap/arena.h"
#include "heap/large.h"
#include "heap/roster.h"
#include "heap/shared.h"
#include "heap/span.h"
#include "report/fault.h"
#include "report/handshake.h"
#include "base/count.h"

#include <errno.h>

const struct options *front_options = &option_initial;

/* -- allocation ------------------------------------------------------------------------------------------------------------ */

/* A handler that interrupted malloc or free, or a thread that has no heap any more. */
static COLD word alloc_shared(size_t bytes, unsigned class, bool *zero)
{
    bool outer = thread.nested;
    *zero = false;
    if (thread.inside)
        COUNT_ONE(emergencies);
    else
        COUNT_ONE(late_calls);
    thread.nested = 1;
    word block = class < CLASS_COUNT ? shared_alloc(class, zero) : large_alloc(bytes, CLASS_ALIGN, zero);
    thread.nested = outer;
    if (block == 0 && thread.inside) {
        *zero = true;
        block = shared_last_resort(bytes);
    }
    return block;
}

static word alloc_once(struct heap *heap, size_t bytes, unsigned class, bool *zero)
{
    heap_enter();
    word block = class < CLASS_COUNT ? heap_alloc(heap, class, zero) : large_alloc(bytes, CLASS_ALIGN, zero);
    heap_leave();
    return block;
}

/* Memory is full: what this thread holds empty may be enough, once. */
static COLD word alloc_again(struct heap *heap, size_t bytes, unsigned class, bool *zero)
{
    heap_enter();
    heap_rest(heap);
    heap_leave();
    word block = alloc_once(heap, bytes, class, zero);
    if (block == 0)
        COUNT_ONE(out_of_memory);
    return block;
}

static word alloc_class(size_t bytes, unsigned class, bool *zero)
{
    struct heap *heap = thread.inside ? NULL : life_attach();
    if (UNLIKELY(heap == NULL))
        return alloc_shared(bytes, class, zero);
    life_slow_path();
    word block = alloc_once(heap, bytes, class, zero);
    if (UNLIKELY(block == 0))
        block = alloc_again(heap, bytes, class, zero);
    if (UNLIKELY(heap->twice != 0))
        front_fault_twice(heap);
    return block;
}

word front_alloc(size_t bytes, bool *zero)
{
    if (UNLIKELY(bytes > PTRDIFF_MAX))
        return 0;
    return alloc_class(bytes, bytes <= CLASS_MAX_BYTES ? class_of(bytes) : CLASS_COUNT, zero);
}

static word alloc_aligned_large(size_t bytes, size_t align, bool *zero)
{
    struct heap *heap = thread.inside ? NULL : life_attach();
    if (heap == NULL)
        return 0;
    heap_enter();
    word block = large_alloc(bytes, align, zero);
    heap_leave();
    return block;
}

word front_alloc_aligned(size_t bytes, size_t align, bool *zero)
{
    if (bytes > PTRDIFF_MAX || align > PTRDIFF_MAX)
        return 0;
    unsigned class = class_of_aligned(bytes == 0 ? 1 : bytes, align);
    if (class < CLASS_COUNT)
        return alloc_class(bytes, class, zero);
    return alloc_aligned_large(bytes == 0 ? 1 : bytes, align, zero);
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

/* -- frees ------------------------------------------------------------------------------------------------------------------- */

static enum fault_kind free_in_cage(word pointer)
{
    bool interrupted = thread.inside, outer = thread.nested;
    struct heap *heap = interrupted ? NULL : life_attach();
    thread.inside = 1;
    thread.nested = outer || interrupted;
    enum fault_kind fault = heap_free(heap, pointer);
    thread.nested = outer;
    thread.inside = interrupted;
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

/* -- faults -------------------------------------------------------------------------------------------------------------------- */

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
