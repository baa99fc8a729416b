/* arena.c - tests of midden/arena.h, and of heap/arena.h behind it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <midden/arena.h>
#include <midden/heap.h>

#include "heap/arena.h"
#include "heap/span.h"
#include "heap/walk.h"

void *midden_malloc(size_t bytes);
void  midden_free(void *block);
void *midden_realloc(void *block, size_t bytes);

static void validate(struct midden_arena *arena)
{
    arena_validate((struct arena *)arena);
}

static bool holds(const void *at, const void *start, size_t bytes)
{
    struct midden_object object = { .size = sizeof object };
    return midden_object_at(at, &object) == 0 && object.start == start && object.bytes >= bytes &&
           object.kind == MIDDEN_ARENA && !object.is_free;
}

static bool holds_none(const void *at)
{
    struct midden_object object = { .size = sizeof object };
    errno = 0;
    return midden_object_at(at, &object) == -1 && errno == ENOENT;
}

/* -- blocks ------------------------------------------------------------------------------------ */

Test(arena, every_byte_of_a_block_leads_to_its_start)
{
    struct midden_arena *arena = midden_arena_create("bytes");
    for (size_t bytes = 1; bytes < 700; bytes += 37) {
        char *block = midden_arena_alloc(arena, bytes);
        memset(block, 1, bytes);
        cr_assert_eq((uintptr_t)block % 16, 0);
        cr_assert_geq(midden_usable_bytes(block), bytes);
        for (size_t i = 0; i < bytes; i++)
            cr_assert(holds(block + i, block, bytes), "byte %zu of %zu", i, bytes);
    }
    validate(arena);
    midden_arena_destroy(arena);
}

Test(arena, what_is_not_given_out_belongs_to_no_block)
{
    struct midden_arena *arena = midden_arena_create("gaps");
    char *first = midden_arena_alloc(arena, 16);
    char *second = midden_arena_alloc_aligned(arena, 16, 256);
    cr_assert_eq((uintptr_t)second % 256, 0);
    for (char *at = first + 16; at < second; at++)
        cr_assert(holds_none(at));
    for (char *at = second + 16; at < second + 512; at++)
        cr_assert(holds_none(at));
    cr_assert_eq(midden_usable_bytes(first), 16);
    cr_assert_eq(midden_usable_bytes(first + 8), 0);
    midden_arena_destroy(arena);
}

Test(arena, the_tail_of_a_full_span_belongs_to_no_block)
{
    struct midden_arena *arena = midden_arena_create("tail");
    size_t span = class_blocks(0, ARENA_SLICES) * 16;
    char *first = midden_arena_alloc(arena, span - 32);
    char *second = midden_arena_alloc(arena, 64);
    cr_assert(holds(first + span - 33, first, span - 32));
    for (size_t i = span - 32; i < span; i++)
        cr_assert(holds_none(first + i));
    cr_assert(holds(second, second, 64));
    cr_assert_eq(midden_arena_bytes(arena), span + 64);
    midden_arena_destroy(arena);
}

Test(arena, blocks_of_no_bytes_are_distinct)
{
    struct midden_arena *arena = midden_arena_create("nothing");
    void *first = midden_arena_alloc(arena, 0), *second = midden_arena_alloc(arena, 0);
    cr_assert_not_null(first);
    cr_assert_neq(first, second);
    midden_arena_destroy(arena);
}

Test(arena, a_block_larger_than_a_span_has_one_of_its_own)
{
    struct midden_arena *arena = midden_arena_create("large");
    char *small = midden_arena_alloc(arena, 100);
    char *large = midden_arena_alloc(arena, 3000000);
    char *next = midden_arena_alloc(arena, 100);
    memset(large, 7, 3000000);
    memset(next, 8, 100);
    cr_assert(holds(large + 1500000, large, 3000000));
    cr_assert(holds(large + 2999999, large, 3000000));
    cr_assert(holds(small + 99, small, 100));
    cr_assert(holds(next + 99, next, 100));
    validate(arena);
    midden_arena_destroy(arena);
}

Test(arena, any_power_of_two_is_an_alignment)
{
    struct midden_arena *arena = midden_arena_create("aligned");
    for (size_t align = 1; align <= MIB(4); align *= 2) {
        char *block = midden_arena_alloc_aligned(arena, 100, align);
        cr_assert_not_null(block);
        cr_assert_eq((uintptr_t)block % align, 0, "%zu", align);
        memset(block, 1, 100);
        cr_assert(holds(block + 50, block, 100));
    }
    validate(arena);
    midden_arena_destroy(arena);
}

/* -- marks ------------------------------------------------------------------------------------- */

