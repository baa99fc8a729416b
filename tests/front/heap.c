/* heap.c - tests of midden/heap.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <midden/arena.h>
#include <midden/heap.h>

#include "heap/class.h"

void *midden_malloc(size_t bytes);
void *midden_aligned_alloc(size_t align, size_t bytes);
void *midden_realloc(void *block, size_t bytes);
void  midden_free(void *block);
size_t midden_malloc_usable_size(void *block);

static struct midden_object look(const void *at)
{
    struct midden_object object = { .size = sizeof object };
    cr_assert_eq(midden_object_at(at, &object), 0);
    return object;
}

static int error_at(const void *at)
{
    struct midden_object object = { .size = sizeof object };
    errno = 0;
    return midden_object_at(at, &object) == 0 ? 0 : errno;
}

struct few {
    char **block;
    int    count, step;
};

static void *free_every(void *argument)
{
    const struct few *few = argument;
    for (int i = 0; i < few->count; i += few->step)
        midden_free(few->block[i]);
    return NULL;
}

/* -- one block --------------------------------------------------------------------------------- */

Test(heap, every_byte_of_a_block_of_every_size_leads_to_its_start)
{
    for (size_t bytes = 1; bytes < MIB(3); bytes += bytes / 7 + 1) {
        char *block = midden_malloc(bytes);
        struct midden_object object = look(block);
        cr_assert_eq(object.start, block);
        cr_assert_geq(object.bytes, bytes);
        cr_assert_eq(object.kind, MIDDEN_MANUAL);
        cr_assert_eq(object.is_free, 0);
        cr_assert_eq(look(block + bytes / 2).start, block);
        cr_assert_eq(look(block + object.bytes - 1).start, block);
        cr_assert_eq(midden_usable_bytes(block), object.bytes);
        if (bytes > 1)
            cr_assert_eq(midden_usable_bytes(block + 1), 0);
    }
}

Test(heap, a_freed_block_says_so)
{
    char *kept = midden_malloc(48), *block = midden_malloc(48);
    midden_free(block);
    cr_assert_eq(look(block + 5).is_free, 1);
    cr_assert_eq(midden_usable_bytes(block), 0);
    cr_assert_eq(look(kept).is_free, 0);
    char *large = midden_malloc(MIB(1));
    midden_free(large);
    cr_assert_eq(error_at(large), ENOENT);
}

/* Most of the slabs run full; frees of another thread take some of them over. */
Test(heap, blocks_of_full_slabs_tell_their_size)
{
    enum { COUNT = 20000, BYTES = 48, STEP = 3 };
    static char *block[COUNT];
    for (int i = 0; i < COUNT; i++)
        block[i] = midden_malloc(BYTES - i % 8);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(midden_malloc_usable_size(block[i]), BYTES);
        cr_assert_eq(midden_malloc_usable_size(block[i] + 16), 0);
        cr_assert_eq(midden_realloc(block[i], BYTES - 9), block[i]);
    }
    struct few few = { block, COUNT, STEP };
    pthread_t other;
    cr_assert_eq(pthread_create(&other, NULL, free_every, &few), 0);
    pthread_join(other, NULL);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(midden_malloc_usable_size(block[i]), i % STEP == 0 ? 0 : BYTES, "%d", i);
}

Test(heap, what_is_no_block_is_told)
{
    static int statics;
    int local;
    char *block = midden_malloc(300000);         /* its span is longer than its pages */
    size_t usable = midden_usable_bytes(block);
    cr_assert_eq(error_at(NULL), ENOENT);
    cr_assert_eq(error_at(&statics), ENOENT);
    cr_assert_eq(error_at(&local), ENOENT);
    cr_assert_eq(error_at((void *)UINTPTR_MAX), ENOENT);
    if (usable % SLICE_BYTES != 0)
        cr_assert_eq(error_at(block + usable), ENOENT);
    cr_assert_eq(midden_usable_bytes(NULL), 0);
    cr_assert_eq(midden_usable_bytes(&statics), 0);
}

Test(heap, a_struct_of_no_known_size_is_refused)
{
    struct midden_object object = { .size = 0 };
    struct midden_stats stats = { .size = sizeof stats + 8 };
    errno = 0;
    cr_assert_eq(midden_object_at(midden_malloc(1), &object), -1);
    cr_assert_eq(errno, EINVAL);
    errno = 0;
    cr_assert_eq(midden_stats(&stats), -1);
    cr_assert_eq(errno, EINVAL);
    cr_assert_eq(stats.live_bytes, 0);
}

