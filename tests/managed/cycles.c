/* cycles.c - garbage that counting cannot find, found to the last object, whatever stale words
 *      point at it.
 * seconds: 120
 */
#include "check.h"

/* Automatic collections would take part of what is counted here. */
static long collect(void)
{
    return midden_collect(MIDDEN_FULL);
}

static void collected(long count, const char *text)
{
    long found, ended;

    ends();
    found = collect();
    ended = ends();
    if (!check(found == count && ended == count, "%s", text))
        printf("# found %ld, finalized %ld, wanted %ld\n", found, ended, count), fflush(stdout);
}

static void shapes(void)
{
    struct node *first = node(1), *second;

    midden_assign(&first->left, first);
    midden_release(first);
    collected(1, "an object that holds itself goes");
    first = node(1);
    midden_assign(&first->left, first);
    midden_assign(&first->right, first);
    midden_release(first);
    collected(1, "also if it holds itself twice");
    midden_release(ring(2));
    collected(2, "two that hold each other go");
    midden_release(ring(1000));
    collected(1000, "a ring of a thousand goes");
    first = ring(10);
    second = ring(20);
    midden_assign(&first->right, second);
    give(&second->right, ring(30));
    midden_release(second);
    midden_release(first);
    collected(60, "cycles that hang off cycles go at once");
    first = ring(10);
    give(&first->right, list(15));
    midden_release(first);
    collected(25, "and so does a list that hangs off a cycle");
    collected(0, "nothing is left for another collection");
}

/* Every node holds two others, at random: one big knot, and a few that nobody holds die at once. */
static void knot(void)
{
    long          count = scaled(20000);
    unsigned      seed = 12345;
    struct node **all = table((size_t)count * sizeof *all);
    long          ended;

    for (long i = 0; i < count; i++)
        all[i] = node((size_t)i);
    for (long i = 0; i < count; i++) {
        midden_assign(&all[i]->left, all[next_random(&seed) % (unsigned)count]);
        midden_assign(&all[i]->right, all[next_random(&seed) % (unsigned)count]);
    }
    check(collect() == 0, "a knot with handles stays");
    ends();
    for (long i = 0; i < count; i++)
        midden_release(all[i]);
    ended = ends();
    collected(count - ended, "without handles a random knot goes whole");
    munmap(all, (size_t)count * sizeof *all);
}

/* -- handles kept anywhere --------------------------------------------------------------------- */

static struct node *kept_static;

static void stays(struct node *object, const char *text)
{
    long found;

    ends();
    found = collect();
    check(found == 0 && ends() == 0 && object->left->label == 1 && midden_handles(object) == 2,
        "%s", text);
}

static void kept(void)
{
    struct node         **block = malloc(sizeof *block), *volatile local;
    struct node         **far = table(4096);
    uintptr_t             word;

    kept_static = ring(3);
    stays(kept_static, "a ring with a handle in a static stays");
    *block = kept_static;
    kept_static = NULL;
    stays(*block, "with a handle in a malloc block it stays");
    local = *block;
    *block = NULL;
    stays(local, "with a handle in a local it stays");
    *far = local;
    local = NULL;
    wipe();
    stays(*far, "with a handle in memory nobody scans it stays");
    word = hidden(*far);
    *far = NULL;
    wipe();
    ends();
    check(collect() == 0 && ends() == 0 && in_use(word),
        "with a handle that is no word of memory it stays: a handle is exact");
    midden_release(shown(word));
    collected(3, "and goes when that handle is released");
    free(block);
    munmap(far, 4096);
}

/* -- stale words ------------------------------------------------------------------------------- */

enum { STALE = 200 };

static struct node *stale_static[STALE];

