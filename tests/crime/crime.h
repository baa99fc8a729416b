/* crime.h - what the crimes share.
 * Job  Hide pointers from the compiler, tell the driver on stdout which addresses the sentence
 * must name, and show after a
 *      crime that was survived that the heap still works. Nothing here writes to stderr.
 */
#ifndef MIDDEN_TESTS_CRIME_H
#define MIDDEN_TESTS_CRIME_H

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIP 77

/* The compiler no longer knows where p came from. */
static inline void *hide(const void *p)
{
    void *q = (void *)p;

    __asm__ volatile("" : "+r"(q) : : "memory");
    return q;
}

/* NAME=0x... on stdout, for {NAME} in the expected sentence; returns p, hidden. */
static inline void *say(const char *name, const void *p)
{
    char line[64];
    int  bytes = snprintf(line, sizeof line, "%s=%#lx\n", name, (unsigned long)(uintptr_t)p);

    if (write(1, line, (size_t)bytes) != bytes)
        _exit(99);
    return hide(p);
}

static inline size_t size_argument(int argc, char **argv, size_t otherwise)
{
    return argc > 1 ? strtoul(argv[1], NULL, 0) : otherwise;
}

/* A block of that size with live neighbours: its slab stays in use when it is freed. The
 * neighbours are kept for good. */
static inline void *among(size_t bytes)
{
    char *before = (char *)malloc(bytes), *p = (char *)malloc(bytes),
        *after = (char *)malloc(bytes);

    if (!before || !p || !after)
        _exit(98);
    memset(p, 0x5a, bytes);
    hide(before);
    hide(after);
    return hide(p);
}

/* fn(arg) in a thread of its own, until it has ended. */
static inline void *in_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;
    void     *result = NULL;

    if (pthread_create(&thread, NULL, fn, arg) != 0 || pthread_join(thread, &result) != 0)
        _exit(97);
    return result;
}

static inline void *thread_free(void *p)
{
    free(p);
    return NULL;
}

static inline void *thread_malloc(void *bytes)
{
    return among((size_t)bytes);
}

/* Dies as the child died, or exits with its status. */
static inline int end_like(pid_t child)
{
    int status = 0;

    if (waitpid(child, &status, 0) != child)
        return 96;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 95;
}

/* After a crime that did not end the program: 64 blocks of mixed sizes, none of which overlap.
 * Returns main's result. */
static inline int survived(void)
{
    enum { COUNT = 64 };
    unsigned char *block[COUNT];
    size_t         bytes[COUNT];
    int            bad = 0;

    for (int i = 0; i < COUNT; i++) {
        bytes[i] = (size_t)16 << (i % 15);
        block[i] = (unsigned char *)malloc(bytes[i]);
        if (!block[i])
            return 94;
        memset(block[i], i + 1, bytes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        for (size_t at = 0; at < bytes[i]; at++)
            bad |= block[i][at] != i + 1;
    for (int i = 0; i < COUNT; i++)
        free(block[i]);
    return bad ? 93 : 0;
}

#endif
