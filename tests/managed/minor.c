/* minor.c - minor collections of uncounted objects: an old heap, young objects that only words of
 *      old memory hold, however those words came there, and what happens when the kernel does not
 *      tell (any more) what was written.
 * Job     Where this kernel tracks writes the collections for growth must become minor ones; where
 *         it does not, they are full, and all the rest holds just so.
 * slow: yes
 * seconds: 300
 */
#include "check.h"
#include "minors.h"

#define OLD     scaled(1000000)
#define HOLDERS (OLD < 1000000 ? 100L : 1000L)

struct elder {
    struct elder *next, *other;
    void         *young;
    uint64_t      number;
};

static struct elder **elders;                /* a root: every one of them */
static uintptr_t    *shadow;                 /* hidden addresses of young ones */

/* -- an old heap ------------------------------------------------------------------------------- */

static void build(void)
{
    elders = midden_alloc(OLD * sizeof *elders);
    midden_root_add(&elders, sizeof elders);
    for (long i = 0; i < OLD; i++) {
        elders[i] = midden_alloc(sizeof **elders);
        elders[i]->number = (uint64_t)i;
        elders[i]->next = i ? elders[i - 1] : NULL;
    }
}

static long damaged(void)
{
    long bad = 0;

    for (long i = 0; i < OLD; i++)
        bad += elders[i]->number != (uint64_t)i || (i && elders[i]->next != elders[i - 1]);
    return bad;
}

/* -- what holds the young ---------------------------------------------------------------------- */

static struct elder *holder(long i)
{
    return elders[i * (OLD / HOLDERS)];
}

static NOINLINE void *young(long i)
{
    uint64_t *object = midden_alloc(i % 10 ? 40 + (size_t)i % 300 : 100000);

    *object = 0x5eed0000 + (uint64_t)i;
    shadow[i] = hidden(object);
    return object;
}

static long lost(void)
{
    long bad = 0;

    for (long i = 0; i < HOLDERS; i++) {
        uint64_t *object = shown(shadow[i]);

        bad += !in_use(shadow[i]) || *object != 0x5eed0000 + (uint64_t)i;
    }
    return bad;
}

static long left(void)
{
    return count_in_use(shadow, HOLDERS);
}

static int tracks;                           /* does this kernel? */

/* Two minor collections: by the second the young ones are old. Then they are dropped. */
static void keep_and_drop(const char *by, void (*hold)(long i), void (*drop)(long i))
{
    long after;

    for (long i = 0; i < HOLDERS; i++)
        hold(i);
    wipe();
    check_alone(until_minor(2) == tracks, "minor collections look for what is held by %s only", by);
    after = lost();
    check(after == 0, "of %ld young objects %ld are lost", HOLDERS, after);
    for (long i = 0; i < HOLDERS; i++)
        drop(i);
    wipe();
    midden_collect(MIDDEN_FULL);
    check(left() <= HOLDERS / 100, "dropped: %ld are left", left());
}

static void hold_by_store(long i)
{
    holder(i)->young = young(i);
}

static void drop_elder(long i)
{
    holder(i)->young = NULL;
}

/* The kernel writes the word: by read, from a pipe. */
static void hold_by_read(long i)
{
    int   ends[2];
    void *object = young(i);

    if (pipe(ends) || write(ends[1], &object, sizeof object) != sizeof object ||
        read(ends[0], &holder(i)->young, sizeof object) != sizeof object)
        abort();
    close(ends[0]);
    close(ends[1]);
}

/* An old object holds a malloc block, which comes and goes at the same address, and holds it. */
static void hold_by_block(long i)
{
    struct elder *at = holder(i);
    void        **block;

    free(at->young);
    block = malloc(64);
    block[3] = young(i);
    at->young = block;
}

static void drop_block(long i)
{
    free(holder(i)->young);
    holder(i)->young = NULL;
}

/* A large block that realloc moves, pages and all. */
static void **table_of_blocks;
static size_t table_bytes;

static void hold_by_large(long i)
{
    if (i == 0) {
        table_bytes = table_bytes ? 3 * table_bytes : 3u << 20;
        table_of_blocks = realloc(table_of_blocks, table_bytes);
        memset(table_of_blocks, 0, table_bytes);
    }
    table_of_blocks[i * 300] = young(i);
}

static void hold_by_old_large(long i)
{
    table_of_blocks[i * 300] = young(i);
}

static void drop_large(long i)
{
    table_of_blocks[i * 300] = NULL;
}

static const struct midden_type page_type = { sizeof page_type, "page", 64, NULL, NULL, NULL,
                                              MIDDEN_CONSERVATIVE };
static void **counted;                       /* handles, hidden: nothing here is a root */

