/* block.c - bare patterns of malloc and free in one thread. */
#include "work.h"


/* -- a block and its end ----------------------------------------------------------------------- */

static void pair(struct job *job)
{
    for (size_t i = 0; i < job->rounds; i++) {
        size_t *block = take(32);
        *block = i;
        job->sum += *block;
        free(block);
    }
    job->blocks = job->rounds;
}

/* Batches of 64, freed in reverse: a stack of frames. */
static void lifo(struct job *job)
{
    struct slot held[64];
    for (size_t i = 0; i < job->rounds; i++) {
        for (size_t k = 0; k < 64; k++)
            slot_fill(&held[k], 16 + (i + k) % 8 * 16);
        job->sum = mix(job->sum, *held[i % 64].block);
        for (size_t k = 64; k-- > 0;)
            slot_empty(&held[k]);
    }
    job->blocks = job->rounds * 64;
}

/* The oldest of 4,096 goes first: messages in a queue. */
static void fifo(struct job *job)
{
    static struct slot queue[4096];
    struct draw draw = draw_from(1);
    for (size_t i = 0; i < job->rounds; i++) {
        struct slot *slot = &queue[i % 4096];
        slot_empty(slot);
        slot_fill(slot, 16 + draw_below(&draw, 240));
        job->sum = mix(job->sum, slot->bytes);
    }
    slots_empty(queue, 4096);
    job->blocks = job->rounds;
}

/* -- one of many, at random -------------------------------------------------------------------- */

static void replace(struct job *job, uint32_t count, size_t (*size)(struct draw *draw))
{
    struct draw draw = draw_from(2);
    struct slot *slots = take_zeroed(count, sizeof *slots);
    for (size_t i = 0; i < job->rounds; i++) {
        struct slot *slot = &slots[draw_below(&draw, count)];
        slot_empty(slot);
        slot_fill(slot, size(&draw));
        job->sum = mix(job->sum, slot->bytes);
    }
    slots_empty(slots, count);
    free(slots);
    job->blocks = job->rounds;
}

static void replace_1k(struct job *job)    { replace(job, 1000, draw_small); }
static void replace_100k(struct job *job)  { replace(job, 100000, draw_small); }
static void replace_mixed(struct job *job) { replace(job, 10000, draw_mixed); }

/* -- many at once ------------------------------------------------------------------------------ */

static void shuffle(struct slot *slots, uint32_t count, struct draw *draw)
{
    for (uint32_t k = count; k-- > 1;) {
        uint32_t other = draw_below(draw, k + 1);
        struct slot kept = slots[k];
        slots[k] = slots[other];
        slots[other] = kept;
    }
}

/* A million is built, and dies in random order. */
static void bulk(struct job *job)
{
    uint32_t count = job->rounds < 1000000 ? (uint32_t)job->rounds : 1000000;
    struct draw draw = draw_from(3);
    struct slot *slots = take(count * sizeof *slots);
    for (; job->blocks < job->rounds; job->blocks += count) {
        for (size_t k = 0; k < count; k++)
            slot_fill(&slots[k], 16 + draw_below(&draw, 112));
        shuffle(slots, count, &draw);
        for (size_t k = 0; k < count; k++)
            job->sum = mix(job->sum, slots[k].bytes);
        slots_empty(slots, count);
    }
    free(slots);
}

/* Of a generation every tenth block stays; the next generation has another size and may use the
 * holes, if it can. */
static size_t generation(struct slot *slots, size_t count, size_t bytes)
{
    for (size_t k = 0; k < count; k++)
        slot_fill(&slots[k], bytes);
    size_t kept = 0;
    for (size_t k = 0; k < count; k++)
        if (k % 10 == 3)
            slots[kept++] = slots[k];
        else
            slot_empty(&slots[k]);
    return kept;
}

