/* trial.c - trial deletion. */
#include "managed/trial.h"

/* Bytes of uncounted objects that a collection of young ones looks through for what holds them. */
#define UNCOUNTED_MOST MIB(4)

static unsigned looked_at;                       /* the oldest generation of this collection */

/* -- all of them ------------------------------------------------------------------------------- */

static void each_of_word(struct slab *slab, size_t at, uint64_t bits, unsigned oldest,
                         trial_visit *visit, void *arg)
{
    for (; bits != 0; bits &= bits - 1) {
        struct header *header = (struct header *)slab_block(slab, at * 64 + bit_lowest(bits));
        if (header_generation(header) <= oldest && header_type(header) != NULL)
            visit(header, arg);
    }
}

static void each_young(unsigned oldest, trial_visit *visit, void *arg)
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next_young(&slice)) != NULL; ) {
        uint8_t has = trace.has_young[cage_slice(slab->base)];
        if (oldest == YOUNGEST && (has & TRACE_NEWEST) == 0)
            continue;
        for (size_t i = 0; i < slab->words; i++)
            each_of_word(slab, i, trace_taken(slab, i) & trace_young(slab)[i], oldest, visit, arg);
    }
}

void trial_each(unsigned oldest, trial_visit *visit, void *arg)
{
    size_t slice = 0;
    if (oldest < OLDEST) {
        each_young(oldest, visit, arg);
        return;
    }
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_COUNTED)) != NULL; )
        for (size_t i = 0; i < slab->words; i++)
            each_of_word(slab, i, trace_taken(slab, i), oldest, visit, arg);
}

/* An object at zero belongs to whoever made it so (B2): it is held by him, and explains nothing. */
static bool takes_part(const struct header *header, unsigned oldest)
{
    return header_count(header) != 0 && header_generation(header) <= oldest;
}

static struct header *owned_header(word object)
{
    struct trace_block block;
    if (object == 0 || object_find(object, &block) != FAULT_NONE)
        return NULL;
    return object_header(object);
}

/* -- counts ------------------------------------------------------------------------------------ */

static void copy_count(struct header *header, void *unused)
{
    (void)unused;
    if (header_count(header) != 0)
        header->link = header_count(header);
}

static void explain(word *field, void *arg)
{
    unsigned oldest = *(const unsigned *)arg;
    struct header *header = owned_header(*field);
    if (header != NULL && takes_part(header, oldest) && header->link != 0)
        header->link--;
}

static void explain_owned(struct header *header, void *arg)
{
    if (header_count(header) != 0)
        object_each_owned(header_object(header), explain, arg);
}

void trial_subtract(unsigned oldest)
{
    trial_each(oldest, copy_count, NULL);
    trial_each(oldest, explain_owned, &oldest);
}

/* The frozen live, and what they own has handles left; but their words may hold others. They get
 * no mark: what a forked child shares is not written. */
static void mark_held(struct header *header, void *arg)
{
    unsigned oldest = *(const unsigned *)arg;
    if (header_generation(header) == FROZEN)
        trial_look_into_words(mark_marker(), (word)header, cage_slab((word)header)->block_bytes);
    else if (!takes_part(header, oldest) || header->link != 0)
        mark_counted(mark_marker(), (word)header);
}

void trial_mark_held(unsigned oldest)
{
    looked_at = oldest;
    trial_each(oldest == OLDEST ? FROZEN : oldest, mark_held, &oldest);
}

static bool is_marked(struct header *header);

/* -- who is spared ----------------------------------------------------------------------------- */

#define SPARED UINT32_MAX                        /* a link */

enum { SPARING_ROUNDS = 16 };

struct sparing {
    unsigned oldest;
    bool     all, more;                          /* whoever has no mark; there was one more */
};

/* What is frozen is not looked at, and may have a finalizer, or lead to one. */
static void find_spared(word *field, void *found)
{
    struct header *header = owned_header(*field);
    *(bool *)found |= header != NULL &&
                      (header_generation(header) == FROZEN || header->link == SPARED);
}

/* Would a finalizer run if it ended? Its own, or that of one that ends with it. */
static bool leads_to_finalizer(struct header *header)
{
    bool found = false;
    if (header_type(header)->finalize != NULL && !(header_flags(header) & FLAG_FINALIZED))
        return true;
    object_each_owned(header_object(header), find_spared, &found);
    return found;
}

