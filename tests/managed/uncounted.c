/* uncounted.c - objects nobody counts: what they are, and that the unreachable ones go.
 * seconds: 120
 */
#define CRADLE 2048
#include "check.h"

#include <sys/wait.h>

/* -- what they are ----------------------------------------------------------------------------- */

static void births(void)
{
    long bad = 0;

    for (int round = 0; round < 2; round++)
        for (size_t bytes = 0; bytes < (size_t)8 << 20; bytes += bytes < 3000 ? 1 : bytes) {
            unsigned char *object = midden_alloc(bytes), *leaf = midden_alloc_leaf(bytes);

            bad += !object || !leaf || (uintptr_t)object % 16 || (uintptr_t)leaf % 16;
            bad += !is_zero(object, bytes) || midden_usable_bytes(object) < bytes;
            memset(object, 0xee, bytes);
            memset(leaf, 0xee, bytes);
            if (bytes % 512 == 0)
                midden_collect(MIDDEN_FULL);
        }
    check(bad == 0, "objects of all sizes are aligned to 16 and zeroed, reused or not");
    CHECK_ERROR(ENOMEM, NULL, midden_alloc(SIZE_MAX));
    CHECK_ERROR(ENOMEM, NULL, midden_alloc(SIZE_MAX - 8));
    CHECK_ERROR(ENOMEM, NULL, midden_alloc(PTRDIFF_MAX));
    CHECK_ERROR(ENOMEM, NULL, midden_alloc_leaf(SIZE_MAX));
    CHECK_ERROR(ENOMEM, NULL, midden_alloc_leaf((size_t)1 << 60));
}

static void kinds(void)
{
    char *volatile       object = midden_alloc(100), *volatile leaf = midden_alloc_leaf(100);
    void *volatile       first = midden_alloc(0), *volatile second = midden_alloc(0);
    struct midden_object at = { .size = sizeof at };

    check(first && second && first != second, "an object of no bytes is one of its own");
    check(midden_object_at(object + 50, &at) == 0 && at.start == object && !at.is_free &&
              at.kind == MIDDEN_MANAGED, "an object is told as managed");
    check(midden_object_at(leaf + 99, &at) == 0 && at.start == leaf && !at.is_free &&
              at.kind == MIDDEN_MANAGED_LEAF, "a leaf as a managed leaf");
    check(midden_is_tracked(object) && midden_is_tracked(object + 60) && !midden_is_tracked(leaf),
        "a collection looks into the one and not into the other");
    check(midden_handles(object) == 0, "it has no handles");
}

/* -- what is unreachable goes ------------------------------------------------------------------ */

enum { MANY = 100000 };

static uintptr_t *word;                      /* hidden addresses */
static long       many;

static long stayed(long count)
{
    return count_in_use(word, count);
}

static NOINLINE void singles(void)
{
    for (long i = 0; i < many; i++)
        word[i] = hidden(midden_alloc((size_t)(i % 400)));
}

static NOINLINE void lists(void)
{
    for (long i = 0; i < many; i++) {
        void **object = midden_alloc(32);

        object[i % 4] = i % 100 ? shown(word[i - 1]) : NULL;
        word[i] = hidden(object);
    }
}

static NOINLINE void cycles(void)
{
    for (long i = 0; i < many; i++) {
        void **object = midden_alloc(48), **first;

        object[2] = i % 50 ? (char *)shown(word[i - 1]) + 40 : NULL;
        word[i] = hidden(object);
        if (i % 50 == 49) {
            first = shown(word[i - 49]);
            first[5] = object;
        }
    }
}

static NOINLINE void leaves(void)
{
    for (long i = 0; i < many; i++)
        word[i] = hidden(midden_alloc_leaf(16 + (size_t)(i % 100)));
}

static void goes(void (*fill_word)(void), const char *what)
{
    long found, left;

    wipe();
    midden_collect(MIDDEN_FULL);
    fill_word();
    wipe();
    found = midden_collect(MIDDEN_FULL);
    left = stayed(many);
    check(left <= 50 && found >= many - 50,
        "of %ld unreachable %s %ld stayed, %ld were found", many, what, left, found);
}

static NOINLINE void *long_list(long count)
{
    void **first = NULL;

    for (long i = 0; i < count; i++) {
        void **before = midden_alloc(16);

        before[0] = first;
        first = before;
    }
    return first;
}

/* A long list: marked without recursion, and all of it kept. */
static void deep(void)
{
    long             count = scaled(1000000), length = 0;
    void **volatile  first = long_list(count);
    void           **at;

    midden_collect(MIDDEN_FULL);
    for (at = first; at; at = at[0])
        length++;
    check(length == count, "a list of %ld is kept by its head", count);
    at = NULL;
    first = NULL;
    wipe();
    check(midden_collect(MIDDEN_FULL) >= count - 50, "and goes without it");
}

