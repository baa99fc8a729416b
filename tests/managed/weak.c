/* weak.c - handles that keep nothing: cleared before the finalizer, exact against the last release.
 * seconds: 120
 */
#include "check.h"

static void life(void)
{
    struct node        *object = node(5), *got;
    struct midden_weak *weak = midden_weak(object), *second = midden_weak(object);

    ends();
    check(weak && second && weak != second, "each call makes a weak handle of its own");
    check(midden_handles(object) == 1, "which is no handle");
    errno = ENOTTY;
    got = midden_weak_get(weak);
    check(got == object && midden_handles(object) == 2, "get retains the object");
    midden_weak_drop(second);
    midden_release(object);
    check(ends() == 0 && got->label == 5, "which lives by that handle");
    midden_release(got);
    check(ends() == 1 && midden_weak_get(weak) == NULL, "after the last release get is NULL");
    midden_weak_drop(weak);
    check(errno == ENOTTY, "errno was left alone");
}

static void no_objects(void)
{
    void *block = malloc(64), *uncounted = midden_alloc(64);
    int   local;

    CHECK_ERROR(EINVAL, NULL, midden_weak(NULL));
    CHECK_ERROR(EINVAL, NULL, midden_weak(block));
    CHECK_ERROR(EINVAL, NULL, midden_weak(uncounted));
    CHECK_ERROR(EINVAL, NULL, midden_weak(&local));
    check(1, "what is no counted object gets no weak handle");
    free(block);
}

enum { MANY = 1000 };

static void many(void)
{
    static struct midden_weak *weak[MANY];
    struct node               *object = node(1);
    long                       bad = 0;

    for (int i = 0; i < MANY; i++)
        weak[i] = midden_weak(object);
    for (int i = 0; i < MANY; i += 3)
        midden_weak_drop(weak[i]);
    for (int i = 0; i < MANY; i++)
        if (i % 3) {
            bad += midden_weak_get(weak[i]) != object;
            midden_release(object);
        }
    midden_release(object);
    for (int i = 0; i < MANY; i++)
        if (i % 3) {
            bad += midden_weak_get(weak[i]) != NULL;
            midden_weak_drop(weak[i]);
        }
    check(bad == 0, "a thousand weak handles of one object, a third of them dropped early");
}

/* Objects come to lie where dead ones lay. */
static void reuse(void)
{
    long count = scaled(10000), bad = 0;

    for (long i = 0; i < count; i++) {
        struct node        *object = node((size_t)i), *next;
        struct midden_weak *weak = midden_weak(object);

        midden_release(object);
        next = node((size_t)i);
        bad += midden_weak_get(weak) != NULL;
        midden_release(next);
        midden_weak_drop(weak);
    }
    check(bad == 0, "a weak handle outlives its object, whatever lies there next");
}

/* -- finalizers -------------------------------------------------------------------------------- */

static struct midden_weak *seen_weak;
static void               *seen;
static struct node        *kept;

static void look(void *object)
{
    seen = midden_weak_get(seen_weak);
    kept = midden_retain(object);
}

static void finalized(void)
{
    static const struct midden_type type = { sizeof type, NULL, 64, NULL, NULL, look, 0 };
    void                           *object = make(&type, 0), *got;
    struct midden_weak             *fresh;

    seen_weak = midden_weak(object);
    seen = object;
    midden_release(object);
    check(seen == NULL && kept == object, "it is cleared before the finalizer runs");
    check(midden_weak_get(seen_weak) == NULL, "and stays so if that keeps the object");
    fresh = midden_weak(object);
    got = midden_weak_get(fresh);
    check(got == object, "a new weak handle of it works");
    midden_release(got);
    midden_release(object);
    check(midden_weak_get(fresh) == NULL, "until it dies for good");
    midden_weak_drop(fresh);
    midden_weak_drop(seen_weak);
}

