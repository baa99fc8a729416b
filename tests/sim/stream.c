/* stream.c - operations of several threads, one after the other, against the shadow. */
#include "stream.h"
#include "audit.h"
#include "os_fake.h"
#include "shadow.h"
#include "front/front.h"
#include "heap/large.h"
#include "heap/remote.h"
#include "heap/roster.h"
#include "heap/shared.h"
#include "heap/span.h"
#include "heap/trim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void *midden_malloc(size_t bytes);
void  midden_free(void *pointer);
void *midden_calloc(size_t count, size_t bytes);
void *midden_realloc(void *pointer, size_t bytes);
void *midden_memalign(size_t align, size_t bytes);
size_t midden_malloc_usable_size(void *pointer);

enum { THREADS = 5, LATE = THREADS, NOBODY, PHASE_STEPS = 150, TARGET = 500 };

size_t stream_audit_steps = 16;

static struct {
    struct plan plan;
    uint64_t    random;
    size_t      step;
    const char *operation;
    size_t      favourite_bytes;                 /* a size that this run asks for often */
    size_t      limit_bytes;                     /* machine's or option's; SIZE_MAX: none */
    unsigned    actor;
    struct thread threads[NOBODY];               /* LATE: past its last destructor */
    bool        alive[NOBODY];
} run;

/* -- seeds ------------------------------------------------------------------------------------ */

uint64_t plan_seed(struct plan plan)
{
    return plan.number << 20 | (uint64_t)plan.refused_call << 2 | plan.suite;
}

struct plan plan_of(uint64_t seed)
{
    return (struct plan){ (enum suite)(seed & 3), seed >> 2 & 0x3ffff, seed >> 20 };
}

static uint64_t draw(uint64_t below)             /* splitmix, Steele and others 2014 */
{
    uint64_t z = run.random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

static bool chance(unsigned in_100)
{
    return draw(100) < in_100;
}

static void last_words(void)
{
    printf("# seed %#llx, step %zu, %s by thread %u; page %zu, %s%s\n",
           (unsigned long long)plan_seed(run.plan), run.step, run.operation, run.actor,
           fake.page_bytes, cage.planned ? "planned" : "reserved", fake.locked ? ", locked" : "");
}

/* -- threads ---------------------------------------------------------------------------------- */

static void act_as(unsigned actor)
{
    run.threads[run.actor] = thread;
    thread = run.threads[actor];
    run.actor = actor;
}

static unsigned draw_alive(void)
{
    unsigned actor;
    do
        actor = (unsigned)draw(THREADS);
    while (!run.alive[actor]);
    return actor;
}

static unsigned count_alive(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < THREADS; i++)
        count += run.alive[i];
    return count;
}

static void end_thread(void)                     /* as the front does it */
{
    struct heap *heap = heap_mine();
    run.alive[run.actor] = false;
    if (heap_is_nobody(heap))
        return;
    heap_enter();
    heap_become(&heap_nobody.heap);
    roster_detach(heap);
    heap_leave();
}

/* -- sizes ------------------------------------------------------------------------------------ */

static size_t draw_log(size_t lo, size_t hi)
{
    unsigned shift = (unsigned)draw(bit_highest(hi / lo) + 1);
    size_t bytes = (lo << shift) + draw(lo << shift);
    return bytes < hi ? bytes : hi;
}

static size_t draw_rare(void)
{
    static const size_t absurd[] = {
        SIZE_MAX, SIZE_MAX - 4096, PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, TIB(40),
    };
    if (draw(8) == 0)
        return absurd[draw(COUNT_OF(absurd))];
    bool huge = draw(8) == 0 && cage.reach < GIB(12);
    return huge ? draw_log(MIB(16), MIB(600)) : draw_log(MIB(1), MIB(16));
}

