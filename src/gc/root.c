/* root.c - a sorted table, and the mappings of the process. */
#include "gc/root.h"
#include "gc/world.h"
#include "heap/trace.h"
#include "os/stop.h"

enum {
    ROOTS_MOST = 1 << 20,
    OWN_MOST   = 96,
    OWN_SPARE  = 8,                              /* threads that may ask at the same time */
    ENDED_MOST = 256,                            /* the last so many */
    OWN_SHARE  = 64,                             /* of a limited address space, for one table */
    RANGES     = CAGE_RANGES + OWN_MOST + 2,
    NO_ENTRY   = 2, NO_MEMORY = 12, IS_THERE = 17, /* ENOENT, ENOMEM, EEXIST */
};
#define COPY_BYTES KIB(256)  /* of a mapping that is read through the kernel, at a time */

struct range {
    word lo, hi;
};

struct lock root_lock;

static struct {
    struct range *roots;                         /* O1 */
    size_t        count, reserved, committed;    /* bytes of the table */
    struct range  own[OWN_MOST];                 /* mappings that are ours */
    unsigned      owned;
    word         *copy;                          /* COPY_BYTES, in memory of our own */
    struct ended {
        word         block;                      /* hidden; 0: none */
        struct range stack;
    } ended[ENDED_MOST];                         /* threads that ended */
    unsigned      last;
} state;

/* -- memory of our own ------------------------------------------------------------------------- */

word root_own_memory(size_t least, size_t *bytes)
{
    size_t share = round_up(cage.bytes / OWN_SHARE, KIB(64)), most = *bytes;
    if (__atomic_load_n(&state.owned, __ATOMIC_RELAXED) + OWN_SPARE >= OWN_MOST)
        return 0;
    if (cage.planned && most > share)
        most = share > least ? share : least;
    for (; most >= least; most /= 2) {
        size_t rounded = round_up(most, KIB(64));
        word at = os_reserve(rounded, KIB(64));
        if (at == 0)
            continue;
        unsigned own = __atomic_fetch_add(&state.owned, 1, __ATOMIC_RELAXED);
        state.own[own] = (struct range){ at, at + rounded };
        *bytes = rounded;
        return at;
    }
    return 0;
}

/* -- registered -------------------------------------------------------------------------------- */

