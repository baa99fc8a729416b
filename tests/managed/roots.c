/* roots.c - registered roots: the rules of adding and removing, and many of them at once.
 * seconds: 120
 */
#include "check.h"

static void rules(void)
{
    char *page = table(8192);

    CHECK_ERROR(EINVAL, -1, midden_root_add(NULL, 8));
    CHECK_ERROR(EINVAL, -1, midden_root_add(page + 4, 8));
    CHECK_ERROR(EINVAL, -1, midden_root_add(page, 0));
    CHECK_ERROR(EINVAL, -1, midden_root_add(page, SIZE_MAX));
    CHECK_ERROR(EINVAL, -1, midden_root_add(page, SIZE_MAX - (uintptr_t)page + 1));
    CHECK_ERROR(0, 0, midden_root_add(page + 1024, 1024));
    CHECK_ERROR(EEXIST, -1, midden_root_add(page + 1024, 1024));
    CHECK_ERROR(EEXIST, -1, midden_root_add(page + 1536, 8));
    CHECK_ERROR(EEXIST, -1, midden_root_add(page, 1032));
    CHECK_ERROR(EEXIST, -1, midden_root_add(page + 2040, 1024));
    CHECK_ERROR(EEXIST, -1, midden_root_add(page, 8192));
    CHECK_ERROR(0, 0, midden_root_add(page, 1024));
    CHECK_ERROR(0, 0, midden_root_add(page + 2048, 8));
    CHECK_ERROR(ENOENT, -1, midden_root_remove(page + 8));
    CHECK_ERROR(ENOENT, -1, midden_root_remove(NULL));
    CHECK_ERROR(ENOENT, -1, midden_root_remove(page + 4096));
    CHECK_ERROR(0, 0, midden_root_remove(page + 1024));
    CHECK_ERROR(ENOENT, -1, midden_root_remove(page + 1024));
    CHECK_ERROR(0, 0, midden_root_remove(page));
    CHECK_ERROR(0, 0, midden_root_remove(page + 2048));
    CHECK_ERROR(0, 0, midden_root_add(page, 8192));
    CHECK_ERROR(0, 0, midden_root_remove(page));
    check(1, "the rules of adding and removing roots were tried");
    munmap(page, 8192);
}

/* A length that is no multiple of a word: the words that lie in it whole count. */
static void odd_length(void)
{
    void **page = table(4096);
    struct node *object;

    check(midden_root_add(page, 20) == 0, "a root of 20 bytes");
    page[1] = object = ring(2);
    midden_release(object);
    ends();
    check(midden_collect(MIDDEN_FULL) == 0 && ends() == 0, "holds its second word");
    page[1] = NULL;
    page[2] = page[3] = object;
    check(midden_collect(MIDDEN_FULL) == 2 && ends() == 2, "and nothing beyond");
    midden_root_remove(page);
    munmap(page, 4096);
}

enum { MANY = 5000 };

static void many(void)
{
    struct node **page = table(MANY * 64);
    long          bad = 0;

    for (int i = 0; i < MANY; i++) {
        int          at = i * 7 % MANY;
        struct node *object = ring(2);

        bad += midden_root_add(&page[at * 8], 16) != 0;
        page[at * 8 + 1] = object;
        midden_release(object);
    }
    ends();
    check(bad == 0 && midden_collect(MIDDEN_FULL) == 0 && ends() == 0,
        "%d roots keep what they hold", MANY);
    for (int i = 0; i < MANY; i += 2)
        bad += midden_root_remove(&page[i * 8]) != 0;
    check(bad == 0 && midden_collect(MIDDEN_FULL) == MANY && ends() == MANY,
        "half of them removed keep nothing");
    for (int i = 1; i < MANY; i += 2)
        bad += midden_root_remove(&page[i * 8]) != 0;
    check(bad == 0 && midden_collect(MIDDEN_FULL) == MANY && ends() == MANY, "nor do the others");
    munmap(page, MANY * 64);
}

/* After the removal nobody reads the memory, although collections run. */
static volatile int stop;

static void *collect_often(void *unused)
{
    while (!stop)
        midden_collect(MIDDEN_FULL);
    return NULL;
}

static void removed_under_way(void)
{
    pthread_t thread = start(collect_often, NULL);
    double    end = now_ms() + 500;
    long      rounds = 0, bad = 0;

    for (; now_ms() < end; rounds++) {
        struct node **page = table(65536);
        struct node  *object = ring(2);

        bad += midden_root_add(page, 65536) != 0;
        page[100] = object;
        midden_release(object);
        bad += page[100]->left->left != object;
        bad += midden_root_remove(page) != 0;
        munmap(page, 65536);
    }
    stop = 1;
    pthread_join(thread, NULL);
    check(bad == 0, "%ld roots come and go while collections run", rounds);
    ends();
}

int main(void)
{
    rules();
    midden_disable();
    odd_length();
    many();
    removed_under_way();
    return done();
}
