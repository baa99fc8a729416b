/* watch.c - collections and objects seen from outside: callbacks, statistics, visits, garbage,
 *      frozen objects.
 * seconds: 60
 * stderr: any
 */
#include "check.h"

/* -- callbacks --------------------------------------------------------------------------------- */

struct seen {
    int    starts, stops, generation, order, size_good;
    size_t collected, at_start;
    char   reason[64];
    long   inside;
    uint64_t pause_ns, duration_ns;
};

static int sequence;

static void watch(enum midden_phase phase, const struct midden_collection *at, void *arg)
{
    struct seen *seen = arg;

    seen->order = ++sequence;
    seen->generation = at->generation;
    seen->size_good = at->size == sizeof *at;
    snprintf(seen->reason, sizeof seen->reason, "%s", at->reason);
    if (phase == MIDDEN_START) {
        seen->starts++;
        seen->at_start += at->collected + at->uncollectable + at->pause_ns + at->duration_ns;
    } else {
        seen->stops++;
        seen->collected += at->collected;
        seen->pause_ns = at->pause_ns;
        seen->duration_ns = at->duration_ns;
    }
    free(malloc(100));
    midden_release(midden_new(&node_type, 0));
    seen->inside += midden_collect(MIDDEN_FULL);
}

static void callbacks(void)
{
    static struct seen first, second;

    CHECK_ERROR(EINVAL, -1, midden_callbacks_add(NULL, NULL));
    CHECK_ERROR(ENOENT, -1, midden_callbacks_remove(watch, &first));
    check(midden_callbacks_add(watch, &first) == 0 && midden_callbacks_add(watch, &second) == 0,
        "two callbacks are added");
    CHECK_ERROR(EEXIST, -1, midden_callbacks_add(watch, &first));
    midden_release(ring(12));
    check_alone(midden_collect(1) == 12, "a collection of generation 1");
    check_alone(first.starts == 1 && first.stops == 1 && second.starts == 1 && second.stops == 1,
        "calls them before and after");
    check(first.order == sequence - 1 && second.order == sequence,
        "in the order they were added in");
    check_alone(sequence == 4, "and no more often");
    check_alone(first.generation == 1 && first.collected == 12 && first.at_start == 0 &&
                    first.size_good,
        "with the generation and what was collected");
    check(!strcmp(first.reason, "collect"), "the reason is \"collect\": \"%s\"", first.reason);
    check(first.pause_ns > 0 && first.pause_ns <= first.duration_ns,
        "it took %lu ns, the world stood for %lu", (unsigned long)first.duration_ns,
        (unsigned long)first.pause_ns);
    check(first.inside == 0 && second.inside == 0, "a collection inside a callback is 0");
    midden_enable();
    midden_release(list(2000));
    midden_disable();
    check_alone(first.starts > 1 && !strncmp(first.reason, "objects", 7),
        "of an automatic one it is the trigger: \"%s\"", first.reason);
    check(midden_callbacks_remove(watch, &first) == 0, "one is removed");
    first.starts = second.starts = 0;
    midden_collect(0);
    check(first.starts == 0 && second.starts == 1, "and called no more");
    midden_callbacks_remove(watch, &second);
}

static void remove_itself(enum midden_phase phase, const struct midden_collection *at, void *arg)
{
    ++*(int *)arg;
    midden_callbacks_remove(remove_itself, arg);
}

static void removal_inside(void)
{
    static int calls;

    midden_callbacks_add(remove_itself, &calls);
    midden_collect(0);
    midden_collect(0);
    check(calls == 1, "a callback may remove itself: called %d times", calls);
    CHECK_ERROR(ENOENT, -1, midden_callbacks_remove(remove_itself, &calls));
}

/* -- statistics -------------------------------------------------------------------------------- */

static void statistics(void)
{
    struct midden_gc_stats before = { .size = sizeof before }, after = { .size = sizeof after };
    struct midden_gc_stats wrong = { .size = 3 };

    for (int generation = 0; generation < 3; generation++) {
        midden_collect(generation);
        midden_get_stats(generation, &before);
        midden_release(ring(9));
        midden_collect(generation);
        midden_get_stats(generation, &after);
        check_alone(after.collections == before.collections + 1 &&
                        after.collected == before.collected + 9,
            "a collection of generation %d and what it collected are counted", generation);
        check_alone(after.collected_bytes >= before.collected_bytes + 9 * sizeof(struct node) &&
                        after.uncollectable == before.uncollectable,
            "and how many bytes that were");
        check(after.pause_last_ns > 0 && after.pause_last_ns <= after.pause_max_ns &&
                  after.pause_sum_ns >= before.pause_sum_ns + after.pause_last_ns,
            "it stood for %lu us", (unsigned long)after.pause_last_ns / 1000);
    }
    CHECK_ERROR(EINVAL, -1, midden_get_stats(3, &after));
    CHECK_ERROR(EINVAL, -1, midden_get_stats(-1, &after));
    CHECK_ERROR(EINVAL, -1, midden_get_stats(0, NULL));
    CHECK_ERROR(EINVAL, -1, midden_get_stats(0, &wrong));
}