Test(arena, a_rewind_takes_back_what_came_after_the_mark_and_nothing_else)
{
    struct midden_arena *arena = midden_arena_create("rewound");
    char *kept = midden_arena_alloc(arena, 40);
    strcpy(kept, "before");
    size_t mark = midden_arena_mark(arena), bytes = midden_arena_bytes(arena);
    char *gone = midden_arena_alloc(arena, 40);
    midden_arena_alloc(arena, 500000);
    cr_assert_eq(midden_arena_rewind(arena, mark), 0);
    cr_assert_eq(midden_arena_bytes(arena), bytes);
    cr_assert(holds(kept + 39, kept, 40));
    cr_assert(holds_none(gone));
    cr_assert_str_eq(kept, "before");
    cr_assert_eq(midden_arena_alloc(arena, 8), gone, "the place is given out again");
    midden_arena_destroy(arena);
}

Test(arena, a_mark_may_be_used_again_and_again)
{
    struct midden_arena *arena = midden_arena_create("again");
    midden_arena_alloc(arena, 48);
    size_t mark = midden_arena_mark(arena);
    char *first = midden_arena_alloc(arena, 48);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(midden_arena_rewind(arena, mark), 0);
        cr_assert_eq(midden_arena_alloc(arena, 48), first);
        midden_arena_alloc(arena, i * 97);
    }
    validate(arena);
    midden_arena_destroy(arena);
}

Test(arena, a_mark_that_has_ended_is_refused_and_changes_nothing)
{
    struct midden_arena *arena = midden_arena_create("stale");
    size_t early = midden_arena_mark(arena);
    midden_arena_alloc(arena, 64);
    size_t late = midden_arena_mark(arena);
    cr_assert_eq(midden_arena_rewind(arena, early), 0);
    errno = 0;
    cr_assert_eq(midden_arena_rewind(arena, late), -1);
    cr_assert_eq(errno, EINVAL);
    char *block = midden_arena_alloc(arena, 200);         /* now `late` lies inside a block */
    errno = 0;
    cr_assert_eq(midden_arena_rewind(arena, late), -1);
    cr_assert_eq(errno, EINVAL);
    cr_assert(holds(block + 199, block, 200));
    cr_assert_eq(midden_arena_rewind(arena, 3), -1);
    midden_arena_destroy(arena);
}

Test(arena, a_mark_inside_a_large_block_is_refused)
{
    struct midden_arena *arena = midden_arena_create("stale");
    midden_arena_alloc(arena, 64);
    size_t inside = midden_arena_mark(arena) + 200000;
    char *large = midden_arena_alloc(arena, 1000000);
    cr_assert_eq(midden_arena_rewind(arena, inside), -1);
    cr_assert(holds(large + 999999, large, 1000000));
    midden_arena_destroy(arena);
}

Test(arena, a_rewind_to_the_present_does_nothing)
{
    struct midden_arena *arena = midden_arena_create("now");
    cr_assert_eq(midden_arena_rewind(arena, midden_arena_mark(arena)), 0);
    char *block = midden_arena_alloc(arena, 64);
    cr_assert_eq(midden_arena_rewind(arena, midden_arena_mark(arena)), 0);
    cr_assert(holds(block, block, 64));
    midden_arena_destroy(arena);
}

/* -- a stream of operations against a list of what should be there ----------------------------- */

enum { SHADOW = 4096, STEPS = 20000 };

struct shadow {
    unsigned char *block;
    size_t         bytes, mark;                  /* the arena's, before the block */
};

static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static size_t random_bytes(uint64_t *state)
{
    uint64_t choice = random_next(state) % 100;
    return random_next(state) % (choice < 80 ? 200 : choice < 97 ? 9000 : 300000);
}

static void look_at_all(const struct shadow *shadow, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shadow *at = &shadow[i];
        size_t bytes = at->bytes != 0 ? at->bytes : 1;
        cr_assert(holds(at->block, at->block, at->bytes));
        cr_assert(holds(at->block + bytes / 2, at->block, at->bytes));
        cr_assert(holds(at->block + bytes - 1, at->block, at->bytes));
        if (at->bytes != 0)
            cr_assert(at->block[0] == (i & 255) && at->block[bytes - 1] == (i & 255));
    }
}

static bool count_arena(const struct walk_block *block, void *arg)
{
    *(size_t *)arg += block->kind == WALK_ARENA;
    return true;
}

static void step(struct midden_arena *arena, struct shadow *shadow, size_t *count, uint64_t *state)
{
    if (*count == SHADOW || random_next(state) % 50 == 0) {
        *count = *count != 0 ? random_next(state) % *count : 0;
        cr_assert_eq(midden_arena_rewind(arena, shadow[*count].mark), 0);
        validate(arena);
        return;
    }
    struct shadow *at = &shadow[*count];
    size_t align = (size_t)1 << random_next(state) % (random_next(state) % 20 == 0 ? 18 : 7);
    at->mark = midden_arena_mark(arena);
    at->bytes = random_bytes(state);
    at->block = midden_arena_alloc_aligned(arena, at->bytes, align);
    cr_assert_not_null(at->block);
    cr_assert_eq((uintptr_t)at->block % align, 0);
    memset(at->block, (int)(*count & 255), at->bytes);
    ++*count;
}

