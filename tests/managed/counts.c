/* counts.c - objects that live by their handles, exactly: births, handles, deaths at zero.
 * seconds: 120
 */
#include "check.h"

/* -- births ------------------------------------------------------------------------------------ */

static int refused(size_t size, size_t bytes, const size_t *owned, unsigned flags)
{
    struct midden_type type = { size, "refused", bytes, owned, NULL, NULL, flags };
    void              *object;
    int                error;

    errno = 0;
    object = midden_new(&type, 0);
    error = errno;
    midden_release(object);                  /* its type goes, too */
    return object == NULL && error == EINVAL;
}

static void types(void)
{
    static const size_t odd[] = { 0, 12, MIDDEN_END }, at_end[] = { 32, MIDDEN_END };
    static const size_t astride[] = { 24, MIDDEN_END }, none[] = { MIDDEN_END };
    const size_t        size = sizeof(struct midden_type);

    CHECK_ERROR(EINVAL, NULL, midden_new(NULL, 8));
    check(refused(0, 32, NULL, 0) && refused(size + 8, 32, NULL, 0) && refused(1, 32, NULL, 0),
        "a type of no known size is EINVAL");
    check(refused(size, 32, NULL, 3), "a type that is leaf and conservative is EINVAL");
    check(refused(size, 32, NULL, 4) && refused(size, 32, NULL, 1u << 31),
        "a type with unknown flags is EINVAL");
    check(refused(size, 32, odd, 0), "an owned offset that is misaligned is EINVAL");
    check(refused(size, 32, at_end, 0) && refused(size, 28, astride, 0),
        "an owned offset outside the fixed part is EINVAL");
    check(!refused(size, 32, none, 0), "an empty list of owned fields is fine");
}

static void too_large(void)
{
    static const struct midden_type wide = { sizeof wide, NULL, SIZE_MAX - 8, NULL, NULL, NULL, 0 };

    CHECK_ERROR(ENOMEM, NULL, midden_new(&node_type, SIZE_MAX));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&node_type, SIZE_MAX - sizeof(struct node)));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&node_type, SIZE_MAX - sizeof(struct node) - 15));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&node_type, PTRDIFF_MAX));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&node_type, (size_t)1 << 60));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&wide, 0));
    CHECK_ERROR(ENOMEM, NULL, midden_new(&wide, 64));
    check(1, "sums that wrap and sizes that no machine has were tried");
}

/* One object of each of many sizes: aligned, whole, and zeroed although it was dirty before. */
static int born_well(size_t extra)
{
    unsigned char *object = make(&leaf_type, extra);
    size_t         bytes = leaf_type.object_bytes + extra;
    int            good = object && (uintptr_t)object % 16 == 0 && is_zero(object, bytes) &&
               midden_usable_bytes(object) >= bytes && midden_handles(object) == 1;

    if (object)
        memset(object, 0xff, bytes);
    midden_release(object);
    return good;
}

static void births(void)
{
    long bad = 0;

    for (int round = 0; round < 3; round++) {
        for (size_t extra = 0; extra < (size_t)scaled(6000); extra += round ? 7 : 1)
            bad += !born_well(extra);
        for (size_t extra = 8192; extra < (size_t)4 << 20; extra = extra * 3 / 2)
            bad += !born_well(extra);
    }
    check(bad == 0, "objects of all sizes are aligned to 16 and zeroed, reused or not");
}

static void no_bytes(void)
{
    static const struct midden_type empty = { sizeof empty, "empty", 0, NULL, NULL, NULL, 0 };
    void *first = make(&empty, 0), *second = make(&empty, 0);

    check(first && second && first != second, "an object of no bytes is one of its own");
    midden_release(first);
    midden_release(second);
}

/* -- handles ----------------------------------------------------------------------------------- */