/* -- all objects ------------------------------------------------------------------------------- */

struct tally {
    long          visits, labelled, most;
    void         *wanted, *retain;
};

static int count_object(void *object, void *arg)
{
    struct tally *tally = arg;

    tally->visits++;
    tally->labelled += object == tally->wanted;
    if (object == tally->retain)
        midden_retain(object);
    return tally->visits == tally->most;
}

static long visits_of(int generation, void *wanted)
{
    struct tally tally = { .wanted = wanted };
    long         visits = midden_get_objects(generation, count_object, &tally);

    return visits == tally.visits ? tally.labelled : -1;
}

static void objects(void)
{
    struct node   *object = node(1);
    void *volatile uncounted = midden_alloc(50), *volatile leaf = midden_alloc_leaf(50);
    struct tally   tally = { .most = 3 };
    long           all;

    check_alone(visits_of(0, object) == 1 && visits_of(1, object) == 0 && visits_of(2, object) == 0,
        "a new object is visited in generation 0");
    midden_collect(0);
    check_alone(visits_of(0, object) == 0 && visits_of(1, object) == 1 && visits_of(2, object) == 0,
        "then in generation 1");
    midden_collect(1);
    check(visits_of(0, object) == 0 && visits_of(1, object) == 0 && visits_of(2, object) == 1,
        "then in generation 2");
    check(visits_of(-1, object) == 1 && visits_of(-1, uncounted) == 1 && visits_of(-1, leaf) == 1,
        "of all generations it is visited, and so are uncounted ones");
    check(midden_get_objects(-1, count_object, &tally) == 3 && tally.visits == 3,
        "the visitor ends the visits");
    tally = (struct tally){ .retain = object };
    all = midden_get_objects(-1, count_object, &tally);
    check(all == tally.visits && midden_handles(object) == 2, "and may retain: %ld visits", all);
    midden_release(object);
    midden_release(object);
    CHECK_ERROR(EINVAL, -1, midden_get_objects(-2, count_object, &tally));
    CHECK_ERROR(EINVAL, -1, midden_get_objects(3, count_object, &tally));
    CHECK_ERROR(EINVAL, -1, midden_get_objects(-1, NULL, NULL));
}

/* -- who refers -------------------------------------------------------------------------------- */

struct search {
    enum midden_holder kind;
    const void        *holder, *field;
    void              *object;
    long               found, visits;
};

static int look(const struct midden_reference *at, void *arg)
{
    struct search *search = arg;

    search->visits++;
    search->found += at->kind == search->kind && at->object == search->object &&
                     (!search->holder || at->holder == search->holder) &&
                     (!search->field || at->field == search->field);
    return 0;
}

static void referred(enum midden_holder kind, const void *holder, const void *field, void *object,
                     const char *what)
{
    struct search search = { kind, holder, field, object, 0, 0 };
    long          visits = midden_get_referrers(&object, 1, look, &search);

    check(search.found == 1 && visits == search.visits, "%s is found as a referrer: %ld of %ld",
        what, search.found, visits);
}

static void *in_static[2];