static void hold_by_counted(long i)
{
    if (!counted[i])
        counted[i] = (void *)hidden(midden_new(&page_type, 0));
    ((void **)shown((uintptr_t)counted[i]))[5] = young(i);
}

static void drop_counted(long i)
{
    ((void **)shown((uintptr_t)counted[i]))[5] = NULL;
}

/* -- what comes between ------------------------------------------------------------------------ */

/* Closes every descriptor the library may have. */
static void close_all(void)
{
    for (int fd = 3; fd < 400; fd++)
        close(fd);
}

static void in_a_child(void)
{
    int   status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        if (watches() != 0)
            _exit(8);
        for (long i = 0; i < HOLDERS; i++)
            hold_by_store(i);
        if (until_minor(2) != tracks && every_count() == 0)
            _exit(2);
        _exit((lost() != 0 || damaged() != 0) | (watches() > 1) << 2);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = -1;
    check(status == 0,
        "a forked child loses nothing, makes minor ones, and closes what was its parent's: %x",
        status);
}

static int see(const struct midden_reference *reference, void *arg)
{
    (void)reference;
    ++*(long *)arg;
    return 0;
}

static void questions_between(void)
{
    void *asked[1];
    long  seen = 0;

    for (long i = 0; i < HOLDERS; i++)
        hold_by_store(i);
    until_minor(1);
    asked[0] = elders[OLD / 2];
    midden_get_referrers(asked, 1, see, &seen);
    check(seen >= 2 && seen <= 10,
        "referrers of one old object, not of all, are found between minor collections: %ld", seen);
    until_minor(1);
    midden_freeze();
    until_minor(1);
    midden_unfreeze();
    until_minor(1);
    check(lost() == 0 && damaged() == 0, "questions, a freeze and its end between lose nothing");
    for (long i = 0; i < HOLDERS; i++)
        drop_elder(i);
}

static NOINLINE uintptr_t interned(void)
{
    return hidden(midden_intern("a word of no use", 16));
}

/* By hand, young ones alone: those that died go, and interned bytes with them. */
static void by_hand(void)
{
    uintptr_t word;

    until_minor(1);
    word = interned();
    for (long i = 0; i < HOLDERS; i++)
        young(i);
    wipe();
    midden_collect(1);
    check_alone(!tracks || left() <= HOLDERS / 100,
        "a young collection by hand frees what is young and dead: %ld of %ld are left", left(),
        HOLDERS);
    check_alone(!tracks || !in_use(word), "and interned bytes");
    check(damaged() == 0, "the old ones stay");
}

/* Old words lead to counted objects that died with their handles; young ones are born there. */
static void outlived(void)
{
    for (long i = 0; i < HOLDERS; i++) {
        holder(i)->young = midden_new(&page_type, 0);
        shadow[i] = hidden(holder(i)->young);
    }
    wipe();
    until_minor(2);
    for (long i = 0; i < HOLDERS; i++)
        midden_release(shown(shadow[i]));
    for (long i = 0; i < HOLDERS; i++)
        shadow[i] = hidden(midden_alloc_leaf(200));
    wipe();
    check_alone(until_minor(1) == tracks,
        "minor collections, with old words that lead to what is gone");
    for (long i = 0; i < HOLDERS; i++)
        holder(i)->young = NULL;
    check(damaged() == 0, "do no harm");
}

int main(void)
{
    int made;

    shadow = table(HOLDERS * sizeof *shadow);
    counted = table(HOLDERS * sizeof *counted);
    build();
    made = until_minor(3);
    tracks = kernel_tracks(made);
    printf("# %ld minor collections; writes are%s tracked here\n", minors(), tracks ? "" : " not");
    check_alone(made == tracks, "collections for growth are minor where the kernel tracks writes");
    check(damaged() == 0, "and the old heap is whole");
    keep_and_drop("stores", hold_by_store, drop_elder);
    keep_and_drop("what read() wrote", hold_by_read, drop_elder);
    keep_and_drop("malloc blocks of old objects", hold_by_block, drop_block);
    keep_and_drop("malloc blocks given out again", hold_by_block, drop_block);
    keep_and_drop("a large malloc block", hold_by_large, drop_large);
    keep_and_drop("one that realloc moved", hold_by_large, drop_large);
    keep_and_drop("an old large one", hold_by_old_large, drop_large);
    keep_and_drop("counted objects", hold_by_counted, drop_counted);
    keep_and_drop("old counted objects", hold_by_counted, drop_counted);
    by_hand();
    outlived();
    in_a_child();
    questions_between();
    close_all();
    keep_and_drop("stores, all descriptors closed", hold_by_store, drop_elder);
    check_alone(until_minor(2) == tracks, "minor ones come again");
    check(damaged() == 0, "the old heap is whole at the end");
    return done();
}