Test(arena, a_stream_of_allocations_and_rewinds_leaves_what_it_should, .timeout = 120)
{
    static struct shadow shadow[SHADOW];
    uint64_t seed = 20240607, state = seed;
    size_t count = 0, seen = 0;
    struct midden_arena *arena = midden_arena_create("stream");
    shadow[0].mark = midden_arena_mark(arena);
    for (unsigned i = 0; i < STEPS; i++) {
        step(arena, shadow, &count, &state);
        if (i % 256 == 0)
            look_at_all(shadow, count);
    }
    look_at_all(shadow, count);
    walk_blocks(count_arena, &seen);
    cr_assert_eq(seen, count, "seed %lu", (unsigned long)seed);
    midden_arena_destroy(arena);
    seen = 0;
    walk_blocks(count_arena, &seen);
    cr_assert_eq(seen, 0);
}

/* -- arenas ------------------------------------------------------------------------------------ */

Test(arena, destroy_gives_every_span_back)
{
    midden_free(midden_malloc(1));
    struct midden_arena *arena = midden_arena_create("spans");
    size_t before = span_figures().used_slices;
    for (unsigned i = 0; i < 3000; i++)
        midden_arena_alloc(arena, i * 37);
    size_t mark = midden_arena_mark(arena);
    midden_arena_alloc(arena, 1000000);
    midden_arena_rewind(arena, mark);
    cr_assert_gt(span_figures().used_slices, before);
    errno = 4711;
    midden_arena_destroy(arena);
    cr_assert_eq(errno, 4711);
    cr_assert_eq(span_figures().used_slices, before);
}

Test(arena, an_empty_arena_keeps_one_span)
{
    struct midden_arena *arena = midden_arena_create("kept");
    size_t mark = midden_arena_mark(arena), before = span_figures().used_slices;
    for (unsigned i = 0; i < 10000; i++)
        midden_arena_alloc(arena, 100);
    cr_assert_eq(midden_arena_rewind(arena, mark), 0);
    cr_assert_eq(midden_arena_bytes(arena), 0);
    cr_assert_eq(span_figures().used_slices, before + ARENA_SLICES);
    midden_arena_destroy(arena);
}

Test(arena, arguments_are_checked)
{
    char name[MIDDEN_ARENA_NAME_BYTES + 1];
    memset(name, 'n', sizeof name);
    name[MIDDEN_ARENA_NAME_BYTES] = '\0';
    errno = 0;
    cr_assert_null(midden_arena_create(NULL));
    cr_assert_eq(errno, EINVAL);
    cr_assert_null(midden_arena_create(""));
    cr_assert_eq(errno, EINVAL);
    cr_assert_null(midden_arena_create(name));
    cr_assert_eq(errno, ENAMETOOLONG);
    name[MIDDEN_ARENA_NAME_BYTES - 1] = '\0';
    struct midden_arena *arena = midden_arena_create(name);
    cr_assert_not_null(arena);
    cr_assert_null(midden_arena_alloc_aligned(arena, 1, 0));
    cr_assert_eq(errno, EINVAL);
    cr_assert_null(midden_arena_alloc_aligned(arena, 1, 48));
    cr_assert_eq(errno, EINVAL);
    midden_arena_destroy(arena);
    midden_arena_destroy(NULL);
    cr_assert_eq(midden_arena_bytes(NULL), 0);
}

Test(arena, what_cannot_be_had_is_refused_and_the_arena_goes_on)
{
    struct midden_arena *arena = midden_arena_create("greedy");
    static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 15, PTRDIFF_MAX, TIB(100) };
    char *block = midden_arena_alloc(arena, 10);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        errno = 0;
        cr_assert_null(midden_arena_alloc(arena, sizes[i]));
        cr_assert_eq(errno, ENOMEM);
    }
    cr_assert_null(midden_arena_alloc_aligned(arena, 1, (size_t)1 << 63));
    cr_assert_eq(midden_arena_alloc(arena, 10), block + 16);
    midden_arena_destroy(arena);
}

/* Every class keeps a slab under its cursor, empty as it may be: an arena may have it. */
Test(arena, what_the_thread_holds_empty_is_given_up_for_it)
{
    for (size_t bytes = 16; bytes <= CLASS_MAX_BYTES; bytes += bytes / 4 + 16)
        midden_free(midden_malloc(bytes));
    size_t used = span_figures().used_slices << SLICE_SHIFT;
    span_configure(SPAN_PURGE_AUTO, used, false);
    struct midden_arena *arena = midden_arena_create("tight");
    cr_assert_not_null(midden_arena_alloc(arena, used / 2));
    cr_assert_null(midden_arena_alloc(arena, used));
    span_configure(SPAN_PURGE_AUTO, 0, false);
    midden_arena_destroy(arena);
}