Test(heap, good_bytes_are_those_that_malloc_gives)
{
    midden_free(midden_malloc(1));
    for (size_t bytes = 0; bytes < MIB(2); bytes += bytes / 9 + 1)
        cr_assert_eq(midden_good_bytes(bytes), midden_usable_bytes(midden_malloc(bytes)), "%zu",
                     bytes);
    cr_assert_eq(midden_good_bytes(SIZE_MAX), 0);
    cr_assert_eq(midden_good_bytes(PTRDIFF_MAX), 0);
}

/* -- figures ----------------------------------------------------------------------------------- */

static struct midden_stats stats_now(void)
{
    struct midden_stats stats = { .size = sizeof stats };
    cr_assert_eq(midden_stats(&stats), 0);
    return stats;
}

Test(heap, statistics_count_what_is_in_use)
{
    midden_free(midden_malloc(1));
    struct midden_stats before = stats_now();
    void *small = midden_malloc(48), *large = midden_malloc(MIB(1));
    struct midden_arena *arena = midden_arena_create("counted");
    midden_arena_alloc(arena, 1000);
    struct midden_stats after = stats_now();
    cr_assert_eq(after.live_blocks, before.live_blocks + 3);
    cr_assert_eq(after.live_bytes, before.live_bytes + 48 + MIB(1) + 1008);
    cr_assert_eq(after.large_made, before.large_made + 1);
    midden_free(small);
    midden_free(large);
    midden_arena_destroy(arena);
    struct midden_stats end = stats_now();
    cr_assert_eq(end.live_blocks, before.live_blocks);
    cr_assert_eq(end.live_bytes, before.live_bytes);
    cr_assert_geq(end.peak_bytes, after.live_bytes);
    cr_assert_gt(end.spans_given, before.spans_given);
}

Test(heap, what_is_committed_is_the_sum_of_its_parts)
{
    void *block[200];
    for (unsigned i = 0; i < 200; i++)
        block[i] = midden_malloc(i * 700 + 1);
    for (unsigned i = 0; i < 200; i += 2)
        midden_free(block[i]);
    struct midden_stats stats = stats_now();
    cr_assert_gt(stats.slack_bytes, 0);
    cr_assert_leq(stats.live_bytes + stats.slack_bytes + stats.dirty_bytes, stats.committed_bytes);
    cr_assert_leq(stats.committed_bytes, stats.reserved_bytes);
    cr_assert_eq((stats.live_bytes + stats.slack_bytes) % SLICE_BYTES, 0);
}

/* Braces and brackets close in order, outside of strings. */
static bool is_balanced(const char *json)
{
    char open[64];
    size_t depth = 0;
    bool string = false;
    for (; *json != '\0'; json++) {
        if (*json == '"')
            string = !string;
        if (string)
            continue;
        if (*json == '{' || *json == '[')
            open[depth++] = *json == '{' ? '}' : ']';
        if ((*json == '}' || *json == ']') && (depth == 0 || open[--depth] != *json))
            return false;
    }
    return depth == 0 && !string;
}

Test(heap, the_same_as_json)
{
    static char json[65536], cut[100];
    void *block = midden_malloc(48);
    size_t length = midden_stats_json(json, sizeof json);
    cr_assert_not_null(block);
    cr_assert_eq(length, strlen(json));
    cr_assert(is_balanced(json));
    cr_assert_eq(strncmp(json, "{\"schema\":\"midden.stats/1\",", 27), 0);
    cr_assert_not_null(strstr(json, "\"classes\":[{\"bytes\":48,\"blocks\":1,"));
    cr_assert_gt(midden_stats_json(cut, sizeof cut), sizeof cut);
    cr_assert_eq(strlen(cut), sizeof cut - 1);
    cr_assert_eq(strncmp(cut, json, 60), 0);
    cr_assert_gt(midden_stats_json(NULL, 0), 100);
}

