/* mark.c - mark.h; the loop that a collection spends its time in. */
#include "gc/mark.h"
#include "gc/scan.h"
#include "heap/trace.h"

enum {
    QUEUE      = 32,                             /* blocks whose memory is on its way */
    SECOND     = 48,  /* a block of 64 bytes or less ends in the line of this byte, or before */
    SMALL      = 16,                             /* words that are not worth a call */
    CHUNK      = 512,                            /* words filtered at a time */
    PIECE_WORDS = 8192,                          /* of a large block, before others get a turn */
    BATCH      = 128,                            /* entries handed on at a time */
    BATCHES    = 64,
    MARKERS    = 64,
    PIECES     = 1024,
    SPINS      = 200,
    TURN_STEP  = 256,
};
/* Entries of a stack: a sixteenth part of the heap, an eighth for all of them. What a depth-first
 * search of a random graph leaves waiting takes a twentieth. Debug builds have few, and spill. */
#define ENTRIES_LEAST KIB(DEBUG_BUILD ? 8 : 64)
enum { STACK_PART = 16, STACKS_PART = 8 };
#define STACK_LEAST   KIB(64)                    /* bytes */
#define STACK_KEPT    KIB(64)                    /* the pages of so much stay */
#define HOLDS ((word)1)                          /* in an entry: its words hold counted objects */

struct piece {                                   /* what is left of a large block */
    const word *at, *end;
};

struct marker {
    word        *stack;                          /* starts of blocks */
    size_t       depth, room, most;              /* entries; reserved are `most` */
    struct piece pieces[PIECES];
    size_t       waiting;                        /* pieces */
    size_t       scanned_words;
    bool         shared;                         /* others mark at the same time (in this cycle) */
    word         hits[CHUNK + SCAN_ROOM];
} ALIGNED(64);

struct batch {
    word entry[BATCH];
};

static struct {
    mark_object   *object;
    struct marker *marker[MARKERS];              /* made so far */
    unsigned       made, workers;                /* that take part in this drain */
    word           base, reach;                  /* of the cage */
    size_t         room;                         /* entries of each stack */
    uint32_t       spilled;
    /* what is shared, and written while all read the above: each on a line of its own */
    struct lock    lock ALIGNED(64);
    struct batch  *batches;
    uint32_t       count ALIGNED(64);            /* batches waiting */
    uint32_t       idle;                         /* workers that look for one */
    /* the helpers' bell */
    uint32_t       turn ALIGNED(64);  /* a number of drains, and the workers of the last */
    uint32_t       working, helpers;
    uint32_t       seen[MARKERS];                /* the turn before a helper's first */
} state;

/* -- marks ------------------------------------------------------------------------------------- */

/* False: it was up already. */
INLINE bool raise_mark(const struct trace_block *block, bool shared)
{
    if (trace_is_marked(block))
        return false;
    if (!shared) {
        *block->mark |= block->bit;
        return true;
    }
    return (__atomic_fetch_or(block->mark, block->bit, __ATOMIC_RELAXED) & block->bit) == 0;
}

static COLD void spill(struct slab *slab)
{
    __atomic_store_n(&trace.spilled[cage_slice(slab->base)], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&state.spilled, 1, __ATOMIC_RELAXED);
}

INLINE void push(struct marker *marker, const struct trace_block *block)
{
    if (LIKELY(marker->depth < marker->room))
        marker->stack[marker->depth++] = trace_start(block);
    else
        spill(block->slab);
}

/* Most candidates of a graph are marked already: that is asked before another line is touched. */
INLINE void consider(struct marker *marker, word candidate, bool holds, bool shared)
{
    struct trace_block block;
    if (!trace_place_at(candidate - state.base, &block) || trace_is_marked(&block) ||
        !trace_is_taken(&block))
        return;
    unsigned kind = block.slab->kind;
    if (UNLIKELY(kind == KIND_ARENA || (kind == KIND_COUNTED && !holds)))
        return;
    if (raise_mark(&block, shared) && kind != KIND_LEAF)
        push(marker, &block);
}