static size_t draw_bytes(void)
{
    switch (draw(20)) {
    case 0:
        return draw(17);
    case 1: case 2: case 3: case 4:
        return run.favourite_bytes;
    case 5: case 6: case 7:
        return draw_log(1024, CLASS_MAX_BYTES);
    case 8:
        return class_bytes((unsigned)draw(CLASS_COUNT)) + draw(3) - 1;
    case 9:
        return draw(4) == 0 ? draw_log(CLASS_MAX_BYTES, MIB(2)) : draw(256);
    case 10:
        return draw(16) == 0 ? draw_rare() : draw(64);
    default:
        return 1 + draw(CLASS_QUICK_MAX);
    }
}

/* -- when may memory be out? ------------------------------------------------------------------ */

static size_t refused_before;

static void begin_call(void)
{
    refused_before = fake.refused;
    errno = 0;
}

static void expect_right_to_refuse(size_t bytes)
{
    size_t used = span_figures().used_slices << SLICE_SHIFT;
    if (!fake.interrupted && errno != ENOMEM)
        fake_die("memory is out, and errno is %d", errno);
    bool planned = fake.refused != refused_before && run.plan.refused_call != 0;
    if (fake.interrupted || bytes > cage.bytes / 4 || planned)
        return;
    if (run.limit_bytes != SIZE_MAX && used + 4 * bytes + MIB(6) >= run.limit_bytes / 3)
        return;
    fake_die("%zu bytes are refused, with %zu of %zu in use", bytes, used, run.limit_bytes);
}

static bool took(void *block, size_t bytes, size_t align)
{
    if (block == NULL) {
        expect_right_to_refuse(bytes < SIZE_MAX / 2 ? bytes + align : bytes);
        return false;
    }
    shadow_add((word)block, bytes, align, run.actor);
    if (midden_malloc_usable_size(block) < bytes)
        fake_die("block %p of %zu bytes says it has fewer", block, bytes);
    return true;
}

/* -- operations ------------------------------------------------------------------------------- */

static bool room_left(void)
{
    return shadow_count < SHADOW_MAX - 200;
}

static bool alloc_bytes(size_t bytes)
{
    begin_call();
    return took(midden_malloc(bytes), bytes, CLASS_ALIGN);
}

static void op_malloc(void)
{
    alloc_bytes(draw_bytes());
}

static void op_calloc(void)
{
    size_t bytes = draw_bytes();
    begin_call();
    void *block = midden_calloc(1, bytes);
    if (block != NULL)
        shadow_expect_zero((word)block, bytes);
    took(block, bytes, CLASS_ALIGN);
}

static void op_memalign(void)
{
    size_t bytes = draw_bytes(), align = (size_t)16 << draw(chance(10) ? 18 : 10);
    begin_call();
    took(midden_memalign(align, bytes), bytes, align);
}

static size_t draw_block(void)                   /* half the time one of the actor's own */
{
    size_t index = draw(shadow_count);
    for (size_t i = 0; i < 32 && shadow[index].thread != run.actor && draw(2) != 0; i++)
        index = draw(shadow_count);
    return index;
}

static void free_block(size_t index)
{
    struct shadow_block block = shadow_remove(index);
    midden_free((void *)block.at);
}

static void op_free(void)
{
    if (shadow_count != 0)
        free_block(draw_block());
}

static void op_realloc(void)
{
    if (shadow_count == 0)
        return;
    size_t bytes = draw_bytes();
    struct shadow_block old = shadow_remove(draw_block());
    if (chance(30))                              /* near the old size: in place, or a page more */
        bytes = old.bytes + old.bytes / 4 + draw(5000);
    begin_call();
    void *block = midden_realloc((void *)old.at, bytes);
    if (bytes == 0 && block == NULL)
        return;
    if (block != NULL)
        shadow_check_kept(&old, (word)block, bytes);
    if (!took(block, bytes, CLASS_ALIGN)) {
        shadow_check(&old);
        shadow_add(old.at, old.bytes, 1, old.thread);
    }
}

static void op_fill(void)                        /* slabs run full */
{
    size_t bytes = draw(2) ? run.favourite_bytes : draw_bytes(), count = draw(100);
    count = bytes > KIB(64) ? count / 16 : count;
    for (size_t i = 0; i < count && room_left(); i++)
        if (!alloc_bytes(bytes))
            return;
}