Test(heap, trim_gives_back_what_is_empty_once)
{
    static void *block[64];
    for (unsigned i = 0; i < 64; i++)
        block[i] = memset(midden_malloc(100000), 1, 100000);
    for (unsigned i = 0; i < 64; i++)
        midden_free(block[i]);
    cr_assert_gt(midden_trim(), 1000000);
    cr_assert_eq(stats_now().dirty_bytes, 0);
    cr_assert_eq(midden_trim(), 0);
}

/* -- a walk ------------------------------------------------------------------------------------ */

enum { BLOCKS = 500 };
struct seen {
    char  *block[BLOCKS];
    bool   freed[BLOCKS];
    unsigned found, strangers;
    const char *last;
    bool   in_order;
};

static int tick_off(const struct midden_object *object, void *arg)
{
    struct seen *seen = arg;
    unsigned i = 0;
    while (i < BLOCKS && seen->block[i] != object->start)
        i++;
    if (i == BLOCKS || seen->freed[i] || object->is_free)
        seen->strangers++;
    else
        seen->found++;
    seen->in_order &= (char *)object->start >= seen->last;
    seen->last = (char *)object->start + object->bytes;
    return 0;
}

Test(heap, a_walk_visits_each_block_in_use_once_in_order)
{
    static struct seen seen = { .in_order = true };
    struct midden_arena *arena = midden_arena_create("walked");
    unsigned freed = 0;
    for (unsigned i = 0; i < BLOCKS; i++)
        seen.block[i] = i % 5 == 0 ? midden_arena_alloc(arena, i * 30) : midden_malloc(i * i);
    for (unsigned i = 1; i < BLOCKS; i += 5) {
        midden_free(seen.block[i]);
        seen.freed[i] = true;
        freed++;
    }
    midden_walk(tick_off, &seen);
    cr_assert_eq(seen.found, BLOCKS - freed);
    cr_assert_eq(seen.strangers, 0);
    cr_assert(seen.in_order);
}

static int count_blocks(const struct midden_object *object, void *arg)
{
    *(size_t *)arg += object->bytes != 0;
    return 0;
}

/* A forked child has one thread, whatever runs beside a test. */
Test(heap, a_walk_in_a_program_of_one_thread_is_exact)
{
    int status;
    midden_malloc(100);
    pid_t child = fork();
    if (child == 0) {
        size_t count = 0;
        _exit(midden_walk(count_blocks, &count) == MIDDEN_WALK_EXACT && count == 1 ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

static int stop_at_three(const struct midden_object *object, void *arg)
{
    (void)object;
    return ++*(unsigned *)arg == 3;
}

static int walk_within(const struct midden_object *object, void *arg)
{
    unsigned inner = 0;
    (void)object;
    *(int *)arg = midden_walk(stop_at_three, &inner) == -1 ? errno : 0;
    return 0;
}

Test(heap, a_walk_ends_when_the_visitor_says_so_and_cannot_be_nested)
{
    unsigned count = 0;
    int error = 0;
    for (unsigned i = 0; i < 10; i++)
        midden_malloc(100);
    errno = 0;
    cr_assert_eq(midden_walk(stop_at_three, &count), -1);
    cr_assert_eq(errno, ECANCELED);
    cr_assert_eq(count, 3);
    midden_walk(walk_within, &error);
    cr_assert_eq(error, EBUSY);
    cr_assert_eq(midden_walk(NULL, NULL), -1);
    cr_assert_eq(errno, EINVAL);
}

static int until;

static void *churn(void *arg)
{
    char *block[64] = { 0 };
    for (unsigned i = 0; !__atomic_load_n(&until, __ATOMIC_RELAXED); i++) {
        midden_free(block[i % 64]);
        block[i % 64] = midden_malloc(i * 17 % 40000);
        if (block[i % 64] == NULL)
            return (void *)1;
    }
    return arg;
}

Test(heap, a_walk_past_threads_at_work_is_approximate_and_harmless, .timeout = 60)
{
    pthread_t thread[2];
    size_t count = 0;
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, churn, NULL);
    for (unsigned i = 0; i < 300 || count == 0; i++) {
        cr_assert_eq(midden_walk(count_blocks, &count), MIDDEN_WALK_APPROXIMATE);
        stats_now();
    }
    __atomic_store_n(&until, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++) {
        void *bad;
        pthread_join(thread[i], &bad);
        cr_assert_null(bad);
    }
}