/* -- leaves are not looked into ---------------------------------------------------------------- */

enum { FEW = 200 };

static NOINLINE void *hide_in_leaf(void)
{
    void **leaf = midden_alloc_leaf(FEW * sizeof(void *));

    for (int i = 0; i < FEW; i++) {
        leaf[i] = midden_alloc(64);
        word[i] = hidden(leaf[i]);
    }
    return leaf;
}

static void leaf_keeps_nothing(void)
{
    void **volatile leaf = hide_in_leaf();
    long            left;

    wipe();
    midden_collect(MIDDEN_FULL);
    left = stayed(FEW);
    check(left <= 8 && in_use(hidden(leaf)),
        "a leaf keeps nothing: %ld of %d stayed, the leaf itself did", left, FEW);
}

static NOINLINE void *hide_in_ends(void)
{
    void **holder = midden_alloc(FEW * sizeof(void *)), *volatile neighbour;

    for (int i = 0; i < FEW; i++) {
        char *object = midden_alloc(64);

        holder[i] = object + midden_usable_bytes(object);
        word[i] = hidden(object);
        for (int j = 0; j < 5; j++)          /* what lies behind is another's, and of no interest */
            neighbour = midden_alloc(64);
    }
    return holder;
}

static void one_past_the_end(void)
{
    void **volatile holder = hide_in_ends();
    long            left;

    wipe();
    midden_collect(MIDDEN_FULL);
    left = stayed(FEW);
    check(left <= 8, "a pointer past the end keeps nothing: %ld of %d stayed", left, FEW);
}

/* -- registered roots only --------------------------------------------------------------------- */

static void registered(void)
{
    void **root = table(4096), **volatile local, **block = malloc(8 * sizeof(void *));
    long   found;

    wipe();
    midden_collect(MIDDEN_FULL);
    midden_root_add(root, 4096);
    root[0] = midden_alloc(64);
    *(void **)root[0] = midden_alloc(64);
    local = midden_alloc(64);
    block[0] = midden_alloc(64);
    word[0] = hidden(root[0]);
    word[1] = hidden(*(void **)root[0]);
    word[2] = hidden(local);
    word[3] = hidden(block[0]);
    CHECK_ERROR(EINVAL, -1, midden_scan(2));
    CHECK_ERROR(EINVAL, -1, midden_scan(-1));
    wipe();
    midden_collect(MIDDEN_FULL);
    check(stayed(4) == 4, "roots, locals and malloc blocks keep objects");
    check(midden_scan(MIDDEN_SCAN_REGISTERED) == 0, "from here on only registered roots count");
    found = midden_collect(MIDDEN_FULL);
    check(in_use(word[0]) && in_use(word[1]), "they keep objects");
    check(!in_use(word[2]) && !in_use(word[3]) && found >= 2, "locals and blocks do not");
    root[0] = NULL;
    midden_collect(MIDDEN_FULL);
    check(stayed(4) == 0, "and no stale word does");
    for (long i = 0; i < many; i++)
        word[i] = hidden(midden_alloc(32));
    found = midden_collect(MIDDEN_FULL);
    check_alone(found == many, "of %ld objects every one is found", many);
    check(stayed(many) == 0, "and every one goes");
    midden_scan(MIDDEN_SCAN_ALL);
    midden_root_remove(root);
    free(block);
    munmap(root, 4096);
}

/* -- automatic collection ---------------------------------------------------------------------- */

static NOINLINE void waste(size_t total, size_t each)
{
    for (size_t done = 0; done < (every_count() ? total >> 10 : total); done += each) {
        char *object = midden_alloc(each);

        memset(object, 1, each < 4096 ? each : 4096);
        memset(object + each / 2, 2, each / 2);
    }
}

static void bounded(void)
{
    long before = status_value("VmHWM:"), after;

    waste((size_t)1 << 30, 100000);
    waste((size_t)512 << 20, 200);
    waste((size_t)1 << 30, 5000000);
    after = status_value("VmHWM:");
    check_alone(after - before < 192 * 1024,
        "2.5 GiB of garbage need %ld MiB: it is collected by itself", (after - before) / 1024);
}

int main(void)
{
    many = scaled(MANY);
    word = table(MANY * sizeof *word);
    births();
    kinds();
    midden_disable();
    goes(singles, "objects");
    goes(lists, "members of lists");
    goes(cycles, "members of cycles");
    goes(leaves, "leaves");
    deep();
    leaf_keeps_nothing();
    one_past_the_end();
    registered();
    midden_enable();
    bounded();
    return done();
}
