/* limit_as.c - under a limit on address space or data a program gets at least nine tenths of what
 *      the C library's own heap
 *      gives it in blocks of 1 KiB, 100 KiB, 1 MiB; of sizes that fit their class badly, as much
 *      less as the class wastes.
 * seconds: 120
 * shrunken: no
 */
#include "tap.h"

#include <sys/resource.h>

static size_t count_blocks(size_t bytes)
{
    size_t total = 0;

    for (char *p; (p = malloc(bytes)) != NULL; total += bytes)
        for (size_t at = 0; at < bytes; at += 4096)
            p[at] = 1;
    return total;
}

static void *count_in_thread(void *bytes)
{
    return (void *)count_blocks((size_t)bytes);
}

/* As the replaced program: the bytes it got, on stdout. */
static int measure(size_t bytes, int threads)
{
    size_t total = 0;
    void  *part = NULL;
    char   line[32];

    for (int i = 0; i < threads; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, count_in_thread, (void *)bytes) == 0
            && pthread_join(thread, &part) == 0)
            total += (size_t)part;
    }
    total += count_blocks(bytes);
    return write(1, line, (size_t)snprintf(line, sizeof line, "%zu\n", total)) < 0;
}

/* This program again, under the limit, with or without the library; the bytes it got. */
static size_t measured(int resource, size_t limit, size_t bytes, const char *threads, int preload)
{
    char          number[32], answer[64] = "";
    struct rlimit both = { limit, limit };
    int           ends[2], status;

    snprintf(number, sizeof number, "%zu", bytes);
    if (pipe(ends) != 0)
        return 0;
    if (fork() == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (!preload)
            unsetenv("LD_PRELOAD");
        setrlimit((__rlimit_resource_t)resource, &both);
        execl("/proc/self/exe", "limit_as", number, threads, (char *)NULL);
        _exit(9);
    }
    close(ends[1]);
    if (read(ends[0], answer, sizeof answer - 1) < 0)
        answer[0] = 0;
    close(ends[0]);
    wait(&status);
    return strtoul(answer, NULL, 10);
}

static void point(int resource, size_t limit, size_t bytes, const char *threads)
{
    size_t theirs = measured(resource, limit, bytes, threads, 0),
        ours = measured(resource, limit, bytes, threads, 1);

    size_t wanted = theirs / 100 * (bytes % 1024 ? 79 : 90);

    check(theirs > limit / 4 && ours >= wanted,
        "%s of %zu MiB, blocks of %zu, %s threads: %zu KiB, the C library %zu",
        resource == RLIMIT_AS ? "address space" : "data", limit >> 20, bytes, threads, ours >> 10,
            theirs >> 10);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 100, 1 << 10, 10000, 100 << 10, 132000, 1 << 20, 5000000 };

    if (argc > 2)
        return measure(strtoul(argv[1], NULL, 10), atoi(argv[2]));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        point(RLIMIT_AS, (size_t)64 << 20, sizes[i], "0");
        point(RLIMIT_DATA, (size_t)64 << 20, sizes[i], "0");
    }
    point(RLIMIT_AS, (size_t)512 << 20, 1 << 10, "0");
    point(RLIMIT_AS, (size_t)512 << 20, 100 << 10, "0");
    point(RLIMIT_AS, (size_t)16 << 20, 1 << 10, "0");
    point(RLIMIT_AS, (size_t)256 << 20, 1 << 10, "4");
    return done();
}
