/* minor_check.c - what a minor collection left out, looked at the hard way; debug builds call it.
 * Job         Y1 from both ends. The kernel: a page it calls unwritten has the bytes it had when it
 *             was protected. The marker: marking again, from nothing and from every root, reaches
 *             nothing new, unless by words older than what they lead to. Such a word has outlived
 *             what it led to (a counted object whose handles were gone, a block that was freed),
 *             and something young was born at the address: no program can know it from there.
 */
#include "managed/minor.h"
#include "managed/trial.h"
#include "gc/mark.h"
#include "gc/root.h"
#include "os/track.h"

enum { EXCUSED_MOST = VALIDATE_BUILD ? 4096 : 1 };

struct note {                                    /* of a slice */
    uint64_t marks[(SLICE_BYTES >> TRACE_SHIFT) / sizeof(uint64_t)];          /* while we mark */
    uint64_t sum;                                /* of its bytes when it was protected; 0: never */
    bool     written;                            /* since then, as the kernel says */
};

static struct {
    struct note *notes;                          /* by slice; NULL: none yet */
    size_t       bytes;
    word         excused[EXCUSED_MOST];          /* blocks whose words are still to be looked at */
    size_t       count;
    bool         crowded;                        /* there were more: nothing is known */
} state;

static size_t slices_in_reach(void)
{
    return cage_reach() >> SLICE_SHIFT;
}

static bool room(void)
{
    size_t needed = round_up(slices_in_reach() * sizeof(struct note), KIB(64));
    if (state.notes == NULL) {
        state.bytes = round_up((cage.bytes >> SLICE_SHIFT) * sizeof(struct note), KIB(64));
        state.notes = (struct note *)root_own_memory(needed, &state.bytes);
    }
    return state.notes != NULL && needed <= state.bytes && os_commit((word)state.notes, needed);
}

/* -- the kernel's word for it ------------------------------------------------------------------ */

/* 0: all its bytes are, as after a purge, which is no write. */
static uint64_t sum_of(size_t slice)
{
    const uint64_t *words = (const uint64_t *)cage_address(slice);
    uint64_t sum = 0, any = 0;
    for (size_t i = 0; i < SLICE_BYTES / sizeof(uint64_t); i++) {
        sum = (sum ^ words[i]) * 0x9e3779b97f4a7c15;
        any |= words[i];
    }
    return any == 0 ? 0 : sum | 1;
}

/* Where a slice is many pages, some of them may be purged alone: it has no sum. */
void minor_check_protected(word lo, word hi)
{
    if (cage.facts.page_bytes != SLICE_BYTES || !room())
        return;
    for (size_t i = cage_slice(lo); i <= cage_slice(hi - 1); i++)
        state.notes[i].sum = sum_of(i);
}

static void note_written(word lo, word hi, void *unused)
{
    (void)unused;
    for (size_t i = cage_slice(lo); i <= cage_slice(hi - 1); i++)
        state.notes[i].written = true;
}

static bool is_unwritten(word address)
{
    const struct note *note = &state.notes[cage_slice(address)];
    return note->sum != 0 && !note->written;
}

static bool ask(void)
{
    for (size_t i = 0; i < slices_in_reach(); i++)
        state.notes[i].written = false;
    return os_track_written(cage.base, cage.base + cage_reach(), note_written, NULL);
}

/* What was protected for an earlier collection, and not written since, still is. */
void minor_check_begin(void)
{
    if (!room())
        return;
    bool known = ask();
    for (size_t i = 0; i < slices_in_reach(); i++)
        if (!known || state.notes[i].written)
            state.notes[i].sum = 0;
}

static bool kernel_is_right(void)
{
    if (!ask())
        return false;
    for (size_t i = 0; i < slices_in_reach(); i++) {
        uint64_t sum = is_unwritten(cage_address(i)) ? sum_of(i) : 0;
        ASSERT(sum == 0 || sum == state.notes[i].sum);
    }
    return true;
}

/* -- marking from nothing ---------------------------------------------------------------------- */

static uint64_t *noted_marks(const struct slab *slab, size_t at)
{
    size_t each = COUNT_OF(state.notes->marks);
    return &state.notes[cage_slice(slab->base) + at / each].marks[at % each];
}

static void each_word(void (*visit)(const struct slab *slab, uint64_t *marks, uint64_t *noted))
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next(&slice, ~0u)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            visit(slab, &trace_marks(slab)[i], noted_marks(slab, i));
}

static void save(const struct slab *slab, uint64_t *marks, uint64_t *noted)
{
    (void)slab;
    *noted = *marks;
    *marks = 0;
}

static void compare(const struct slab *slab, uint64_t *marks, uint64_t *noted)
{
    ASSERT(slab->kind == KIND_COUNTED || state.crowded || (*marks & ~*noted) == 0);
    *marks = *noted;
}

static void look_into(struct header *header, void *unused)
{
    (void)unused;
    trial_look_into_words(mark_marker(), (word)header, cage_slab((word)header)->block_bytes);
}

/* -- words that outlived what they led to ------------------------------------------------------ */

static uint64_t had_mark(const struct slab *slab, size_t index)
{
    return *noted_marks(slab, index / 64) >> index % 64 & 1;
}

/* What is reached now, and was not: by this word there is no harm in that. */
static void excuse(word address)
{
    struct trace_block block;
    if (!trace_find(address, &block) || block.slab->kind == KIND_COUNTED ||
        !trace_is_marked(&block) || had_mark(block.slab, block.index))
        return;
    *block.mark &= ~block.bit;
    if (state.count == EXCUSED_MOST)
        state.crowded = true;
    else if (block.slab->kind != KIND_LEAF)
        state.excused[state.count++] = trace_start(&block);
}

static void excuse_by_excused(void)
{
    while (state.count != 0) {
        word start = state.excused[--state.count], end = start + cage_slab(start)->block_bytes;
        for (word at = start; at < end; at += sizeof(word))
            excuse(*(const word *)at);
    }
}

static void excuse_by(const struct slab *slab, size_t index)
{
    word start = slab_block(slab, index), end = start + slab->block_bytes;
    for (word at = start; at < end; at += sizeof(word)) {
        if (is_unwritten(at))
            excuse(*(const word *)at);
        else
            at = round_up(at + 1, SLICE_BYTES) - sizeof(word);
    }
    excuse_by_excused();
}

static void excuse_by_old(void)
{
    size_t slice = 0;
    unsigned kinds = 1u << KIND_TRACED | 1u << KIND_MANUAL | 1u << KIND_COUNTED;
    for (struct slab *slab; (slab = trace_next(&slice, kinds)) != NULL; )
        for (size_t i = 0; i < slab->blocks; i++)
            if (!slab_is_free(slab, i) && (slab->kind == KIND_COUNTED || had_mark(slab, i)))
                excuse_by(slab, i);
}

void minor_check(word lowest, bool (*mark_roots)(word lowest))
{
    if (!room() || !kernel_is_right())
        return;
    each_word(save);
    trial_each(FROZEN, look_into, NULL);
    bool seen = mark_roots(lowest);
    mark_drain();
    (void)seen;
    state.crowded = false;
    excuse_by_old();
    each_word(compare);
}
