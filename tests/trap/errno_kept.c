/* errno_kept.c - errno is what the program left in it after every call that succeeds, and after
 *      every free. */
#include "tap.h"

static int kept(void)
{
    int is = errno == 4711;

    errno = 4711;
    return is;
}

/* Every entry point once with that size; how many changed errno. */
static int round_of(size_t bytes)
{
    void *p;
    int   bad = 0;

    errno = 4711;
    p = malloc(bytes);
    bad += !kept();
    p = realloc(p, bytes * 3 + 1);
    bad += !kept();
    p = realloc(p, bytes / 3 + 1);
    bad += !kept();
    memset(p, 1, bytes / 3 + 1);
    free(p);
    bad += !kept();
    p = calloc(1, bytes);
    bad += !kept();
    free(p);
    bad += !kept();
    p = aligned_alloc(4096, bytes);
    bad += !kept() || malloc_usable_size(p) < bytes || !kept();
    free(p);
    bad += !kept();
    p = NULL;
    bad += posix_memalign(&p, 1 << 16, bytes) != 0 || !kept();
    free(p);
    free(NULL);
    return bad + !kept();
}

static void *in_thread(void *unused)
{
    long bad = 0;

    for (size_t bytes = 1; bytes < 100000; bytes = bytes * 2 + 1)
        bad += round_of(bytes);
    hide(unused);
    return (void *)bad;
}

static void *block[2000];

static void *free_all(void *unused)
{
    errno = 4711;
    for (int i = 0; i < 2000; i++)
        free(block[i]);
    return hide(errno == 4711 ? unused : &errno);
}

int main(void)
{
    pthread_t thread;
    void     *bad = NULL;
    long      sum = 0;

    for (size_t bytes = 1; bytes < (size_t)1 << 28; bytes = bytes * 2 + 1)
        sum += round_of(bytes);
    check(sum == 0, "sizes up to 256 MiB");
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, &bad);
    check(!bad, "in a thread's first calls and all others");
    for (int i = 0; i < 2000; i++)
        block[i] = malloc((size_t)i * 50);
    pthread_create(&thread, NULL, free_all, NULL);
    pthread_join(thread, &bad);
    check(!bad, "frees of another thread's blocks");
    errno = 4711;
    malloc_trim(0);
    check(kept(), "malloc_trim");
    return done();
}