/* -- words ------------------------------------------------------------------------------------- */

INLINE SCAN_ANYTHING void scan_small(struct marker *marker, const word *at, size_t words,
                                     bool holds, bool shared)
{
    word base = state.base, reach = state.reach;
    for (size_t i = 0; i < words; i++) {
        word candidate = at[i];
        if (candidate - base < reach)
            consider(marker, candidate, holds, shared);
    }
}

static void scan_chunks(struct marker *marker, const word *at, size_t words, bool holds,
                        bool shared)
{
    while (words != 0) {
        size_t some = words < CHUNK ? words : CHUNK;
        size_t hits = scan_filter_now(at, some, state.base, state.reach, marker->hits);
        for (size_t i = 0; i < hits; i++)
            consider(marker, marker->hits[i], holds, shared);
        at += some;
        words -= some;
    }
}

INLINE void scan_words(struct marker *marker, const word *at, size_t words, bool holds, bool shared)
{
    marker->scanned_words += words;
    if (LIKELY(words <= SMALL))
        scan_small(marker, at, words, holds, shared);
    else
        scan_chunks(marker, at, words, holds, shared);
}

/* A large block is looked into by pieces, so that its children do not fill the stack. */
static NOINLINE void scan_large(struct marker *marker, word start, size_t bytes, bool holds,
                                bool shared)
{
    const word *at = (const word *)start, *end = (const word *)(start + bytes);
    if (marker->waiting == PIECES) {
        scan_words(marker, at, (size_t)(end - at), holds, shared);
        return;
    }
    word tag = holds ? HOLDS : 0;
    marker->pieces[marker->waiting++] = (struct piece){ (const word *)((word)at | tag), end };
}

static void next_piece(struct marker *marker, bool shared)
{
    struct piece *piece = &marker->pieces[marker->waiting - 1];
    bool holds = ((word)piece->at & HOLDS) != 0;
    const word *at = (const word *)((word)piece->at & ~HOLDS);
    size_t left = (size_t)(piece->end - at), some = left < PIECE_WORDS ? left : PIECE_WORDS;
    if (some == left)
        marker->waiting--;
    else
        piece->at = (const word *)((word)(at + some) | (holds ? HOLDS : 0));
    scan_words(marker, at, some, holds, shared);
}

INLINE void scan_block(struct marker *marker, word start, bool shared)
{
    struct slab *slab = cage_slab(start);
    size_t bytes = slab->block_bytes;
    if (UNLIKELY(slab->kind == KIND_COUNTED))
        state.object(marker, start, bytes);
    else if (UNLIKELY(bytes > PIECE_WORDS * sizeof(word)))
        scan_large(marker, start, bytes, slab->kind == KIND_TRACED, shared);
    else
        scan_words(marker, (const word *)start, bytes / sizeof(word), slab->kind == KIND_TRACED,
                   shared);
}

/* -- work that is shared ----------------------------------------------------------------------- */

/* The oldest entries go: they stand for the most work. */
static NOINLINE void hand_on(struct marker *marker)
{
    if (!lock_take(&state.lock))
        return;
    if (state.count < BATCHES) {
        __builtin_memcpy(&state.batches[state.count], marker->stack, sizeof(struct batch));
        marker->depth -= BATCH;
        __builtin_memmove(marker->stack, marker->stack + marker->depth, sizeof(struct batch));
        __atomic_store_n(&state.count, state.count + 1, __ATOMIC_RELAXED);
    }
    lock_give(&state.lock);
}

static bool take_batch(struct marker *marker)
{
    bool taken = false;
    if (__atomic_load_n(&state.count, __ATOMIC_RELAXED) == 0 || !lock_take(&state.lock))
        return false;
    if (state.count != 0) {
        __atomic_store_n(&state.count, state.count - 1, __ATOMIC_RELAXED);
        __builtin_memcpy(marker->stack, &state.batches[state.count], sizeof(struct batch));
        marker->depth = BATCH;
        taken = true;
    }
    lock_give(&state.lock);
    return taken;
}

