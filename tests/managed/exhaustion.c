/* exhaustion.c - malloc that would fail succeeds after a collection, if the policy says so.
 * seconds: 60
 */
#include "check.h"

enum { PIECE = 64 * 1024, MIB = 1 << 20 };

static const size_t room = (size_t)1 << 30;      /* RLIMIT_AS */

/* So many MiB that nobody holds. */
static NOINLINE long waste(long mib)
{
    long made = 0;

    for (long i = 0; i < mib * (MIB / PIECE); i++) {
        char *object = midden_alloc_leaf(PIECE);

        if (object)
            memset(object, 1, PIECE), made++;
    }
    return made / (MIB / PIECE);
}

/* Blocks of a MiB, kept, until malloc fails or there are so many. */
static NOINLINE long take(long most)
{
    void **volatile first = NULL;
    long            count = 0;

    for (void **block; count < most && (block = malloc(MIB)) != NULL; count++) {
        memset(block, 1, MIB);
        block[0] = first;
        first = block;
    }
    while (first) {
        void **next = first[0];

        free(first);
        first = next;
    }
    return count;
}

/* -- in the limited process -------------------------------------------------------------------- */

static int with_policy(const char *policy)
{
    long garbage, blocks;
    int  unfinished;

    midden_policy_set(policy);
    midden_release(ring(100));
    garbage = waste(600);
    wipe();
    blocks = take(800);
    unfinished = ends() == 0;
    printf("# policy \"%s\": %ld MiB of garbage, then %ld by malloc\n", policy, garbage, blocks);
    fflush(stdout);
    return (garbage == 600) | (blocks >= 700) << 1 | unfinished << 2;
}

static const struct midden_type owner_type = { sizeof owner_type, "owner", sizeof(struct node),
                                               node_owned, NULL, NULL, 0 };

static struct node *owner(struct node *owned)    /* takes over the handle */
{
    struct node *made = (struct node *)make(&owner_type, 0);

    give(&made->right, owned);
    return made;
}

/* Garbage without a finalizer has the last handle of an object with one, or of another that owns
 * one; the first three are frozen. */
enum { OWNED = 5 };

static NOINLINE void drop_owners(void)
{
    struct node *owned[OWNED] = { node(1), owner(node(2)), owner(owner(node(3))) };

    midden_freeze();
    owned[3] = node(4);
    owned[4] = owner(owner(node(5)));
    for (int i = 0; i < OWNED; i++) {
        struct node *circle = owner(owned[i]);

        midden_assign(&circle->left, circle);
        midden_release(circle);
    }
}

/* A list as long as that is not looked through owner by owner. */
static NOINLINE void drop_long_list(void)
{
    struct node *last = node(6), *at = last;

    for (int i = 0; i < 1000; i++)
        at = owner(at);
    midden_assign(&last->left, at);
    midden_release(at);
}

static int with_owners(void)
{
    int      unfinished;
    uint64_t before;

    midden_policy_set("exhaustion");
    drop_owners();
    drop_long_list();
    waste(600);
    wipe();
    before = collections(2);
    take(800);
    unfinished = ends() == 0;
    if (collections(2) == before)
        return 2;
    midden_collect(MIDDEN_FULL);
    return unfinished && ends() == OWNED + 1;
}

/* Managed allocation itself: far more in all than there is room. */
static int in_all(void)
{
    midden_policy_set("exhaustion");
    long mib = every_count() ? 1500 : 4000;

    return waste(mib) == mib;
}

/* When nothing is garbage the answer is NULL, ENOMEM, and it does not take for ever. */
static int truly_full(void)
{
    void **volatile first = NULL, **object;
    double          begin;
    long            count = 0;
    int             good;

    midden_policy_set("exhaustion");
    while ((object = midden_alloc(MIB)) != NULL) {
        object[0] = first;
        first = object;
        count++;
    }
    good = errno == ENOMEM && count > 100;
    begin = now_ms();
    for (int i = 0; i < 20; i++)
        good &= malloc((size_t)64 * MIB) == NULL && errno == ENOMEM;
    printf("# full at %ld MiB; 20 refusals in %.0f ms\n", count, now_ms() - begin);
    fflush(stdout);
    for (object = first; object; object = object[0])
        count--;
    return good && count == 0 && now_ms() - begin < 10000;
}

static int limited(const char *what)
{
    if (!strcmp(what, "exhaustion"))
        return with_policy("exhaustion");
    if (!strcmp(what, "nothing"))
        return with_policy("");
    if (!strcmp(what, "owners"))
        return with_owners();
    if (!strcmp(what, "in-all"))
        return in_all();
    return truly_full();
}

static int status_of(const char *what)
{
    int status = again(what, RLIMIT_AS, room);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
    int with, without;

    if (argc > 1)
        return limited(argv[1]);
    with = status_of("exhaustion");
    without = status_of("nothing");
    check(with != -1 && (with & 3) == 3, "malloc succeeds after a collection: %d", with);
    check_alone(with != -1 && (with & 4), "which runs no finalizer inside malloc");
    check_alone(status_of("owners") == 1, "nor that of an object that garbage owns, frozen or not");
    check_alone(without != -1 && (without & 3) == 1, "without the policy it fails: %d", without);
    check(status_of("in-all") == 1, "4000 MiB of garbage fit into a limit of 1 GiB");
    check(status_of("full") == 1, "a heap full of what is reachable says ENOMEM");
    return done();
}
