/* returned.c - a program that frees everything gets small again by itself, whichever thread frees
 *      and whatever the sizes.
 *      A third of the peak may stay, no more; malloc_trim gives back all but a little.
 * seconds: 120
 * shrunken: no
 */
#include "tap.h"

enum { TOTAL = 256 << 20 };

static char **block;

static size_t take(size_t bytes)
{
    size_t count = TOTAL / bytes;

    block = malloc(count * sizeof *block);
    for (size_t i = 0; i < count; i++) {
        block[i] = malloc(bytes);
        memset(block[i], 1, bytes);
    }
    return count;
}

static void give(size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(block[i * 7919 % count]);
    free(block);
}

static void *give_in_thread(void *count)
{
    give((size_t)count);
    return NULL;
}

static void *take_in_thread(void *bytes)
{
    return (void *)take((size_t)bytes);
}

static void *both_in_thread(void *bytes)
{
    give(take((size_t)bytes));
    return NULL;
}

static void *in_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    void     *result = NULL;

    pthread_create(&thread, NULL, body, arg);
    pthread_join(thread, &result);
    return result;
}

static void point(long base, const char *how, size_t bytes)
{
    long left = status_value("VmRSS:") - base;

    check(left < TOTAL / 1024 / 3, "blocks of %zu, %s: %ld KiB of 262144 left", bytes, how, left);
}

int main(void)
{
    static const size_t sizes[] = { 61, 1009, 20011, 200003, 4000037 };
    long                base = status_value("VmRSS:");

    for (int i = 0; i < 5; i++) {
        give(take(sizes[i]));
        point(base, "freed by the thread that took them", sizes[i]);
        in_thread(give_in_thread, (void *)take(sizes[i]));
        point(base, "freed by another", sizes[i]);
        give((size_t)in_thread(take_in_thread, (void *)sizes[i]));
        point(base, "taken by a thread that has ended", sizes[i]);
        in_thread(both_in_thread, (void *)sizes[i]);
        point(base, "taken and freed by a thread that has ended", sizes[i]);
    }
    malloc_trim(0);
    check(status_value("VmRSS:") - base < 8192, "malloc_trim: %ld KiB left",
        status_value("VmRSS:") - base);
    return done();
}
