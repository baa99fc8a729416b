/* finalizers.c - the end of a cycle, in the order of PEP 442: weak handles, then finalizers, then
 *      memory; what a finalizer keeps lives, and what that owns.
 * seconds: 120
 */
#include "check.h"

enum { MEMBERS = 50 };

struct member {
    struct member *next, *other;             /* owned */
    size_t         label, finalized;
};

static struct midden_weak *weak_of[MEMBERS];
static size_t              calls, found_whole, weak_dead, in_order;
static void              (*action)(struct member *self);
static pthread_t           finalizing_thread;

static void finalize(void *object)
{
    struct member *self = object;

    calls++;
    self->finalized++;
    finalizing_thread = pthread_self();
    if (action)
        action(self);
}

static const struct midden_type member_type = { sizeof member_type, "member", sizeof(struct member),
                                                node_owned, NULL, finalize, 0 };

/* A ring whose members are labelled 1, 2, 3, ... */
static struct member *member_ring(size_t count)
{
    struct member *first = make(&member_type, 0), *last = first;

    first->label = 1;
    for (size_t i = 2; i <= count; i++) {
        struct member *next = make(&member_type, 0);

        next->label = i;
        give(&last->next, next);
        last = next;
    }
    midden_assign(&last->next, first);
    return first;
}

static long collect(void (*how)(struct member *))
{
    long found;

    action = how;
    calls = found_whole = weak_dead = in_order = 0;
    found = midden_collect(MIDDEN_FULL);
    action = NULL;
    return found;
}

/* -- the order --------------------------------------------------------------------------------- */

static void look_around(struct member *self)
{
    struct member *at = self;
    size_t         sum = 0;

    for (int i = 0; i < MEMBERS; i++, at = at->next)
        sum += at->label + 1000 * (at->finalized <= 1) + 100000 * (midden_handles(at) >= 1);
    found_whole += at == self && sum == MEMBERS * (MEMBERS + 1) / 2 + 101000 * MEMBERS;
    for (int i = 0; i < MEMBERS; i++)
        weak_dead += midden_weak_get(weak_of[i]) == NULL;
}

static void order(void)
{
    struct member *first = member_ring(MEMBERS), *at = first;
    uintptr_t      word[MEMBERS];
    long           found, used = 0;

    for (int i = 0; i < MEMBERS; i++, at = at->next) {
        weak_of[i] = midden_weak(at);
        word[i] = hidden(at);
    }
    midden_release(first);
    found = collect(look_around);
    check(found == MEMBERS && calls == MEMBERS, "each member of a ring is finalized, once");
    check(weak_dead == (size_t)MEMBERS * MEMBERS,
        "every weak handle is cleared before the first finalizer runs");
    check(found_whole == MEMBERS, "no member's memory goes before the last finalizer ran");
    for (int i = 0; i < MEMBERS; i++) {
        used += in_use(word[i]);
        midden_weak_drop(weak_of[i]);
    }
    check(used == 0, "then all of it goes");
    check(pthread_equal(finalizing_thread, pthread_self()),
        "the collecting thread runs the finalizers");
}

/* -- resurrection ------------------------------------------------------------------------------ */

static struct member *kept;

static void keep_third(struct member *self)
{
    if (self->label == 3)
        kept = midden_retain(self);
}

static void whole_ring_kept(void)
{
    struct midden_weak *weak;
    struct member      *first = member_ring(5);
    size_t              labels = 0;
    void               *got;

    kept = NULL;
    weak = midden_weak(first);
    midden_release(first);
    collect(keep_third);
    check(calls == 5 && kept != NULL, "all are finalized, one keeps itself");
    for (int i = 0; i < 5; i++, kept = kept->next)
        labels = labels * 10 + kept->label + 100000 * !midden_is_finalized(kept);
    check(labels == 34512, "what it owns, the whole ring, lives and is finalized");
    check(midden_handles(kept) == 2 && midden_handles(kept->next) == 1, "with counts as they were");
    got = midden_weak_get(weak);
    check(got == NULL, "a weak handle that was cleared stays so");
    midden_weak_drop(weak);
    check(collect(NULL) == 0 && calls == 0, "it stays while it has its handle");
    midden_release(kept);
    check(collect(keep_third) == 5 && calls == 0, "and goes later without finalizers");
}

static void keep_tail(struct member *self)
{
    if (self->label == 99)
        kept = midden_retain(self);
}

static void tail_kept(void)
{
    struct member *first = member_ring(3), *tail = make(&member_type, 0), *end;
    uintptr_t      word[2] = { hidden(first), hidden(first->next) };

    end = make(&member_type, 0);
    tail->label = 99;
    end->label = 100;
    give(&tail->next, end);
    give(&first->other, tail);
    kept = NULL;
    midden_release(first);
    collect(keep_tail);
    check(calls == 5, "a ring and its tail are finalized");
    check(kept == tail && midden_handles(kept) == 1 && kept->next == end &&
              midden_handles(end) == 1, "the tail that keeps itself lives with what it owns");
    check(!in_use(word[0]) && !in_use(word[1]), "the rest goes");
    action = NULL;
    calls = 0;
    end = midden_retain(kept->next);
    midden_release(kept);
    check(calls == 0 && midden_handles(end) == 1, "its later death is without finalizer");
    check(midden_is_finalized(end) == 1, "what it owned has been finalized as well");
    midden_release(end);
    check(calls == 0, "and goes without one, too");
}

static struct member *others[MEMBERS];

static void keep_everything(struct member *self)
{
    others[self->label - 1] = midden_retain(self);
}