static void op_sweep(void)                       /* slabs run empty: the blocks of one thread go */
{
    unsigned thread_of = draw_alive();
    for (size_t i = shadow_count; i-- > 0;)
        if (i < shadow_count && shadow[i].thread == thread_of && draw(8) != 0)
            free_block(i);
}

static void op_rest(void)
{
    if (heap_is_nobody(heap_mine()))
        return;
    heap_enter();
    heap_rest(heap_mine(), 0);
    roster_rest();
    heap_leave();
}

static void op_trim(void)
{
    heap_enter();
    trim_heap(heap_is_nobody(heap_mine()) ? NULL : heap_mine(), chance(50) ? 0 : draw(MIB(4)));
    heap_leave();
}

static void op_limit(void)                       /* setrlimit: what is only reserved goes */
{
    heap_enter();
    if (chance(10))
        trim_space(MIB(1));
    heap_leave();
}

static void op_birth(void)
{
    unsigned born = (unsigned)draw(THREADS);
    if (run.alive[born])
        return;
    act_as(born);
    thread = (struct thread){ .heap = (word)&heap_nobody.heap };
    run.alive[born] = true;
}

static void op_death(void)
{
    if (run.actor != LATE && count_alive() > 1)
        end_thread();
}

/* A second free of a block, and a free inside one, are told for what they are; nothing changes. */
static void op_misuse(void)
{
    if (shadow_count == 0 || run.plan.suite == SUITE_SIGNAL)
        return;
    size_t index = draw_block();
    if (shadow[index].outside)
        return;
    struct heap *heap = run.actor == LATE || heap_is_nobody(heap_mine()) ? NULL : heap_mine();
    word at = shadow[index].at;
    heap_enter();
    enum fault_kind inside = heap_free(heap, at + 1 + draw(15));
    heap_leave();
    if (inside != FAULT_INTERIOR)
        fake_die("a free inside block %#zx is told as fault %d", at, inside);
    free_block(index);
    heap_enter();
    enum fault_kind again = heap_free(heap, at);
    heap_leave();
    if (again != FAULT_DOUBLE_FREE && again != FAULT_STALE && again != FAULT_UNISSUED)
        fake_die("a second free of block %#zx is told as fault %d", at, again);
}

/* -- a freer stopped half way: bit set, then PENDING up, then pushed -------------------------- */

static struct stalled {
    struct slab *slab;
    struct heap *heap;                           /* PENDING is up: on the way to its stack */
} stalled[2];

static void stall(struct stalled *freer)
{
    size_t index = draw(shadow_count);
    struct slab *slab = cage_slab(shadow[index].at);
    if (shadow[index].outside || slab_heap(slab) == NULL)
        return;
    struct shadow_block block = shadow_remove(index);
    size_t place = slab_place(slab, block.at).index;
    uint64_t bit = (uint64_t)1 << (place & 63);
    __atomic_fetch_or(&slab_remote(slab)[place >> 6], bit, __ATOMIC_SEQ_CST);
    *freer = (struct stalled){ slab, NULL };
}

static void go_on(struct stalled *freer)
{
    word owner = slab_owner(freer->slab);
    if (freer->heap != NULL) {
        remote_push(freer->heap, freer->slab);
        *freer = (struct stalled){ NULL, NULL };
    } else if ((owner & OWNER_PENDING) || (owner & ~(word)OWNER_FLAGS) == 0) {
        *freer = (struct stalled){ NULL, NULL };
    } else if (slab_own(freer->slab, owner, owner | OWNER_PENDING)) {
        freer->heap = (struct heap *)(owner & ~(word)OWNER_FLAGS);
    }
}