static void handles(void)
{
    struct node *object = node(1);
    long         bad = 0;

    ends();
    for (size_t n = 1; n < 1000; n++)
        bad += midden_retain(object) != object || midden_handles(object) != n + 1;
    for (size_t n = 1000; n > 1; n--) {
        midden_release(object);
        bad += midden_handles(object) != n - 1;
    }
    check(bad == 0, "retain and release are counted one by one");
    check(ends() == 0, "an object with a handle lives");
    midden_release(object);
    check(ends() == 1, "the last release ends it at once");
}

static void nulls(void)
{
    void *field = NULL;

    CHECK_ERROR(0, NULL, midden_retain(NULL));
    CHECK_ERROR(0, 0, midden_handles(NULL));
    CHECK_ERROR(0, 0, (midden_release(NULL), 0));
    CHECK_ERROR(0, 0, (midden_assign(&field, NULL), 0));
    CHECK_ERROR(0, NULL, midden_weak_get(NULL));
    CHECK_ERROR(0, 0, (midden_weak_drop(NULL), 0));
    CHECK_ERROR(0, 0, midden_is_tracked(NULL));
    CHECK_ERROR(0, 0, midden_is_finalized(NULL));
    check(field == NULL, "NULL is taken where it is allowed");
}

static void no_objects(void)
{
    void *block = malloc(100), *uncounted = midden_alloc(100);
    int   local = 0;

    check(midden_handles(block) == 0 && midden_handles(&local) == 0 &&
              midden_handles(uncounted) == 0 && midden_handles((void *)64) == 0,
        "what is no counted object has no handles");
    free(block);
}

static void assign(void)
{
    struct node *owner = node(1), *first = node(2), *second = node(3);

    ends();
    midden_assign(&owner->left, first);
    check(owner->left == first && midden_handles(first) == 2, "assign retains and stores");
    midden_assign(&owner->left, second);
    check(owner->left == second && midden_handles(first) == 1 && midden_handles(second) == 2,
        "and releases what was there");
    midden_release(second);
    midden_assign(&owner->left, owner->left);
    check(ends() == 0 && midden_handles(second) == 1,
        "an object assigned to the field that alone holds it stays");
    midden_assign(&owner->left, NULL);
    check(ends() == 1 && owner->left == NULL, "assigning NULL lets the last handle go");
    midden_release(first);
    midden_release(owner);
    check(ends() == 2, "nothing was kept by mistake");
}

static void object_at(void)
{
    char                *object = make(&node_type, 1000), *leaf = make(&leaf_type, 0);
    struct midden_object at = { .size = sizeof at };
    int                  good = midden_object_at(object, &at) == 0 && at.start == object;

    check(good && !at.is_free && at.kind == MIDDEN_MANAGED && at.bytes >= 1032,
        "an object is told to start where midden_new said");
    check(midden_object_at(object + 1031, &at) == 0 && at.start == object,
        "also by a pointer to its last byte");
    check(midden_object_at(leaf, &at) == 0 && at.start == leaf &&
              (at.kind == MIDDEN_MANAGED_LEAF || at.kind == MIDDEN_MANAGED),
        "a counted leaf is managed");
    check(midden_is_tracked(object) == 1 && midden_is_tracked(leaf) == 0 &&
              midden_is_finalized(object) == 0,
        "it is tracked, a leaf is not, and neither is finalized");
    midden_release(leaf);
    midden_release(object);
}

/* -- deaths ------------------------------------------------------------------------------------ */

static void cascade(void)
{
    struct node *root = node(0), *shared = node(1);
    uintptr_t    was;

    ends();
    give(&root->left, list((size_t)scaled(500)));
    midden_assign(&root->right, shared);
    was = hidden(root);
    midden_release(root);
    check(ends() == scaled(500) + 1, "what it alone held dies with it");
    check(!in_use(was), "and its memory is free");
    check(midden_handles(shared) == 1, "what others hold too loses one handle");
    midden_release(shared);
    ends();
}

static void *release_long_list(void *first)
{
    midden_release(first);
    return NULL;
}