struct names {
    unsigned count;
    char     text[256];
};

static void note_name(const struct arena *arena, void *arg)
{
    struct names *names = arg;
    names->count++;
    strcat(strcat(names->text, arena->name), " ");
}

Test(arena, arenas_are_listed_newest_first)
{
    struct names names = { 0 };
    struct midden_arena *one = midden_arena_create("one"), *two = midden_arena_create("two");
    struct midden_arena *three = midden_arena_create("three");
    arena_each(note_name, &names);
    cr_assert_str_eq(names.text, "three two one ");
    midden_arena_destroy(two);
    names = (struct names){ 0 };
    arena_each(note_name, &names);
    cr_assert_str_eq(names.text, "three one ");
    midden_arena_destroy(three);
    midden_arena_destroy(one);
    names = (struct names){ 0 };
    arena_each(note_name, &names);
    cr_assert_eq(names.count, 0);
}

/* -- misuse ------------------------------------------------------------------------------------ */

/* What the child says on stderr before it dies of `call`; its wait status. */
static int last_words(void (*call)(void *), void *block, char *words, size_t bytes)
{
    int ends[2], status;
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        signal(SIGABRT, SIG_DFL);
        call(block);
        _exit(0);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], words, bytes - 1);
    words[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static void call_free(void *block)
{
    midden_free(block);
}

static void call_realloc(void *block)
{
    midden_realloc(block, 100);
}

static void expect_death(void (*call)(void *), const char *name, char *block)
{
    char words[512], wanted[512];
    int status = last_words(call, block, words, sizeof words);
    snprintf(wanted, sizeof wanted, "midden: invalid %s(%p): the block belongs to the arena "
             "\"scratch?pad\"; arenas are freed by rewind or destroy\n", name, (void *)block);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_assert_str_eq(words, wanted);
}

Test(arena, free_of_a_block_ends_the_program_with_a_sentence)
{
    struct midden_arena *arena = midden_arena_create("scratch\npad");
    char *block = midden_arena_alloc(arena, 100), *large = midden_arena_alloc(arena, 1000000);
    expect_death(call_free, "free", block);
    expect_death(call_free, "free", block + 16);
    expect_death(call_free, "free", large);
    expect_death(call_realloc, "realloc", block);
    midden_arena_destroy(arena);
}

/* -- threads, fork ----------------------------------------------------------------------------- */

static void *churn(void *arg)
{
    struct midden_arena *arena = midden_arena_create("thread");
    uintptr_t seed = (uintptr_t)arg;
    for (unsigned round = 0; round < 200; round++) {
        size_t mark = midden_arena_mark(arena);
        for (unsigned i = 0; i < 100; i++) {
            size_t bytes = (seed * 31 + i * 97 + round) % 3000 + 1;
            unsigned char *block = midden_arena_alloc(arena, bytes);
            memset(block, (int)(seed & 255), bytes);
            if (!holds(block + bytes - 1, block, bytes) || block[bytes / 2] != (seed & 255))
                return (void *)1;
        }
        if (round % 3 != 0)
            midden_arena_rewind(arena, mark);
    }
    midden_arena_destroy(arena);
    return NULL;
}

Test(arena, arenas_of_several_threads_do_not_meet)
{
    pthread_t thread[4];
    for (uintptr_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, churn, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *bad;
        pthread_join(thread[i], &bad);
        cr_assert_null(bad);
    }
}

static void *fork_and_use(void *arg)
{
    struct midden_arena *arena = arg;
    pid_t child = fork();
    if (child == 0) {
        char *block = midden_arena_alloc(arena, 100000);
        memset(block, 1, 100000);
        struct midden_arena *other = midden_arena_create("child's");
        bool good = holds(block + 99999, block, 100000) && midden_arena_alloc(other, 10) != NULL;
        midden_arena_destroy(arena);
        _exit(good ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    return (void *)(uintptr_t)status;
}

Test(arena, a_forked_child_has_its_own_copy)
{
    pthread_t thread[2];
    struct midden_arena *arena = midden_arena_create("copied");
    char *block = midden_arena_alloc(arena, 8);
    strcpy(block, "parent");
    pthread_create(&thread[0], NULL, churn, (void *)7);
    pthread_create(&thread[1], NULL, fork_and_use, arena);
    void *bad, *status;
    pthread_join(thread[0], &bad);
    pthread_join(thread[1], &status);
    cr_assert_null(bad);
    cr_assert_null(status);
    cr_assert_str_eq(block, "parent");
    midden_arena_destroy(arena);
}