static void op_stall(void)
{
    size_t which = draw(2);
    if (run.plan.suite == SUITE_SIGNAL)
        return;
    if (stalled[which].slab != NULL)
        go_on(&stalled[which]);
    else if (shadow_count != 0)
        stall(&stalled[which]);
    audit_stalled[which] = stalled[which].slab;
    audit_stalled_ever |= audit_stalled[which] != NULL;
}

/* -- fork: only the actor is left, the others were stopped anywhere --------------------------- */

static void poison(struct heap *heap)
{
    struct slab *wild = (struct slab *)(word)0x5a5a5a5a5a5a5a58u;
    for (struct slab *slab = heap->pending, *next; slab != NULL; slab = next) {
        next = slab->pending_next;
        slab->pending_next = wild;
    }
    for (unsigned class = 0; class < CLASS_COUNT; class++) {
        struct slab *slab = heap->partial[class];
        if (slab != NULL)
            slab->prev = slab->next = wild;
        heap->partial[class] = wild;
        memset(&heap->cursor[class], 0x5a, sizeof heap->cursor[class]);
    }
    heap->pending = wild;
}

static bool others_have_heaps(void)
{
    for (unsigned i = 0; i < THREADS; i++)
        if (i != run.actor && run.alive[i] && !heap_is_nobody(heap_of(&run.threads[i])))
            return true;
    return false;
}

static void op_fork(void)
{
    bool is_stalled = stalled[0].slab != NULL || stalled[1].slab != NULL;
    if (run.actor == LATE || run.plan.suite == SUITE_SIGNAL || (is_stalled && !others_have_heaps()))
        return;
    for (unsigned i = 0; i < THREADS; i++) {
        if (i != run.actor && run.alive[i] && !heap_is_nobody(heap_of(&run.threads[i])))
            poison(heap_of(&run.threads[i]));
        run.alive[i] = i == run.actor;
    }
    memset(stalled, 0, sizeof stalled);          /* they were among the others */
    memset(audit_stalled, 0, sizeof audit_stalled);
    shared_fork_child();
    roster_fork_child(&thread);
}

/* -- the stream ------------------------------------------------------------------------------- */

static const struct operation {
    const char *name;
    void      (*perform)(void);
    unsigned    weight;
} operations[] = {
    { "malloc", op_malloc, 300 },   { "calloc", op_calloc, 60 }, { "memalign", op_memalign, 40 },
    { "free", op_free, 350 },       { "realloc", op_realloc, 90 }, { "fill", op_fill, 12 },
    { "sweep", op_sweep, 6 },       { "rest", op_rest, 6 },      { "trim", op_trim, 4 },
    { "birth", op_birth, 12 },      { "death", op_death, 8 },    { "misuse", op_misuse, 30 },
    { "stall", op_stall, 30 },      { "fork", op_fork, 2 },      { "limit", op_limit, 2 },
};

static const struct operation *draw_operation(void)
{
    unsigned total = 0;
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        total += operations[i].weight;
    size_t at = draw(total), i = 0;
    while (at >= operations[i].weight)
        at -= operations[i++].weight;
    return &operations[i];
}

/* The program grows and shrinks in turn. */
static const struct operation *draw_in_phase(void)
{
    const struct operation *operation = draw_operation();
    bool growing = run.step / PHASE_STEPS % 2 == 0 && shadow_count < TARGET;
    if (operation->perform == (growing ? op_free : op_malloc) && chance(60))
        operation = &operations[growing ? 0 : 3];
    return operation;
}

static void step(void)
{
    act_as(chance(3) ? LATE : draw_alive());
    const struct operation *operation = draw_in_phase();
    run.operation = operation->name;
    if (room_left() || operation->perform == op_free)
        operation->perform();
    if (!run.alive[run.actor] && run.actor != LATE)
        act_as(LATE);
    if (run.step % stream_audit_steps == 0)
        audit_run();
}

/* A handler that comes while the actor is inside the heap, at any lock or call to the system. */
static void handler(void)
{
    const char *operation = run.operation;
    if (run.step == 0 || draw(12) != 0)
        return;
    run.operation = "signal handler";
    for (size_t i = draw(3); i > 0; i--) {
        if (draw(2) && room_left())
            alloc_bytes(draw_bytes());
        else
            op_free();
    }
    run.operation = operation;
}