static void referrers(void)
{
    struct node          *target = node(1), *owner = node(2);
    void **volatile       uncounted = midden_alloc(64), **volatile block = malloc(64);
    struct midden_arena  *arena = midden_arena_create("referrers");
    void                **in_arena = midden_arena_alloc(arena, 64), **root = table(4096);
    void                **mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *volatile        local[3] = { NULL, target, NULL };

    midden_root_add(root, 4096);
    midden_assign(&owner->right, target);
    uncounted[3] = target;
    block[2] = target;
    in_arena[1] = target;
    root[9] = target;
    mapping[5] = target;
    in_static[1] = target;
    referred(MIDDEN_HOLDER_OBJECT, owner, &owner->right, target, "a counted object");
    referred(MIDDEN_HOLDER_OBJECT, (void *)uncounted, (void *)(uncounted + 3), target,
        "an uncounted object");
    referred(MIDDEN_HOLDER_BLOCK, (void *)block, (void *)(block + 2), target, "a malloc block");
    referred(MIDDEN_HOLDER_ARENA, in_arena, in_arena + 1, target, "a block of an arena");
    referred(MIDDEN_HOLDER_ROOT, root, root + 9, target, "a registered root");
    referred(MIDDEN_HOLDER_STACK, NULL, (void *)&local[1], target, "a stack");
    referred(MIDDEN_HOLDER_STATIC, NULL, &in_static[1], target, "static data");
    referred(MIDDEN_HOLDER_MAPPING, NULL, mapping + 5, target, "another mapping");
    in_static[1] = NULL;
    midden_root_remove(root);
    munmap(root, 4096);
    munmap(mapping, 4096);
    midden_arena_destroy(arena);
    free((void *)block);
    uncounted[3] = NULL;
    midden_release(owner);
    midden_release(target);
}

static void referrer_errors(void)
{
    void         *object = node(1), *block = malloc(10);
    struct search search = { 0 };

    CHECK_ERROR(EINVAL, -1, midden_get_referrers(NULL, 1, look, &search));
    CHECK_ERROR(EINVAL, -1, midden_get_referrers(&object, 1, NULL, &search));
    CHECK_ERROR(EINVAL, -1, midden_get_referrers(&block, 1, look, &search));
    CHECK_ERROR(0, 0, midden_get_referrers(NULL, 0, look, &search));
    CHECK_ERROR(EINVAL, -1, midden_get_referents(NULL, 1, count_object, &search));
    CHECK_ERROR(EINVAL, -1, midden_get_referents(&object, 1, NULL, &search));
    CHECK_ERROR(EINVAL, -1, midden_get_referents(&block, 1, count_object, &search));
    midden_release(object);
    free(block);
}

struct bag {
    size_t count;
    void  *item[4];
};

static void bag_visit(void *object, midden_visitor *visitor, void *arg)
{
    struct bag *bag = object;

    for (size_t i = 0; i < bag->count; i++)
        visitor(&bag->item[i], arg);
}

static const struct midden_type bag_type = { sizeof bag_type, "bag", sizeof(struct bag), NULL,
                                             bag_visit, NULL, 0 };

static void referents(void)
{
    struct node    *owner = node(1), *open = midden_new(&open_type, 0), *target = node(2);
    struct bag     *bag = midden_new(&bag_type, 0);
    void **volatile uncounted = midden_alloc(64);
    struct tally    tally = { .wanted = target };
    void           *pair[2] = { owner, bag };

    midden_assign(&owner->left, target);
    owner->raw = (void *)uncounted;
    check(midden_get_referents((void **)&owner, 1, count_object, &tally) == 1 &&
              tally.labelled == 1,
        "what an owned field holds is a referent");
    bag->count = 4;
    midden_assign(&bag->item[3], target);
    tally = (struct tally){ .wanted = target };
    check(midden_get_referents(pair, 2, count_object, &tally) == 2 && tally.labelled == 2,
        "and what visit tells");
    open->raw = (char *)uncounted + 5;
    tally = (struct tally){ .wanted = (void *)uncounted };
    midden_get_referents((void **)&open, 1, count_object, &tally);
    check(tally.labelled == 1, "and what a conservative object's words point into");
    uncounted[7] = target;
    tally = (struct tally){ .wanted = target };
    midden_get_referents((void *const *)&uncounted, 1, count_object, &tally);
    check(tally.labelled == 1, "and an uncounted one's");
    uncounted[7] = NULL;
    midden_release(open);
    midden_release(bag);
    midden_release(owner);
    midden_release(target);
}

/* -- garbage ----------------------------------------------------------------------------------- */