/* Raw pointers to all of a ring lie about, with no handle. */
static NOINLINE void stale(void)
{
    struct node  *volatile on_stack[STALE];
    struct node **in_block = malloc(sizeof *in_block * STALE), *at = ring(STALE);
    struct node **in_uncounted_leaf = midden_alloc_leaf(sizeof *in_uncounted_leaf * STALE);

    for (int i = 0; i < STALE; i++, at = at->left)
        on_stack[i] = stale_static[i] = in_block[i] = in_uncounted_leaf[i] = at;
    midden_release(at);
    collected(STALE, "stale words on the stack, in statics and in malloc blocks keep no ring");
    check(on_stack[7] == in_block[7] && in_uncounted_leaf[7] == in_block[7], "they were there");
    memset(stale_static, 0, sizeof stale_static);
    memset((void *)on_stack, 0, sizeof on_stack);
    free(in_block);
}

static void raw_words(void)
{
    struct node *holder = node(1), *open = make(&open_type, 0), *target = ring(5);

    wipe();
    collect();
    holder->raw = target;
    midden_release(target);
    collected(5, "a field that is not owned keeps nothing");
    midden_release(holder);
    midden_release(open);
    ends();
}

/* -- visit ------------------------------------------------------------------------------------- */

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

static void bag_finalize(void *object)
{
    node_finalize(object);
}

static const struct midden_type bag_type = { sizeof bag_type, "bag", sizeof(struct bag), NULL,
                                             bag_visit, bag_finalize, 0 };

static void visited(void)
{
    size_t       count = 100;
    struct bag  *bag = make(&bag_type, count * sizeof(void *));
    struct node *back;

    bag->count = count;
    for (size_t i = 0; i < count; i++)
        bag->item[i] = i % 2 ? list(2) : NULL;
    back = node(0);
    midden_assign(&bag->item[0], back);
    midden_assign(&back->right, bag);
    midden_release(back);
    check(collect() == 0 && ends() == 0, "a bag with a handle stays, with all that is in it");
    midden_release(bag);
    collected(102, "a cycle through fields told by visit goes, with all that hangs off it");
}

/* -- registered roots and uncounted objects ---------------------------------------------------- */

static void rooted(void)
{
    struct node **root = table(4096);
    struct node  *object = ring(4);

    give(&object->right, list(3));
    check(midden_root_add(root, 4096) == 0, "a page is made a root");
    root[17] = object;
    midden_release(object);
    ends();
    check(collect() == 0 && ends() == 0, "a registered root keeps a ring it holds the address of");
    check(object->left->left->left->left == object && midden_handles(object) == 1 &&
              object->right->label == 2, "whole, with what hangs off it");
    check(collect() == 0 && ends() == 0, "as often as one looks");
    root[17] = NULL;
    collected(7, "and no longer than the address is there");
    root[0] = object = ring(2);
    midden_release(object);
    check(midden_root_remove(root) == 0, "the root is removed");
    collected(2, "then it keeps nothing");
    munmap(root, 4096);
}

static void held_by_uncounted(void)
{
    void **volatile holder = make_uncounted(64);
    struct node    *object = ring(6);

    holder[3] = object;
    give(&object->right, list(4));
    midden_release(object);
    ends();
    check(collect() == 0 && ends() == 0, "a live uncounted object keeps the ring it points at");
    check(((struct node *)holder[3])->left->label == 1, "whole");
    holder[3] = NULL;
    collected(10, "and lets it go");
}

enum { HOLDERS = 1000 };

/* As many uncounted objects that nobody holds, each points at a ring of its own. */
static NOINLINE void dead_holders(void)
{
    for (int i = 0; i < HOLDERS; i++) {
        void       **holder = midden_alloc(64);
        struct node *object = ring(2);

        holder[i % 8] = object;
        midden_release(object);
    }
}

static void held_by_dead(void)
{
    long found, ended;

    ends();
    dead_holders();
    wipe();
    found = collect();
    ended = ends();
    check(ended >= 2 * (HOLDERS - 8) && (every_count() || found >= 3 * (HOLDERS - 8)),
        "rings that only dead uncounted objects point at go: %d of %d stayed",
        (int)(HOLDERS - ended / 2), HOLDERS);
    wipe();
    collect();
    ends();
}

/* A conservative counted object in a cycle holds uncounted ones, which point back at it. */
static NOINLINE void mixed_cycles(void)
{
    for (int i = 0; i < 100; i++) {
        struct node *open = make(&open_type, 0);
        void       **uncounted = midden_alloc(32);

        midden_assign(&open->left, open);
        open->raw = uncounted;
        uncounted[1] = open;
        midden_release(open);
    }
}