static void spare(struct header *header, void *arg)
{
    struct sparing *sparing = arg;
    if (!takes_part(header, sparing->oldest) || is_marked(header) ||
        !(sparing->all || leads_to_finalizer(header)))
        return;
    header->link = SPARED;
    sparing->more = true;
    mark_counted(mark_marker(), (word)header);
}

/* Owners are found round by round; where those do not end soon, all are spared. */
void trial_spare_finalizers(unsigned oldest)
{
    struct sparing sparing = { .oldest = oldest, .more = true };
    for (unsigned i = 0; sparing.more; i++) {
        sparing.more = false;
        sparing.all = i == SPARING_ROUNDS;
        trial_each(oldest, spare, &sparing);
    }
}

/* -- who else may hold a young one ------------------------------------------------------------- */

static void count_unmarked(struct header *header, void *arg)
{
    *(size_t *)arg += takes_part(header, looked_at) && !is_marked(header);
}

static void hold_words(const word *at, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        struct trace_block block;
        if (trace_find(at[i], &block) && block.slab->kind == KIND_COUNTED &&
            header_generation((struct header *)trace_start(&block)) <= looked_at)
            mark_counted(mark_marker(), trace_start(&block));
    }
}

static void hold_piece(const struct root_piece *piece, void *unused)
{
    (void)unused;
    hold_words(piece->at, piece->words);
}

static void hold_from_word(struct slab *slab, size_t at)
{
    for (uint64_t bits = trace_taken(slab, at); bits != 0; bits &= bits - 1)
        hold_words((const word *)slab_block(slab, at * 64 + bit_lowest(bits)),
                   slab->block_bytes / sizeof(word));
}

static bool hold_from_uncounted(void)
{
    size_t slice = 0, left = UNCOUNTED_MOST;
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_TRACED)) != NULL; ) {
        size_t bytes = slab_taken(slab) * slab->block_bytes;
        if (bytes > left)
            return false;
        left -= bytes;
        for (size_t i = 0; i < slab->words; i++)
            hold_from_word(slab, i);
    }
    return true;
}

/* Rare, so it may cost: nothing was found before. */
bool trial_hold_others(unsigned oldest)
{
    size_t unmarked = 0;
    trial_each(oldest, count_unmarked, &unmarked);
    if (unmarked == 0)
        return true;
    root_each_registered(hold_piece, NULL);
    bool known = hold_from_uncounted();
    mark_drain();
    return known;
}

/* -- what they own ----------------------------------------------------------------------------- */

static void mark_owned(word *field, void *arg)
{
    if (*field != 0)
        mark_counted(arg, *field - HEADER_BYTES);
}

static void mark_owned_young(word *field, void *arg)
{
    struct header *header = owned_header(*field);
    if (header != NULL && header_generation(header) <= looked_at)
        mark_counted(arg, (word)header);
}

void trial_look_into_words(struct marker *marker, word start, size_t bytes)
{
    const struct midden_type *type = header_type((struct header *)start);
    if (type != NULL && (type->flags & MIDDEN_CONSERVATIVE))
        mark_words(marker, (const word *)(start + HEADER_BYTES),
                   (bytes - HEADER_BYTES) / sizeof(word), false);
}

void trial_look_into(struct marker *marker, word start, size_t bytes)
{
    object_each_owned(start + HEADER_BYTES, mark_owned, marker);
    trial_look_into_words(marker, start, bytes);
}

void trial_look_into_young(struct marker *marker, word start, size_t bytes)
{
    (void)bytes;
    object_each_owned(start + HEADER_BYTES, mark_owned_young, marker);
}

/* -- condemned --------------------------------------------------------------------------------- */

struct judge {
    bool               any;
    unsigned           oldest;
    struct trial_list *list;
};

static bool is_marked(struct header *header)
{
    struct trace_block block;
    return trace_find((word)header, &block) && trace_is_marked(&block);
}

static void condemn(struct header *header, struct trial_list *list)
{
    header->count++;
    header_raise(header, FLAG_CONDEMNED);
    header_link(header, list->first);
    list->first = header;
    list->count++;
    list->bytes += cage_slab((word)header)->block_bytes;
    const struct midden_type *type = header_type(header);
    bool waits = type->finalize != NULL && !(header_flags(header) & FLAG_FINALIZED);
    list->lookers += waits || (type->visit != NULL && (type->flags & MIDDEN_CONSERVATIVE));
}