/* False: everybody is idle, and nothing waits. A batch is taken before its taker stops being idle,
 * so nobody sees all idle while one is on its way: the look at `idle` comes after that at `count`,
 * under the lock. */
static bool find_work(struct marker *marker)
{
    __atomic_fetch_add(&state.idle, 1, __ATOMIC_SEQ_CST);
    for (unsigned spin = 0;; spin++) {
        if (__atomic_load_n(&state.count, __ATOMIC_RELAXED) != 0) {
            __atomic_fetch_sub(&state.idle, 1, __ATOMIC_SEQ_CST);
            if (take_batch(marker))
                return true;
            __atomic_fetch_add(&state.idle, 1, __ATOMIC_SEQ_CST);
        }
        if (__atomic_load_n(&state.idle, __ATOMIC_SEQ_CST) == state.workers)
            return false;
        if (spin < SPINS)
            os_pause();
        else
            os_yield();
    }
}

/* -- the loop ---------------------------------------------------------------------------------- */

/* Each turn looks into the block that has been longest on its way, and sends for another. */
INLINE void drain_own(struct marker *marker, bool shared)
{
    word queue[QUEUE];
    unsigned at = 0, filled = 0;
    for (;;) {
        for (; filled < QUEUE && marker->depth != 0; filled++) {
            word next = marker->stack[--marker->depth];
            __builtin_prefetch((void *)next);
            __builtin_prefetch((void *)(next + SECOND));
            queue[(at + filled) % QUEUE] = next;
        }
        if (filled != 0) {
            word ready = queue[at];
            at = (at + 1) % QUEUE;
            filled--;
            scan_block(marker, ready, shared);
        } else if (marker->waiting != 0) {
            next_piece(marker, shared);
        } else {
            return;
        }
        if (shared && marker->depth >= 2 * BATCH &&
            __atomic_load_n(&state.idle, __ATOMIC_RELAXED) != 0 &&
            __atomic_load_n(&state.count, __ATOMIC_RELAXED) < state.workers)
            hand_on(marker);
    }
}

static void drain_alone(struct marker *marker)
{
    drain_own(marker, false);
}

static void drain_shared(struct marker *marker)
{
    do
        drain_own(marker, true);
    while (find_work(marker));
}

/* -- what did not fit -------------------------------------------------------------------------- */

/* Looks into every marked block of a spilled slab again: what they point at is marked already, or
 * is now. */
static void rescan(struct marker *marker, struct slab *slab)
{
    const uint64_t *marks = trace_marks(slab);
    for (size_t i = 0; i < slab->words; i++)
        for (uint64_t bits = marks[i]; bits != 0; bits &= bits - 1) {
            scan_block(marker, slab_block(slab, i * 64 + bit_lowest(bits)), false);
            drain_alone(marker);
        }
}

static void rescan_spilled(struct marker *marker)
{
    size_t slice = 0;
    state.spilled = 0;
    for (struct slab *slab; (slab = trace_next(&slice, ~0u)) != NULL; ) {
        uint8_t *spilled = &trace.spilled[cage_slice(slab->base)];
        if (*spilled == 0)
            continue;
        *spilled = 0;
        rescan(marker, slab);
    }
}

/* -- what was written since it was marked ------------------------------------------------------ */

static uint64_t bits_of_range(size_t at, size_t first, size_t behind)
{
    size_t lo = first > at * 64 ? first - at * 64 : 0, hi = behind - at * 64;
    return (hi < 64 ? bits_below((unsigned)hi) : ~(uint64_t)0) & ~bits_below((unsigned)lo);
}

