/* cache.c - a cache that keeps nothing alive by itself: weak handles, used by several threads.
 * Use    cache
 * Shows  midden_weak and midden_weak_get: while somebody uses a value, whoever asks for it gets the
 *        same one; after the last use it is gone, and the next to ask computes it anew.
 *
 * A value is n! in decimal digits.
 */
#include <midden/midden.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 64, THREADS = 4, ROUNDS = 25000, DIGITS_MAX = 100 };

/* ---- a value --------------------------------------------------------------------------------- */

struct value {
    unsigned n;
    size_t   digits;
    char     digit[];                    /* the lowest first, each 0 to 9 */
};

static atomic_ulong values_made, values_gone;

/* Runs wherever the last handle is released, perhaps in the middle of a collection that cache_get
 * has set off with the lock in its hand: so it takes no lock. */
static void value_finalize(void *object)
{
    (void)object;
    atomic_fetch_add(&values_gone, 1);
}

static const struct midden_type value_type = {
    .size = sizeof(struct midden_type),
    .name = "factorial",
    .object_bytes = sizeof(struct value),
    .finalize = value_finalize,
    .flags = MIDDEN_LEAF,                /* digits only: a collection need not look inside */
};

static size_t digits_multiply(char *digit, size_t digits, unsigned factor)
{
    unsigned carry = 0;
    for (size_t i = 0; i < digits || carry != 0; i++) {
        carry += i < digits ? (unsigned)digit[i] * factor : 0;
        digit[i] = (char)(carry % 10);
        carry /= 10;
        digits = i < digits ? digits : i + 1;
    }
    return digits;
}

static struct value *value_make(unsigned n)
{
    struct value *value = midden_new(&value_type, DIGITS_MAX);
    if (value == NULL) {
        perror("cache");
        exit(1);
    }
    value->n = n;
    value->digits = 1;
    value->digit[0] = 1;
    for (unsigned i = 2; i <= n; i++)
        value->digits = digits_multiply(value->digit, value->digits, i);
    atomic_fetch_add(&values_made, 1);
    return value;
}

/* ---- the cache ------------------------------------------------------------------------------- */

static struct cache {
    pthread_mutex_t     lock;            /* guards all of it */
    struct midden_weak *weak[VALUES];    /* NULL: never asked for */
    unsigned long       found, computed;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A new handle of n!; release it after use. */
static struct value *cache_get(unsigned n)
{
    pthread_mutex_lock(&cache.lock);
    struct value *value = midden_weak_get(cache.weak[n]);
    if (value != NULL) {
        cache.found++;
    } else {
        cache.computed++;
        value = value_make(n);
        midden_weak_drop(cache.weak[n]); /* it outlived its object */
        cache.weak[n] = midden_weak(value);
    }
    pthread_mutex_unlock(&cache.lock);
    return value;
}

/* Drops the weak handles whose objects are gone. How many of the others there are. */
static unsigned cache_trim(void)
{
    unsigned alive = 0;
    pthread_mutex_lock(&cache.lock);
    for (unsigned n = 0; n < VALUES; n++) {
        void *value = midden_weak_get(cache.weak[n]);
        if (value == NULL) {
            midden_weak_drop(cache.weak[n]);
            cache.weak[n] = NULL;
        }
        alive += value != NULL;
        midden_release(value);
    }
    pthread_mutex_unlock(&cache.lock);
    return alive;
}

/* ---- one user -------------------------------------------------------------------------------- */

static void value_print(const struct value *value)
{
    printf("%u! = ", value->n);
    for (size_t i = value->digits; i > 0; i--)
        putchar('0' + value->digit[i - 1]);
    printf(", %zu handles\n", midden_handles(value));
}

static void alone(void)
{
    struct value *first = cache_get(25);
    value_print(first);
    struct value *second = cache_get(25);
    value_print(second);
    printf("the same object: %s\n", first == second ? "yes" : "no");
    midden_release(first);
    printf("one release: %u alive\n", cache_trim());
    midden_release(second);
    printf("the other: %u alive\n", cache_trim());
    printf("found %lu, computed %lu\n", cache.found, cache.computed);
}

/* ---- several --------------------------------------------------------------------------------- */

/* Asks, holds on to the last few, looks whether each is what it should be. How many were not. */
static void *user(void *arg)
{
    uint64_t      seed = (uintptr_t)arg;
    uintptr_t     wrong = 0;
    struct value *held[8] = { NULL };

    for (unsigned i = 0; i < ROUNDS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned n = (unsigned)(seed >> 33) % VALUES;
        midden_release(held[i % 8]);
        held[i % 8] = cache_get(n);
        wrong += held[i % 8]->n != n;
    }
    for (unsigned i = 0; i < 8; i++)
        midden_release(held[i]);
    return (void *)wrong;
}

static void together(void)
{
    pthread_t thread[THREADS];
    uintptr_t wrong = 0;
    void     *some;

    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, user, (void *)(i + 1)) != 0)
            abort();
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], &some);
        wrong += (uintptr_t)some;
    }
    printf("%d threads: %d gets, %lu wrong\n", THREADS, THREADS * ROUNDS, (unsigned long)wrong);
    printf("found and computed: %lu\n", cache.found + cache.computed - 2);
    printf("alive at the end: %u\n", cache_trim());
    printf("made and not gone: %lu\n", values_made - values_gone);
}

int main(void)
{
    alone();
    together();
    return 0;
}