static size_t first_at_or_above(word address)
{
    size_t lo = 0, hi = state.count;
    while (lo < hi) {
        size_t middle = (lo + hi) / 2;
        if (state.roots[middle].hi <= address)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;                                   /* the first that ends above */
}

static bool has_room(void)
{
    size_t needed = (state.count + 1) * sizeof(struct range);
    if (state.roots == NULL) {
        state.reserved = ROOTS_MOST * sizeof(struct range);
        state.roots = (struct range *)root_own_memory(KIB(64), &state.reserved);
    }
    if (state.roots == NULL || needed > state.reserved)
        return false;
    if (needed <= state.committed)
        return true;
    size_t more = round_up(needed * 2, KIB(64));
    more = more < state.reserved ? more : state.reserved;
    if (!os_commit((word)state.roots, more))
        return false;
    state.committed = more;
    return true;
}

static int add_locked(struct range range)
{
    if (!has_room())
        return NO_MEMORY;
    size_t at = first_at_or_above(range.lo);
    if (at < state.count && state.roots[at].lo < range.hi)
        return IS_THERE;
    __builtin_memmove(&state.roots[at + 1], &state.roots[at],
                      (state.count - at) * sizeof(struct range));
    state.roots[at] = range;
    state.count++;
    return 0;
}

int root_add(word base, size_t bytes)
{
    if (!lock_take(&root_lock))
        return NO_MEMORY;
    int error = add_locked((struct range){ base, base + bytes });
    lock_give(&root_lock);
    return error;
}

int root_remove(word base)
{
    int error = NO_ENTRY;
    if (!lock_take(&root_lock))
        return NO_ENTRY;
    size_t at = first_at_or_above(base);
    if (at < state.count && state.roots[at].lo == base) {
        state.count--;
        __builtin_memmove(&state.roots[at], &state.roots[at + 1],
                          (state.count - at) * sizeof(struct range));
        error = 0;
    }
    lock_give(&root_lock);
    return error;
}

void root_each_registered(root_visit *visit, void *arg)
{
    for (size_t i = 0; i < state.count; i++) {
        struct range range = state.roots[i];
        size_t words = (range.hi - range.lo) / sizeof(word);
        visit(&(struct root_piece){ ROOT_REGISTERED, range.lo, range.lo, (const word *)range.lo,
                                    words }, arg);
    }
}

/* -- stacks of threads that ended -------------------------------------------------------------- */

void root_thread_ends(word lo, word hi)
{
    word block = os_thread_block();
    if (!lock_take(&root_lock))
        return;
    for (unsigned i = 0; i < ENDED_MOST; i++)
        if (state.ended[i].block == ~block)
            state.ended[i].block = 0;
    if (block >= lo && block < hi)
        state.ended[state.last++ % ENDED_MOST] = (struct ended){ ~block, { lo, hi } };
    lock_give(&root_lock);
}

/* What of the range was the stack of a thread that ended, and is nobody's now; empty: nothing. */
static struct range left_over(struct range range)
{
    for (unsigned i = 0; i < ENDED_MOST; i++) {
        struct ended *ended = &state.ended[i];
        word block = ~ended->block;
        if (ended->block == 0 || block < range.lo || block >= range.hi)
            continue;
        if (!world_is_alive(block) && os_is_thread_block(block))
            return (struct range){ ended->stack.lo > range.lo ? ended->stack.lo : range.lo,
                                   ended->stack.hi < range.hi ? ended->stack.hi : range.hi };
        ended->block = 0;
    }
    return (struct range){ range.hi, range.hi };
}

/* -- mappings ---------------------------------------------------------------------------------- */

struct look {
    root_visit  *visit;
    void        *arg;
    word         lowest;                         /* of the calling thread's stack */
    struct range not[RANGES];                    /* what is ours */
    bool         in_place;                       /* the kernel does not read for us here */
    unsigned     nots;
};

static void list_ours(struct look *look)
{
    word ranges[CAGE_RANGES][2];
    unsigned count = cage_ranges(ranges);
    for (unsigned i = 0; i < count; i++)
        look->not[look->nots++] = (struct range){ ranges[i][0], ranges[i][1] };
    for (unsigned i = 0; i < state.owned; i++)
        look->not[look->nots++] = state.own[i];
    struct trace_range tables = trace_range(), unused = trace_unused();
    look->not[look->nots++] = (struct range){ tables.lo, tables.hi };
    look->not[look->nots++] = (struct range){ unused.lo, unused.hi };
}

/* Read where it stands: a stack is there as long as its thread. */
static void visit_in_place(const struct look *look, struct range range, enum root_kind kind)
{
    struct root_piece piece = { kind, range.lo, range.lo, (const word *)range.lo,
                                (range.hi - range.lo) / sizeof(word) };
    look->visit(&piece, look->arg);
}

/* Read through the kernel, page by page where a piece is refused: it may lie behind the end of its
 * file, or be a guard. */
static void visit_copied(const struct look *look, struct range range, enum root_kind kind)
{
    size_t page = cage.facts.page_bytes;
    for (word at = range.lo; at < range.hi; ) {
        size_t bytes = range.hi - at < COPY_BYTES ? range.hi - at : COPY_BYTES;
        size_t got = os_peek(state.copy, at, bytes);
        struct root_piece piece = { kind, range.lo, at, state.copy, got / sizeof(word) };
        if (got != 0)
            look->visit(&piece, look->arg);
        at += got != 0 ? round_down(got, sizeof(word)) : page - at % page;
    }
}

static void visit_piece(const struct look *look, struct range range, enum root_kind kind)
{
    if (look->in_place && range.lo < range.hi)
        visit_in_place(look, range, kind);
    else
        visit_copied(look, range, kind);
}

static void visit_range(const struct look *look, const struct os_range *mapping,
                        struct range range)
{
    word block = os_thread_block(), at = world_lowest(range.lo, range.hi, !mapping->stack);
    bool ours = mapping->stack || (block >= range.lo && block < range.hi);
    if (ours && look->lowest >= range.lo && look->lowest < at)
        at = look->lowest;
    bool is_stack = at < range.hi && (mapping->stack || mapping->guarded);
    enum root_kind kind = mapping->backed ? ROOT_STATIC : ROOT_MAPPING;
    struct range without = { range.hi, range.hi };
    if (at == range.hi && mapping->guarded)
        without = left_over(range);
    if (is_stack) {
        visit_in_place(look, (struct range){ round_down(at, sizeof(word)), range.hi }, ROOT_STACK);
        return;
    }
    visit_piece(look, (struct range){ range.lo, without.lo }, kind);
    visit_piece(look, (struct range){ without.hi, range.hi }, kind);
}

/* What is left of a mapping between the ranges that are ours. */
static void visit_mapping(const struct os_range *mapping, void *arg)
{
    const struct look *look = arg;
    struct range left = { mapping->lo, mapping->hi };
    if (!mapping->writable || !mapping->private)
        return;
    while (left.lo < left.hi) {
        struct range next = { left.hi, left.hi };
        for (unsigned i = 0; i < look->nots; i++)
            if (look->not[i].hi > left.lo && look->not[i].lo < next.lo)
                next = look->not[i];
        word hi = next.lo < left.lo ? left.lo : next.lo < left.hi ? next.lo : left.hi;
        if (hi > left.lo)
            visit_range(look, mapping, (struct range){ left.lo, hi });
        left.lo = next.hi > hi ? next.hi : left.hi;
    }
}

bool root_prepare(void)
{
    if (state.copy != NULL)
        return true;
    word at = root_own_piece(COPY_BYTES);
    if (at == 0 || !os_commit(at, COPY_BYTES))
        return false;
    state.copy = (word *)at;
    return true;
}

bool root_each_mapping(word lowest, root_visit *visit, void *arg)
{
    struct look look = { .visit = visit, .arg = arg, .lowest = lowest };
    word probe = 0;
    look.in_place = os_peek(&probe, lowest, sizeof probe) != sizeof probe;
    list_ours(&look);
    return os_ranges(visit_mapping, &look);
}