static void again_block(struct marker *marker, const struct slab *slab, word start, word lo,
                        word hi)
{
    size_t bytes = slab->block_bytes;
    word from = start > lo ? start : lo, to = start + bytes < hi ? start + bytes : hi;
    if (slab->kind == KIND_COUNTED)
        state.object(marker, start, bytes);
    else
        mark_words(marker, (const word *)from, (to - from) / sizeof(word),
                   slab->kind == KIND_TRACED);
}

static void again_slab(struct marker *marker, const struct slab *slab, word lo, word hi)
{
    size_t block = slab->block_bytes;
    size_t first = lo > slab->base ? (lo - slab->base) / block : 0;
    size_t behind = (hi - slab->base + block - 1) / block;
    behind = behind < slab->blocks ? behind : slab->blocks;
    for (size_t i = first / 64; i * 64 < behind; i++) {
        uint64_t bits = trace_taken(slab, i) & bits_of_range(i, first, behind);
        bits &= slab->kind == KIND_COUNTED ? ~(uint64_t)0 : trace_old(slab, i);
        for (; bits != 0; bits &= bits - 1)
            again_block(marker, slab, slab_block(slab, i * 64 + bit_lowest(bits)), lo, hi);
    }
}

void mark_again(word lo, word hi)
{
    struct marker *marker = mark_marker();
    for (size_t i = cage_slice(lo), end = cage_slice(hi - 1) + 1; i < end; i++) {
        const struct slab *slab = cage.slab_of[i];
        if (slab == &slab_none)
            continue;
        if (slab->kind != KIND_LEAF && slab->kind != KIND_ARENA)
            again_slab(marker, slab, lo, hi);
        i = cage_slice(slab->base) + slab->slices - 1;
    }
}

/* -- markers and their threads ----------------------------------------------------------------- */

static size_t stack_entries(unsigned markers)
{
    size_t parts = STACKS_PART * markers > STACK_PART ? STACKS_PART * markers : STACK_PART;
    size_t share = DEBUG_BUILD ? 0 : cage_reach() / parts / sizeof(word);
    return round_up(share > ENTRIES_LEAST ? share : ENTRIES_LEAST, ENTRIES_LEAST);
}

static size_t stack_most(void)                   /* bytes, for a cage that is full */
{
    size_t most = cage.bytes / STACK_PART;
    return most > GIB(4) ? GIB(4) : most < MIB(1) ? MIB(1) : round_up(most, KIB(64));
}

static struct marker *make_marker(void)
{
    size_t bytes = round_up(sizeof(struct marker), KIB(64)), whole = bytes + stack_most();
    word at = root_own_memory(bytes + STACK_LEAST, &whole);
    if (at == 0 || !os_commit(at, bytes))
        return NULL;
    struct marker *marker = (struct marker *)at;
    marker->stack = (word *)(at + bytes);
    marker->most = (whole - bytes) / sizeof(word);
    return marker;
}

static bool give_room(struct marker *marker, size_t entries)
{
    entries = entries < marker->most ? entries : marker->most;
    if (marker->room >= entries)
        return true;
    if (!os_commit((word)marker->stack, entries * sizeof(word)))
        return marker->room != 0;
    marker->room = entries;
    return true;
}

/* A helper sleeps until its turn comes, works, and says that it is done. */
static void help(void *arg)
{
    unsigned number = (unsigned)(word)arg;
    for (uint32_t seen = state.seen[number];;) {
        uint32_t turn = __atomic_load_n(&state.turn, __ATOMIC_ACQUIRE);
        if (turn == seen) {
            os_wait(&state.turn, turn, 0);
            continue;
        }
        seen = turn;
        if (number >= turn % TURN_STEP)          /* not one of those it is for */
            continue;
        drain_shared(state.marker[number]);
        __atomic_fetch_sub(&state.working, 1, __ATOMIC_RELEASE);
    }
}

static bool make_batches(void)
{
    size_t bytes = round_up(BATCHES * sizeof(struct batch), KIB(64));
    if (state.batches != NULL)
        return true;
    word at = root_own_piece(bytes);
    if (at == 0 || !os_commit(at, bytes))
        return false;
    state.batches = (struct batch *)at;
    return true;
}