static void mixed(void)
{
    long ended;

    ends();
    mixed_cycles();
    wipe();
    collect();
    collect();
    ended = ends();
    check(ended >= 92, "cycles through uncounted objects go: %ld of 100 stayed", 100 - ended);
}

static NOINLINE struct node *open_holder(void)
{
    struct node *open = make(&open_type, 0), *closed = node(0);

    open->raw = midden_alloc(64);
    *(uintptr_t *)open->raw = 4711;
    closed->raw = midden_alloc(64);
    open->label = hidden(closed->raw);
    give(&open->left, closed);
    return open;
}

static void conservative(void)
{
    uintptr_t    opens[32];
    int          whole = 0, closed = 0;

    for (int i = 0; i < 32; i++)
        opens[i] = hidden(open_holder());
    wipe();
    collect();
    collect();
    for (int i = 0; i < 32; i++) {
        struct node *open = shown(opens[i]);

        whole += in_use(hidden(open->raw)) && *(uintptr_t *)open->raw == 4711;
        closed += in_use(open->label);
    }
    check(whole == 32, "a conservative counted object keeps the uncounted it points at");
    check(closed <= 4 || every_count(), "another does not: %d of 32 stayed", closed);
    for (int i = 0; i < 32; i++)
        midden_release(shown(opens[i]));
    ends();
}

/* -- generations ------------------------------------------------------------------------------- */

static void young(int generation, long wanted, const char *text)
{
    long found, ended;

    ends();
    found = midden_collect(generation);
    ended = ends();
    if (!check(found == wanted && ended == wanted, "%s", text))
        printf("# found %ld, finalized %ld, wanted %ld\n", found, ended, wanted), fflush(stdout);
}

static void generations(void)
{
    struct node *object;

    midden_release(ring(3));
    young(0, 3, "generation 0 finds what is new");
    object = ring(3);
    midden_collect(0);
    midden_release(object);
    young(0, 0, "but not what survived one");
    young(1, 3, "generation 1 does");
    object = ring(3);
    midden_collect(1);
    midden_release(object);
    young(1, 0, "nothing that survived it");
    young(0, 0, "nor does generation 0");
    young(2, 3, "generation 2 does");
}

static void across(void)
{
    struct node *old = node(1), *new;

    midden_collect(1);
    midden_collect(1);
    new = ring(3);
    midden_assign(&old->left, new);
    midden_release(new);
    young(0, 0, "a young ring that an old object holds stays");
    check(old->left->left->left->left == old->left, "whole");
    midden_assign(&old->left, NULL);
    young(1, 3, "until it does not");
    new = node(2);
    midden_assign(&new->left, old);
    midden_assign(&old->left, new);
    midden_release(new);
    midden_release(old);
    young(0, 0, "a cycle of young and old is found by neither alone");
    young(1, 0, "not by two young generations");
    young(2, 2, "but by all");
}

/* Old garbage keeps what is young: nobody looked at the old. */
static void old_garbage(void)
{
    struct node *old = ring(2);

    midden_collect(1);
    midden_collect(1);
    give(&old->right, ring(3));
    midden_release(old);
    young(0, 0, "old garbage keeps the young it holds");
    young(2, 5, "until all is collected");
}

static void arguments(void)
{
    CHECK_ERROR(EINVAL, -1, midden_collect(-1));
    CHECK_ERROR(EINVAL, -1, midden_collect(3));
    errno = ENOTTY;
    check(collect() == 0 && errno == ENOTTY, "a collection leaves errno alone");
}

int main(void)
{
    midden_disable();
    shapes();
    knot();
    kept();
    stale();
    raw_words();
    visited();
    rooted();
    held_by_uncounted();
    held_by_dead();
    mixed();
    conservative();
    wipe();
    collect();
    if (every_count() == 0) {                /* with collections between, nothing is young */
        generations();
        across();
        old_garbage();
    }
    arguments();
    return done();
}