static void fragment(struct job *job)
{
    static const size_t sizes[] = { 48, 112, 80, 640, 176, 320, 32, 1040, 256, 2000, 64, 480 };
    enum { PHASES = sizeof sizes / sizeof sizes[0], VOLUME = 8 << 20 };
    struct slot *slots = take((PHASES * VOLUME / 10 + 2 * VOLUME) / 32 * sizeof *slots);
    for (size_t i = 0; i < job->rounds; i++) {
        size_t kept = 0;
        for (size_t phase = 0; phase < PHASES; phase++) {
            size_t count = VOLUME / sizes[phase];
            kept += generation(slots + kept, count, sizes[phase]);
            job->blocks += count;
        }
        for (size_t k = 0; k < kept; k++)
            job->sum = mix(job->sum, slots[k].bytes);
        slots_empty(slots, kept);
    }
    free(slots);
}

/* -- large, zeroed, aligned -------------------------------------------------------------------- */

/* Eight buffers of 0.3 to 3.3 MB, one replaced at a time; each page is touched. */
static void big(struct job *job)
{
    char *held[8] = { 0 };
    struct draw draw = draw_from(4);
    for (size_t i = 0; i < job->rounds; i++) {
        size_t k = draw_below(&draw, 8), bytes = 300000 + draw_below(&draw, 3000000);
        free(held[k]);
        held[k] = take(bytes);
        for (size_t at = 0; at < bytes; at += 4096)
            held[k][at] = (char)bytes;
        job->sum = mix(job->sum, (uint64_t)held[k][0] + bytes);
    }
    for (size_t k = 0; k < 8; k++)
        free(held[k]);
    job->blocks = job->rounds;
}

static void zero_check(const uint64_t *block, size_t bytes)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < bytes / 8; i++)
        seen |= block[i];
    if (seen != 0)
        work_fail("calloc gave a block that is not zero");
}

/* Mixed sizes, and every 256th of half a megabyte; each is dirty when it is freed. */
static void zeroed(struct job *job)
{
    static struct slot slots[2000];
    struct draw draw = draw_from(5);
    for (size_t i = 0; i < job->rounds; i++) {
        struct slot *slot = &slots[draw_below(&draw, 2000)];
        slot_empty(slot);
        slot->bytes = i % 256 == 255 ? 1 << 19 : (uint32_t)draw_mixed(&draw);
        slot->block = take_zeroed(1, slot->bytes);
        zero_check(slot->block, slot->bytes);
        slot_write(slot);
        job->sum = mix(job->sum, slot->bytes);
    }
    slots_empty(slots, 2000);
    job->blocks = job->rounds;
}

/* Not beyond 128: mimalloc 2.0.9 misaligns some blocks at 256. */
static void aligned(struct job *job)
{
    static struct slot slots[2000];
    struct draw draw = draw_from(6);
    for (size_t i = 0; i < job->rounds; i++) {
        struct slot *slot = &slots[draw_below(&draw, 2000)];
        size_t alignment = (size_t)16 << draw_below(&draw, 4);
        void *block;
        slot_empty(slot);
        slot->bytes = (uint32_t)draw_small(&draw);
        if (posix_memalign(&block, alignment, slot->bytes) != 0 ||
            (uintptr_t)block % alignment != 0)
            work_fail("posix_memalign gave no block, or one that is not aligned");
        slot->block = block;
        slot_write(slot);
        job->sum = mix(job->sum, alignment + slot->bytes);
    }
    slots_empty(slots, 2000);
    job->blocks = job->rounds;
}

const struct work block_works[] = {
    { "pair", pair, 60000000, "malloc and free of one size, nothing between" },
    { "lifo", lifo, 600000, "batches of 64, freed in reverse" },
    { "fifo", fifo, 16000000, "a queue of 4,096, the oldest freed first" },
    { "replace-1k", replace_1k, 15000000, "one of 1,000 small blocks at random" },
    { "replace-100k", replace_100k, 2500000, "one of 100,000 small blocks at random" },
    { "replace-mixed", replace_mixed, 8000000, "one of 10,000 blocks of 16 bytes to 64 KiB" },
    { "bulk", bulk, 5000000, "a million blocks, freed in random order" },
    { "fragment", fragment, 6, "every tenth block stays, then another size" },
    { "big", big, 60000, "buffers of 0.3 to 3.3 MB, replaced" },
    { "calloc", zeroed, 500000, "zeroed blocks of mixed sizes, dirtied" },
    { "aligned", aligned, 12000000, "alignments of 16 to 128 bytes" },
    { 0 },
};