static unsigned make_markers(unsigned wanted)
{
    if (wanted > 1 && !make_batches())
        wanted = 1;
    for (; state.made < wanted; state.made++)
        if ((state.marker[state.made] = make_marker()) == NULL)
            break;
    unsigned ready = state.made < wanted ? state.made : wanted;
    if (state.helpers == 0)
        state.helpers = 1;                       /* the first is whoever collects */
    for (; state.helpers < ready; state.helpers++) {
        state.seen[state.helpers] = state.turn;
        if (!os_thread_start(help, (void *)(word)state.helpers))
            break;
    }
    return state.helpers < ready ? state.helpers : ready;
}

bool mark_prepare(unsigned markers)
{
    unsigned wanted = markers > MARKERS ? MARKERS : markers;
    scan_choose();
    state.workers = make_markers(wanted == 0 ? 1 : wanted);
    bool ready = state.workers != 0;
    for (unsigned i = 0; i < state.workers; i++)
        ready &= give_room(state.marker[i], stack_entries(state.workers));
    return ready;
}

/* -- the public part --------------------------------------------------------------------------- */

struct marker *mark_marker(void)
{
    return state.marker[0];
}

void mark_begin(mark_object *object)
{
    state.object = object;
    state.base = cage.base;
    state.reach = cage_reach();
    state.spilled = 0;
    for (unsigned i = 0; i < state.workers; i++) {
        struct marker *marker = state.marker[i];
        marker->depth = marker->waiting = marker->scanned_words = 0;
        marker->shared = state.workers > 1;
    }
}

void mark_words(struct marker *marker, const word *at, size_t words, bool holds)
{
    if (marker->shared)
        scan_words(marker, at, words, holds, true);
    else
        scan_words(marker, at, words, holds, false);
}

bool mark_counted(struct marker *marker, word start)
{
    struct trace_block block;
    if (!trace_find(start, &block) || block.slab->kind != KIND_COUNTED)
        return false;
    if (!raise_mark(&block, marker->shared))
        return false;
    push(marker, &block);
    return true;
}

void mark_piece(const struct root_piece *piece, void *unused)
{
    (void)unused;
    struct marker *marker = mark_marker();
    scan_words(marker, piece->at, piece->words, piece->kind == ROOT_REGISTERED, false);
}

void mark_drain(void)
{
    if (state.workers > 1) {
        state.idle = 0;
        __atomic_store_n(&state.working, state.workers - 1, __ATOMIC_RELAXED);
        uint32_t next = (state.turn / TURN_STEP + 1) * TURN_STEP + state.workers;
        __atomic_store_n(&state.turn, next, __ATOMIC_RELEASE);
        os_wake(&state.turn, UINT32_MAX >> 1);
        drain_shared(state.marker[0]);
        while (__atomic_load_n(&state.working, __ATOMIC_ACQUIRE) != 0)
            os_yield();
    } else {
        drain_alone(state.marker[0]);
    }
    while (UNLIKELY(state.spilled))
        rescan_spilled(state.marker[0]);
}

size_t mark_scanned_bytes(void)
{
    size_t words = 0;
    for (unsigned i = 0; i < state.workers; i++)
        words += state.marker[i]->scanned_words;
    return words * sizeof(word);
}

unsigned mark_workers(void)
{
    return state.workers;
}

/* A stack that went beyond what stays left something in the first word there: entries are never
 * zero, purged pages are. */
void mark_end(void)
{
    for (unsigned i = 0; i < state.workers; i++) {
        struct marker *marker = state.marker[i];
        word *beyond = marker->stack + STACK_KEPT / sizeof(word);
        word *end = marker->stack + marker->room;
        if (beyond < end && *beyond != 0)
            os_purge((word)beyond, (word)end - (word)beyond);
    }
}

void mark_fork_child(void)
{
    state.helpers = 0;
    state.working = 0;
    lock_reset(&state.lock);
}