static void long_lists(void)
{
    long count = scaled(1000000);

    ends();
    on_small_stack(128 * 1024, release_long_list, list((size_t)count));
    check(ends() == count, "a list of %ld objects dies on a stack of 128 KiB", count);
    if (every_count() == 0)
        check(again("list", RLIMIT_STACK, 256 * 1024) == 0, "and under ulimit -s 256");
}

/* A tree in which each level is held by `right` of the one above, and a list hangs off each. */
static void comb(void)
{
    long         teeth = scaled(1000), length = scaled(1000) / 10;
    struct node *root = NULL;

    ends();
    for (long i = 0; i < teeth; i++) {
        struct node *above = node(0);

        above->right = root;
        above->left = list((size_t)length);
        root = above;
    }
    on_small_stack(128 * 1024, release_long_list, root);
    length = teeth * (length + 1);
    check(ends() == length, "a comb of %ld objects dies as well", length);
}

/* The owned fields of a bag are said by a function: extra words, as many as the first one says. */
struct bag {
    size_t count;
    void  *item[];
};

static void bag_visit(void *object, midden_visitor *visitor, void *arg)
{
    struct bag *bag = object;

    for (size_t i = 0; i < bag->count; i++)
        visitor(&bag->item[i], arg);
}

static const struct midden_type bag_type = { sizeof bag_type, "bag", sizeof(struct bag), NULL,
                                             bag_visit, NULL, 0 };

static void bags(void)
{
    size_t      count = (size_t)scaled(10000);
    struct bag *bag = make(&bag_type, count * sizeof(void *));

    ends();
    bag->count = count;
    for (size_t i = 0; i < count; i++)
        bag->item[i] = i % 3 ? node(i) : NULL;
    midden_release(bag);
    check(ends() == (long)(count - (count + 2) / 3), "fields told by visit are released, too");
}

/* -- large objects ----------------------------------------------------------------------------- */

enum { LARGE = 1 << 20 };

static const size_t             large_owned[] = { 0, LARGE - 8, MIDDEN_END };
static const struct midden_type large_type = { sizeof large_type, "large", LARGE, large_owned, NULL,
                                               node_finalize, 0 };

static void large(void)
{
    char     *object = make(&large_type, 3 * LARGE);
    uintptr_t was = hidden(object);

    ends();
    check(is_zero(object, 4 * LARGE), "an object of 4 MiB is zeroed");
    give(object, node(1));
    give(object + LARGE - 8, node(2));
    midden_retain(object);
    check(midden_collect(MIDDEN_FULL) == 0 && in_use(was), "a collection leaves it");
    midden_release(object);
    midden_release(object);
    check(ends() == 3 && !in_use(was), "its owned fields, first word and last, are released");
}

/* -- finalizers at count zero ------------------------------------------------------------------ */

static struct node *kept;
static int          finalized;

static void keep(void *object)
{
    struct node *self = object;

    finalized++;
    errno = EIO;
    if (self->left && self->left->label == 77 && midden_handles(self->left) == 1)
        kept = midden_retain(object);
}

static const struct midden_type keeper_type = { sizeof keeper_type, "keeper", sizeof(struct node),
                                                node_owned, NULL, keep, 0 };

static void resurrection(void)
{
    struct node *object = make(&keeper_type, 0);
    uintptr_t    was = hidden(object);

    ends();
    give(&object->left, node(77));
    errno = ENOTTY;
    midden_release(object);
    check(errno == ENOTTY, "release preserves errno, whatever the finalizer does");
    check(kept == object && finalized == 1 && ends() == 0,
        "an object its finalizer retains lives, with what it owns");
    check(midden_handles(object) == 1 && midden_is_finalized(object) == 1,
        "by one handle, and it is finalized");
    kept = NULL;
    midden_release(object);
    check(finalized == 1 && ends() == 1 && !in_use(was), "it dies later without its finalizer");
}

static void retain_and_release(void *object)
{
    finalized++;
    midden_retain(object);
    midden_release(object);
}