static void saved(void)
{
    struct midden_gc_stats before = { .size = sizeof before }, after = { .size = sizeof after };
    struct tally           tally = { 0 };
    long                   found;

    midden_collect(MIDDEN_FULL);
    ends();
    CHECK_ERROR(EINVAL, -1, midden_set_debug(8));
    CHECK_ERROR(EINVAL, -1, midden_set_debug(64 + 32));
    CHECK_ERROR(0, 0, midden_set_debug(MIDDEN_DEBUG_SAVEALL));
    check(midden_get_debug() == MIDDEN_DEBUG_SAVEALL, "SAVEALL is set");
    midden_get_stats(2, &before);
    midden_release(ring(6));
    found = midden_collect(MIDDEN_FULL);
    midden_get_stats(2, &after);
    check(found >= 6 && midden_garbage(count_object, &tally) >= 6 && tally.visits >= 6,
        "what is unreachable goes to the garbage: %ld, visits %ld", found, tally.visits);
    check(after.uncollectable >= before.uncollectable + 6, "and is counted as uncollectable");
    check(midden_collect(MIDDEN_FULL) == 0, "the garbage keeps it");
    midden_set_debug(0);
    check(midden_collect(MIDDEN_FULL) == 0, "also without SAVEALL");
    check(midden_garbage_clear() == tally.visits, "until it is cleared");
    ends();
    found = midden_collect(MIDDEN_FULL);
    check(found >= 6 && ends() <= 6, "then it goes: %ld", found);
    tally.visits = 0;
    check(midden_garbage(count_object, &tally) == 0 && tally.visits == 0 &&
              midden_garbage_clear() == 0, "and the garbage is empty");
    CHECK_ERROR(EINVAL, -1, midden_garbage(NULL, NULL));
}

/* DEBUG_STATS says a line per collection, DEBUG_COLLECTABLE one per object. */
static void debug_lines(void)
{
    char    text[65536];
    int     way[2], saved_error = dup(2);
    ssize_t bytes;
    long    lines = 0;

    if (pipe(way) != 0)
        return;
    fcntl(way[1], F_SETFL, O_NONBLOCK);
    dup2(way[1], 2);
    midden_set_debug(MIDDEN_DEBUG_STATS | MIDDEN_DEBUG_COLLECTABLE);
    midden_release(ring(5));
    midden_collect(0);
    midden_set_debug(0);
    midden_collect(0);
    dup2(saved_error, 2);
    close(way[1]);
    bytes = read(way[0], text, sizeof text - 1);
    text[bytes > 0 ? bytes : 0] = 0;
    for (char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    check_alone(lines >= 6 && lines <= 7 && strstr(text, "node"),
        "a line per collection and one per object freed: %ld", lines);
    check(!strncmp(text, "midden: ", 8), "they begin as all lines do");
    ends();
}

/* -- frozen objects ---------------------------------------------------------------------------- */

static void frozen(void)
{
    struct node *old, *young;
    uintptr_t    word;
    size_t       count;

    midden_collect(MIDDEN_FULL);
    ends();
    check(midden_get_freeze_count() == 0, "nothing is frozen at start");
    old = ring(8);
    word = hidden(old);
    check(midden_freeze() == 0, "all there is is frozen");
    count = midden_get_freeze_count();
    check(count >= 8, "%zu objects", count);
    check(visits_of(0, old) == 0 && visits_of(2, old) == 0 && visits_of(-1, old) == 1,
        "they are in no generation, but among all");
    check(midden_is_tracked(old), "and tracked");
    give(&old->right, young = ring(3));
    midden_release(old);
    check(midden_collect(MIDDEN_FULL) == 0 && ends() == 0 && in_use(word),
        "no collection frees them, or what they hold");
    old = node(0);
    midden_freeze();
    midden_release(old);
    check(ends() == 1, "a frozen object dies at count zero");
    check(midden_unfreeze() == 0 && midden_get_freeze_count() == 0, "they are unfrozen");
    check(midden_collect(0) == 0 && midden_collect(1) == 0, "into the oldest generation");
    check(midden_collect(MIDDEN_FULL) >= 11 && ends() == 11, "where garbage is found");
}

/* A frozen uncounted object that nothing points at, and one made later that only it points at. */
static NOINLINE uintptr_t hang_on_frozen(uintptr_t frozen_word)
{
    void **first = shown(frozen_word), **second = midden_alloc(32);

    first[1] = second;
    return hidden(second);
}

static NOINLINE uintptr_t lone(void)
{
    return hidden(midden_alloc(32));
}

static void frozen_uncounted(void)
{
    uintptr_t first = lone(), second;

    wipe();
    midden_freeze();
    second = hang_on_frozen(first);
    wipe();
    midden_collect(MIDDEN_FULL);
    check(in_use(first) && in_use(second),
        "a frozen uncounted object lives, with what it points at");
    midden_unfreeze();
    wipe();
    midden_collect(MIDDEN_FULL);
    check(!in_use(first) && !in_use(second), "unfrozen, both go");
}

int main(void)
{
    midden_disable();
    callbacks();
    removal_inside();
    statistics();
    objects();
    referrers();
    referrer_errors();
    referents();
    saved();
    debug_lines();
    frozen();
    frozen_uncounted();
    return done();
}
