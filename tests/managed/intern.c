/* intern.c - one object for equal bytes, as long as somebody holds it.
 * seconds: 120
 */
#define CRADLE 2048
#include "check.h"

enum { STRINGS = 20000, APART = 20 };         /* every 20th is held */

static long strings, helds;

static const char *numbered(char *text, long n)
{
    snprintf(text, 40, "string number %ld of some", n);
    return text;
}

static const char *interned(long n)
{
    char text[40];

    numbered(text, n);
    return midden_intern(text, strlen(text));
}

static void one(void)
{
    static const char    split[] = "a\0b";
    char                 text[] = "twenty-three bytes here";
    const char *volatile first = midden_intern(text, sizeof text - 1);
    struct midden_object at = { .size = sizeof at };
    size_t               short_by_one = sizeof text - 2;

    text[0] = 'T';
    check(first && !strcmp(first, "twenty-three bytes here"), "the bytes are copied");
    check(first[sizeof text - 1] == 0, "with a NUL behind the last");
    check(midden_intern("twenty-three bytes here", sizeof text - 1) == first,
        "equal bytes are the same pointer");
    check(midden_intern(text, sizeof text - 1) != first &&
              midden_intern(first, short_by_one) != first, "others are not");
    check(midden_intern(split, 3) == midden_intern("a\0b", 3) &&
              midden_intern(split, 3) != midden_intern("a", 1) &&
              !memcmp(midden_intern(split, 3), "a\0b\0", 4), "a NUL is a byte like any other");
    check(midden_object_at(first, &at) == 0 && at.kind == MIDDEN_MANAGED_LEAF &&
              !midden_is_tracked(first), "it is a leaf");
    check(midden_intern(NULL, 0) != NULL && midden_intern(NULL, 0) == midden_intern("x", 0) &&
              *(const char *)midden_intern("", 0) == 0, "no bytes are bytes as well");
    CHECK_ERROR(EINVAL, NULL, midden_intern(NULL, 1));
    CHECK_ERROR(ENOMEM, NULL, midden_intern("x", SIZE_MAX));
}

static NOINLINE void make_many(uintptr_t *word)
{
    for (long i = 0; i < strings; i++)
        word[i] = hidden(interned(i));
}

static void many(void)
{
    uintptr_t   *word = table(strings * sizeof *word);
    const char **held = malloc(helds * sizeof *held);
    long         bad = 0, left = 0;

    make_many(word);
    for (long i = 0; i < helds; i++)
        held[i] = shown(word[i * APART]);
    wipe();
    midden_collect(MIDDEN_FULL);
    for (long i = 0; i < strings; i++)
        left += in_use(word[i]);
    for (long i = 0; i < helds; i++)
        bad += interned(i * APART) != held[i];
    check(bad == 0, "what is held stays the one for its bytes");
    check(left >= helds && left <= helds + 50, "of %ld others %ld stayed", strings - helds,
        left - helds);
    for (long i = 0; i < strings; i++) {
        char        text[40];
        const char *at = interned(i);

        bad += !at || strcmp(at, numbered(text, i)) || at != interned(i);
    }
    check(bad == 0, "what went can be interned again");
    for (long i = 0; i < helds; i++)
        bad += interned(i * APART) != held[i];
    check(bad == 0, "what is held is still the same");
    free(held);
    munmap(word, strings * sizeof *word);
}

/* A large one, and one that hangs off a counted conservative object only. */
static void places(void)
{
    size_t       bytes = 3 << 20;
    char        *text = malloc(bytes);
    struct node *open = midden_new(&open_type, 0);
    uintptr_t    word;

    memset(text, 'y', bytes);
    open->raw = (void *)midden_intern(text, bytes);
    word = hidden(open->raw);
    wipe();
    midden_collect(MIDDEN_FULL);
    check(in_use(word) && midden_intern(text, bytes) == open->raw &&
              !memcmp(open->raw, text, bytes),
        "three megabytes stay while a conservative object points at them");
    open->raw = NULL;
    midden_release(open);
    wipe();
    midden_collect(MIDDEN_FULL);
    check(midden_intern(text, bytes) != NULL, "and can go, and come again");
    free(text);
}

/* -- threads ----------------------------------------------------------------------------------- */

enum { THREADS = 4, EACH = 3000 };

static const char *by_thread[THREADS][EACH];

static void *intern_all(void *arg)
{
    long me = (long)arg;

    for (long i = 0; i < scaled(EACH); i++)
        by_thread[me][i] = interned(1000000 + i);
    return NULL;
}

static void threads(void)
{
    pthread_t thread[THREADS];
    long      bad = 0;

    for (long i = 0; i < THREADS; i++)
        thread[i] = start(intern_all, (void *)i);
    for (int n = 0; n < 20; n++)
        midden_collect(MIDDEN_FULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (long i = 0; i < scaled(EACH); i++)
        for (int t = 0; t < THREADS; t++)
            bad += by_thread[t][i] != interned(1000000 + i);
    check(bad == 0, "%d threads get the same pointers, while collections run", THREADS);
}

/* One thread interns and forgets the same bytes while another collects: never two at once. */
static volatile int stop;

static void *collect_often(void *unused)
{
    while (!stop)
        midden_collect(MIDDEN_FULL);
    return NULL;
}

static void come_and_go(void)
{
    pthread_t thread = start(collect_often, NULL);
    double    end = now_ms() + 500;
    long      bad = 0, rounds = 0;

    while (now_ms() < end) {
        const char *first = interned(-rounds), *second = interned(-rounds);
        char        text[40];

        bad += first != second || strcmp(first, numbered(text, -rounds));
        rounds++;
    }
    stop = 1;
    pthread_join(thread, NULL);
    check(bad == 0, "%ld strings come and go while collections run", rounds);
}

int main(void)
{
    strings = scaled(STRINGS);
    helds = strings / APART;
    one();
    many();
    places();
    threads();
    come_and_go();
    return done();
}