static void undecided(void)
{
    static const struct midden_type type = { sizeof type, "undecided", 16, NULL, NULL,
                                             retain_and_release, 0 };
    void     *object = make(&type, 0);
    uintptr_t was = hidden(object);

    finalized = 0;
    midden_release(object);
    check(finalized == 1 && !in_use(was),
        "an object its finalizer retains and releases dies, finalized once");
}

/* Each finalizer lets go of the next by hand: not an owned field, a call. */
static void release_raw(void *object)
{
    struct node *self = object;

    finalized++;
    midden_release(self->raw);
}

static void nested(void)
{
    static const struct midden_type type = { sizeof type, "chain", sizeof(struct node), NULL, NULL,
                                             release_raw, 0 };
    long         count = scaled(1000);
    struct node *first = NULL;

    finalized = 0;
    for (long i = 0; i < count; i++) {
        struct node *before = make(&type, 0);

        before->raw = first;
        first = before;
    }
    midden_release(first);
    check(finalized == count, "finalizers may release others: %ld, one in the other", count);
}

/* A finalizer makes objects and lets them go, while the list it hangs in dies. */
static void make_others(void *object)
{
    (void)object;
    finalized++;
    midden_release(node(0));
    midden_release(list(3));
}

static void births_in_finalizers(void)
{
    static const struct midden_type type = { sizeof type, "maker", sizeof(struct node), node_owned,
                                             NULL, make_others, 0 };
    long         count = scaled(2000);
    struct node *first = NULL;

    finalized = 0;
    ends();
    for (long i = 0; i < count; i++) {
        struct node *before = make(&type, 0);

        before->left = first;
        first = before;
    }
    midden_release(first);
    check(finalized == count && ends() == 4 * count, "finalizers make objects while others die");
}

static void errors_kept(void)
{
    errno = ENOTTY;
    midden_release(node(0));
    midden_release(list((size_t)scaled(1000)));
    check(errno == ENOTTY, "releases preserve errno");
}

/* -- threads ----------------------------------------------------------------------------------- */

enum { THREADS = 4, TURNS = 200000 };

static void *turn(void *object)
{
    struct node *field = NULL;

    for (long i = 0; i < scaled(TURNS); i++) {
        midden_retain(object);
        midden_assign(&field, i % 2 ? object : NULL);
        midden_release(object);
    }
    midden_assign(&field, NULL);
    midden_release(object);
    return NULL;
}

static void shared(void)
{
    struct node *object = node(1);
    pthread_t    thread[THREADS];

    ends();
    for (int i = 0; i < THREADS; i++)
        thread[i] = start(turn, midden_retain(object));
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    check(midden_handles(object) == 1 && ends() == 0, "counts of %d threads add up", THREADS);
    midden_release(object);
    check(ends() == 1, "to one death");
}

static void *let_go(void *object)
{
    midden_release(object);
    return NULL;
}

static void last_of_four(void)
{
    long count = scaled(1000), bad = 0;

    ends();
    for (long n = 0; n < count / 4; n++) {
        pthread_t    thread[THREADS];
        struct node *object = list(3);

        for (int i = 0; i < THREADS; i++)
            thread[i] = start(let_go, midden_retain(object));
        midden_release(object);
        for (int i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
        bad += ends() != 3;
    }
    check(bad == 0, "whoever releases last, it dies once");
}

static void *give_list(void *unused)
{
    return list((size_t)scaled(10000));
}

static void other_owner(void)
{
    pthread_t thread = start(give_list, NULL);
    void     *first;

    ends();
    pthread_join(thread, &first);
    midden_release(first);
    check(ends() == scaled(10000), "objects of a thread that ended die as well");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        long count = 1000000;

        midden_release(list((size_t)count));
        return ends() != count;
    }
    types();
    too_large();
    births();
    no_bytes();
    handles();
    nulls();
    no_objects();
    assign();
    object_at();
    cascade();
    long_lists();
    comb();
    bags();
    large();
    resurrection();
    undecided();
    nested();
    births_in_finalizers();
    errors_kept();
    shared();
    last_of_four();
    other_owner();
    return done();
}