/* -- the machine ------------------------------------------------------------------------------ */

static void lower(size_t *limit, size_t bytes)
{
    if (limit != NULL)
        *limit = bytes;
    run.limit_bytes = bytes < run.limit_bytes ? bytes : run.limit_bytes;
}

static void draw_machine(void)
{
    fake.page_bytes = SLICE_BYTES >> (chance(60) ? 4 : chance(50) ? 2 : 0);
    if (fake.page_bytes < KIB(4))
        fake.page_bytes = KIB(4);
    fake.huge_bytes = chance(80) ? MIB(2) : 0;
    fake.locked = chance(10);
    run.limit_bytes = SIZE_MAX;
    switch (draw(8)) {
    case 0:
        lower(&fake.commit_limit_bytes, MIB(16) + draw(MIB(200)));
        break;
    case 1:
        lower(&fake.space_limit_bytes, MIB(64) + draw(MIB(400)));
        break;
    case 2:
        fake.reserve_limit_bytes = GIB(8);
        break;
    case 3:
        fake.reserve_limit_bytes = 0;            /* the cage is claimed piece by piece */
        lower(NULL, GIB(1));
        break;
    }
    size_t limit = draw(6) == 0 ? MIB(8) + draw(MIB(64)) : 0;
    if (limit != 0)
        lower(NULL, limit);
    span_configure((enum span_purge)draw(3), limit, chance(80));
}

/* -- the end: all is freed, every heap rests, nothing is left --------------------------------- */

static void rest_dead_heaps(void)
{
    struct heap *reused[256];
    size_t count = 0;
    for (struct heap *heap = roster_first(); heap != NULL && count < 256; heap = heap->next)
        count += heap->state == HEAP_DEAD;
    for (size_t i = 0; i < count; i++)
        reused[i] = roster_attach(KIND_MANUAL);
    for (size_t i = 0; i < count; i++)
        roster_detach(reused[i]);
    remote_drain(heap_orphans(KIND_MANUAL));
}

static void finish(void)
{
    run.operation = "end";
    fake.fail_first = fake.fail_count = 0;
    fake.interrupt = NULL;
    while (shadow_count != 0) {
        act_as(draw_alive());
        free_block(draw(shadow_count));
    }
    for (unsigned i = 0; i < 2; i++)
        while (stalled[i].slab != NULL)
            go_on(&stalled[i]);
    memset(audit_stalled, 0, sizeof audit_stalled);
    for (unsigned i = 0; i < THREADS; i++)
        if (run.alive[i]) {
            act_as(i);
            end_thread();
        }
    act_as(LATE);
    heap_enter();
    if (cage.base != 0)
        rest_dead_heaps();
    heap_leave();
    audit_run();
    audit_expect_nothing_in_use();
}

size_t stream_run(struct plan plan, size_t steps)
{
    run.plan = plan;
    run.random = plan.number * 0xd1342543de82ef95u ^ plan.number << 40;
    run.operation = "start";
    fake_last_words = last_words;
    draw_machine();
    run.favourite_bytes = 1 + draw(draw(4) == 0 ? CLASS_MAX_BYTES : 512);
    fake.calls = fake.refused = 0;
    fake.fail_first = plan.suite == SUITE_REFUSAL ? plan.refused_call : 0;
    fake.fail_count = plan.suite == SUITE_REFUSAL ? 1 + draw(2) * draw(20) : 0;
    fake.interrupt = plan.suite == SUITE_SIGNAL ? handler : NULL;
    for (unsigned i = 0; i < NOBODY; i++)
        run.threads[i] = (struct thread){ .heap = (word)&heap_nobody.heap, .late = i == LATE };
    run.alive[0] = true;
    run.actor = 0;
    for (run.step = 1; run.step <= steps; run.step++)
        step();
    size_t calls = fake.calls;
    finish();
    return calls;
}