static void cycle(void)
{
    struct node        *first = ring(3);
    struct midden_weak *weak = midden_weak(first->left);
    void               *got = midden_weak_get(weak);

    wipe();
    midden_collect(MIDDEN_FULL);
    midden_release(first);
    ends();
    check(midden_collect(MIDDEN_FULL) == 0 && ends() == 0,
        "what a weak handle gave keeps its ring");
    midden_release(got);
    check(midden_collect(MIDDEN_FULL) == 3 && ends() == 3, "the weak handle itself does not");
    check(midden_weak_get(weak) == NULL, "and is cleared by the collection");
    midden_weak_drop(weak);
}

/* -- the race ---------------------------------------------------------------------------------- */

enum { BATCH = 1000, LONG_BATCHES = 1000 };

struct race {
    struct node        *object[BATCH];
    struct midden_weak *weak[BATCH];
    pthread_barrier_t   gate;
    long                batches, got, bad;
    volatile long       at[2];
};

/* Waits a little for the other thread to come to the same place. */
static void meet(struct race *race, int me, long place)
{
    race->at[me] = place;
    for (int spin = 0; spin < 60 && race->at[!me] < place; spin++)
        __asm__ volatile("" ::: "memory");
}

static void *releaser(void *arg)
{
    struct race *race = arg;

    for (long batch = 0; batch < race->batches; batch++) {
        for (long i = 0; i < BATCH; i++) {
            race->object[i] = node((size_t)i);
            race->weak[i] = midden_weak(race->object[i]);
        }
        pthread_barrier_wait(&race->gate);
        for (long i = 0; i < BATCH; i++) {
            meet(race, 0, batch * BATCH + i);
            midden_release(race->object[i]);
        }
        pthread_barrier_wait(&race->gate);
        for (long i = 0; i < BATCH; i++)
            midden_weak_drop(race->weak[i]);
    }
    return NULL;
}

static void *getter(void *arg)
{
    struct race *race = arg;

    for (long batch = 0; batch < race->batches; batch++) {
        pthread_barrier_wait(&race->gate);
        for (long i = 0; i < BATCH; i++) {
            struct node *object;

            meet(race, 1, batch * BATCH + i);
            object = midden_weak_get(race->weak[i]);
            race->got += object != NULL;
            race->bad += object && object->label != (size_t)i;
            midden_release(object);
        }
        pthread_barrier_wait(&race->gate);
    }
    return NULL;
}

static void race(void)
{
    struct race race = { .batches = every_count() ? 3 : LONG_BATCHES };
    pthread_t   thread[2];
    long        tries = race.batches * BATCH;

    ends();
    pthread_barrier_init(&race.gate, NULL, 2);
    thread[0] = start(releaser, &race);
    thread[1] = start(getter, &race);
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    check(race.bad == 0, "get against the last release gives the object or NULL");
    check(ends() == tries, "and each dies once: %ld of %ld were got first", race.got, tries);
}

/* The same, and other threads take weak handles of a ring that a collection is about to clear. */
static void *get_often(void *arg)
{
    struct midden_weak *volatile *weak = arg;

    while (!weak[1])
        midden_release(midden_weak_get(weak[0]));
    return NULL;
}

static void race_with_collection(void)
{
    long rounds = every_count() ? 20 : 100, bad = 0;

    for (long i = 0; i < rounds; i++) {
        struct node                 *first = ring(3);
        struct midden_weak *volatile weak[2] = { midden_weak(first), NULL };
        pthread_t                    thread = start(get_often, (void *)weak);
        int                          tries = 0;
        uintptr_t                    word = hidden(first);

        ends();
        midden_release(first);
        while (in_use(word) && tries++ < 100)
            midden_collect(i % 2 ? MIDDEN_FULL : 0);
        weak[1] = (void *)1;
        pthread_join(thread, NULL);
        midden_collect(MIDDEN_FULL);
        bad += midden_weak_get(weak[0]) != NULL || ends() != 3;
        midden_weak_drop(weak[0]);
    }
    check(bad == 0, "get against a collection: a ring is kept whole or goes whole");
}

int main(void)
{
    life();
    no_objects();
    many();
    reuse();
    finalized();
    cycle();
    race();
    race_with_collection();
    return done();
}