static void grow_older(struct header *header, unsigned oldest)
{
    header_age(header, oldest < OLDEST ? oldest + 1 : OLDEST);
}

static void judge(struct header *header, void *arg)
{
    struct judge *of = arg;
    if (of->any && takes_part(header, of->oldest) && !is_marked(header)) {
        condemn(header, of->list);
    } else {
        of->list->survivors++;
        of->list->survivors_bytes += cage_slab((word)header)->block_bytes;
    }
    grow_older(header, of->oldest);
}

/* What reached the oldest generation is young no more (B4). */
static void forget_young(unsigned oldest)
{
    size_t slice = 0;
    for (struct slab *slab; (slab = trace_next_young(&slice)) != NULL; ) {
        uint8_t *has = &trace.has_young[cage_slice(slab->base)];
        if (oldest == YOUNGEST) {
            *has = TRACE_MIDDLE;
            continue;
        }
        *has = 0;
        __builtin_memset(trace_young(slab), 0, slab->words * sizeof(uint64_t));
    }
}

void trial_condemn(bool any, unsigned oldest, struct trial_list *list)
{
    *list = (struct trial_list){ 0 };
    struct judge of = { any, oldest, list };
    trial_each(oldest, judge, &of);
    if (oldest < OLDEST)
        trial_clear_marks(oldest);               /* a sweep clears them all, later */
    forget_young(oldest);
}

void trial_keep_reached(const struct trial_list *list, struct marker *marker)
{
    for (struct header *header = list->first; header != NULL; header = header_next(header))
        trial_look_into_words(marker, (word)header, cage_slab((word)header)->block_bytes);
}

/* -- pardoned ---------------------------------------------------------------------------------- */

/* Counts themselves are lowered for a moment: links are the list. */
static void lower_owned(word *field, void *unused)
{
    (void)unused;
    struct header *header = owned_header(*field);
    if (header != NULL && (header_flags(header) & FLAG_CONDEMNED))
        header->count--;
}

static void restore_owned(word *field, void *unused)
{
    (void)unused;
    struct header *header = owned_header(*field);
    if (header != NULL && (header_flags(header) & FLAG_CONDEMNED))
        header->count++;
}

static void mark_owned_condemned(word *field, void *arg)
{
    struct header *header = owned_header(*field);
    if (header != NULL && (header_flags(header) & FLAG_CONDEMNED))
        mark_counted(arg, (word)header);
}

void trial_look_into_condemned(struct marker *marker, word start, size_t bytes)
{
    (void)bytes;
    object_each_owned(start + HEADER_BYTES, mark_owned_condemned, marker);
}

static void pardon(struct header *header)
{
    header_lower(header, FLAG_CONDEMNED);
    header->count--;                             /* our handle; it has others */
}

static bool take_mark(struct header *header)     /* it goes down again */
{
    struct trace_block block;
    bool was = trace_find((word)header, &block) && trace_is_marked(&block);
    if (was)
        *block.mark &= ~block.bit;
    return was;
}

size_t trial_pardon(struct trial_list *list)
{
    size_t pardoned = 0;
    for (struct header *at = list->first; at != NULL; at = header_next(at))
        object_each_owned(header_object(at), lower_owned, NULL);
    for (struct header *at = list->first; at != NULL; at = header_next(at))
        if (at->count > 1)
            mark_counted(mark_marker(), (word)at);
    mark_drain();
    for (struct header *at = list->first; at != NULL; at = header_next(at))
        object_each_owned(header_object(at), restore_owned, NULL);
    struct header *all = list->first;
    list->first = NULL;
    for (struct header *at = all, *next; at != NULL; at = next) {
        next = header_next(at);
        if (take_mark(at)) {
            pardon(at);
            pardoned++;
            list->bytes -= cage_slab((word)at)->block_bytes;
        } else {
            header_link(at, list->first);
            list->first = at;
        }
    }
    list->count -= pardoned;
    return pardoned;
}

void trial_clear_marks(unsigned oldest)
{
    size_t slice = 0;
    if (oldest < OLDEST) {
        for (struct slab *slab; (slab = trace_next_young(&slice)) != NULL; )
            __builtin_memset(trace_marks(slab), 0, slab->words * sizeof(uint64_t));
        return;
    }
    for (struct slab *slab; (slab = trace_next(&slice, 1u << KIND_COUNTED)) != NULL; )
        __builtin_memset(trace_marks(slab), 0, slab->words * sizeof(uint64_t));
}