static void all_kept(void)
{
    long bad = 0;

    midden_release(member_ring(MEMBERS));
    collect(keep_everything);
    check(calls == MEMBERS, "all are finalized, all keep themselves");
    for (int i = 0; i < MEMBERS; i++)
        bad += midden_handles(others[i]) != 2 || others[i]->label != (size_t)i + 1;
    check(bad == 0, "all live");
    for (int i = 0; i < MEMBERS; i++)
        midden_release(others[i]);
    check(collect(keep_everything) == MEMBERS && calls == 0, "until the second time");
}

/* -- what a finalizer may do ------------------------------------------------------------------- */

static long made_inside, collected_inside;

static void make_and_collect(struct member *self)
{
    ends();
    for (int i = 0; i < 100; i++)
        midden_release(midden_new(&node_type, 64));
    midden_release(ring(5));
    made_inside += ends() == 100;
    collected_inside += midden_collect(MIDDEN_FULL);
    collected_inside += midden_collect(0);
}

static void births(void)
{
    made_inside = collected_inside = 0;
    midden_release(member_ring(MEMBERS));
    check(collect(make_and_collect) == MEMBERS && calls == MEMBERS && made_inside == MEMBERS,
        "finalizers of a ring make objects and let them go");
    check(collected_inside == 0, "a collection inside a finalizer is 0 and does nothing");
    ends();
    check(midden_collect(MIDDEN_FULL) == 5 * MEMBERS && ends() == 5 * MEMBERS,
        "what they left is found by the next one");
}

static void break_up(struct member *self)
{
    midden_assign(&self->next, NULL);
    midden_assign(&self->other, NULL);
}

static void breaking(void)
{
    midden_release(member_ring(MEMBERS));
    collect(break_up);
    check(calls == MEMBERS, "finalizers that take the ring apart run once each");
    check(midden_collect(MIDDEN_FULL) == 0 && calls == MEMBERS, "and leave nothing");
}

static void insert_new(struct member *self)
{
    struct member *fresh;

    if (self->label == 1000)
        return;
    fresh = midden_new(&member_type, 0);
    fresh->label = 1000;
    give(&self->other, fresh);
}

static void growing(void)
{
    long total;

    midden_release(member_ring(MEMBERS));
    collect(insert_new);
    total = (long)calls;
    action = NULL;
    midden_collect(MIDDEN_FULL);
    check(total >= MEMBERS && calls == 2 * MEMBERS,
        "objects put into a dying ring by its finalizers die with it, finalized: %ld of %d",
        (long)calls - MEMBERS, MEMBERS);
}

static struct midden_weak *late_weak[MEMBERS];

static void weak_inside(struct member *self)
{
    late_weak[self->label - 1] = midden_weak(self);
}

static void weak_made_late(void)
{
    long alive = 0;

    memset(late_weak, 0, sizeof late_weak);
    midden_release(member_ring(MEMBERS));
    collect(weak_inside);
    for (int i = 0; i < MEMBERS; i++) {
        void *got = midden_weak_get(late_weak[i]);

        alive += got != NULL;
        midden_release(got);
        midden_weak_drop(late_weak[i]);
    }
    check(calls == MEMBERS && alive == 0,
        "a weak handle a finalizer makes is cleared with the object");
}

static void weak_at_zero(void)
{
    struct member *single = make(&member_type, 0);
    void          *got;

    single->label = 1;
    action = weak_inside;
    late_weak[0] = NULL;
    midden_release(single);
    action = NULL;
    got = midden_weak_get(late_weak[0]);
    check(got == NULL, "also at count zero");
    midden_weak_drop(late_weak[0]);
}

static struct member *adopted;

static void hand_over(struct member *self)
{
    if (self->label == 2)
        midden_assign(&adopted->other, self);
}

/* A live object gets a handle of one in the ring: another way to keep it. */
static void handed_over(void)
{
    adopted = make(&member_type, 0);
    midden_release(member_ring(4));
    collect(hand_over);
    check(calls == 4 && adopted->other && midden_handles(adopted->other) == 2,
        "a member handed to a live object lives");
    midden_assign(&adopted->other, NULL);
    check(collect(NULL) == 4 && calls == 0, "and goes with its ring when that lets go");
    midden_release(adopted);
}

/* -- young generations ------------------------------------------------------------------------- */

static void young(void)
{
    long           found;
    struct member *first;

    kept = NULL;
    midden_release(member_ring(7));
    action = keep_third;
    calls = 0;
    found = midden_collect(0);
    check(calls == 7 && kept != NULL && found <= 7, "generation 0 keeps the same order");
    first = kept;
    midden_release(first);
    check(midden_collect(MIDDEN_FULL) == 7 && calls == 7, "for what it kept, too");
    action = NULL;
}

static void no_finalizers(void)
{
    struct node *first = make(&plain_type, 0);
    static const struct midden_type quiet = { sizeof quiet, NULL, sizeof(struct node), node_owned,
                                              NULL, NULL, 0 };
    struct midden_weak *weak;
    struct node        *ring_of = make(&quiet, 0);
    void               *got;

    midden_assign(&ring_of->left, ring_of);
    give(&ring_of->right, first);
    weak = midden_weak(first);
    midden_release(ring_of);
    check(midden_collect(MIDDEN_FULL) == 2, "cycles without finalizers go");
    got = midden_weak_get(weak);
    check(got == NULL, "their weak handles are cleared");
    midden_weak_drop(weak);
}

int main(void)
{
    midden_disable();
    order();
    whole_ring_kept();
    tail_kept();
    all_kept();
    births();
    breaking();
    growing();
    weak_made_late();
    weak_at_zero();
    handed_over();
    if (every_count() == 0)                  /* with collections between, nothing is young */
        young();
    no_finalizers();
    return done();
}
