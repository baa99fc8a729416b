/* tap.h - what the small test programs share.
 * Job  Print points of the test protocol without the heap, fill blocks with a pattern and look for
 * it again, churn a heap in
 *      a way that checks itself, read what /proc says of this process.
 * Locking  The count of failures is atomic; everything else is local to the caller.
 */
#ifndef MIDDEN_TESTS_TAP_H
#define MIDDEN_TESTS_TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int tap_failures;

/* The compiler no longer knows where p came from. */
static inline void *hide(const void *p)
{
    void *q = (void *)p;

    __asm__ volatile("" : "+r"(q) : : "memory");
    return q;
}

static inline void tap_write(const char *verdict, const char *text, va_list args)
{
    char line[400];
    int  bytes = snprintf(line, sizeof line - 1, "%s - ", verdict);

    bytes += vsnprintf(line + bytes, sizeof line - 1 - (size_t)bytes, text, args);
    if (bytes > (int)sizeof line - 2)
        bytes = sizeof line - 2;
    line[bytes++] = '\n';
    if (write(1, line, (size_t)bytes) != bytes)
        _exit(99);
}

__attribute__((format(printf, 2, 3))) static inline int check(int holds, const char *text, ...)
{
    va_list args;

    va_start(args, text);
    tap_write(holds ? "ok" : "not ok", text, args);
    va_end(args);
    if (!holds)
        __atomic_add_fetch(&tap_failures, 1, __ATOMIC_RELAXED);
    return holds;
}

__attribute__((format(printf, 1, 2))) static inline void skip_all(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    tap_write("skip", text, args);
    va_end(args);
    exit(0);
}

/* main's result */
static inline int done(void)
{
    return __atomic_load_n(&tap_failures, __ATOMIC_RELAXED) ? 1 : 0;
}

/* Every byte depends on the seed and on where in the block it lies. Behind the first page only
 * some are written and looked
 * at: the same ones whatever the size, so that a block keeps its pattern when it is resized. */
static inline size_t pattern_next(size_t at)
{
    return at < 4096 ? at + 1 : at + 61;
}

static inline unsigned char pattern_at(size_t at, unsigned seed)
{
    return (unsigned char)(seed * 31 + at * 7 + (at >> 8));
}

static inline void fill(void *p, size_t bytes, unsigned seed)
{
    for (size_t at = 0; at < bytes; at = pattern_next(at))
        ((unsigned char *)p)[at] = pattern_at(at, seed);
}

static inline int holds(const void *p, size_t bytes, unsigned seed)
{
    for (size_t at = 0; at < bytes; at = pattern_next(at))
        if (((const unsigned char *)p)[at] != pattern_at(at, seed))
            return 0;
    return 1;
}

static inline int is_zero(const void *p, size_t bytes)
{
    for (size_t at = 0; at < bytes; at++)
        if (((const unsigned char *)p)[at])
            return 0;
    return 1;
}

static inline unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Mostly small, sometimes up to 64 KiB, rarely 1 MiB. */
static inline size_t random_bytes(unsigned *state)
{
    unsigned r = next_random(state) % 1000;

    if (r < 900)
        return next_random(state) % 512;
    if (r < 998)
        return next_random(state) % 65536;
    return next_random(state) % (1 << 20);
}

enum { CHURN_SLOTS = 128 };

struct churn_slot {
    unsigned char *p;
    size_t         bytes;
    unsigned       seed;
};

/* malloc, calloc, realloc or aligned_alloc into an empty slot; the faults found. */
static inline int churn_take(struct churn_slot *slot, unsigned *state)
{
    unsigned how = next_random(state) % 8;

    slot->bytes = random_bytes(state);
    slot->seed = next_random(state);
    if (how == 0)
        slot->p = (unsigned char *)calloc(1, slot->bytes);
    else if (how == 1)
        slot->p = (unsigned char *)aligned_alloc(64, slot->bytes);
    else
        slot->p = (unsigned char *)malloc(slot->bytes);
    if (!slot->p)
        return 1;
    if (how == 0 && !is_zero(slot->p, slot->bytes))
        return 1;
    if ((uintptr_t)slot->p & (how == 1 ? 63 : slot->bytes < 16 ? 7 : 15))
        return 1;
    fill(slot->p, slot->bytes, slot->seed);
    return 0;
}

static inline int churn_drop(struct churn_slot *slot, unsigned *state)
{
    int    bad = !holds(slot->p, slot->bytes, slot->seed);
    size_t bytes = random_bytes(state), kept = bytes < slot->bytes ? bytes : slot->bytes;

    if (next_random(state) % 4 == 0 && bytes > 0) {
        unsigned char *p = (unsigned char *)realloc(slot->p, bytes);

        if (!p)
            return 1;
        bad |= !holds(p, kept, slot->seed);
        slot->p = p;
    }
    free(slot->p);
    slot->p = NULL;
    return bad;
}

/* That many steps on a table of blocks of its own; how many times a block was not as it was
 * left. */
static inline int churn(unsigned seed, int steps)
{
    struct churn_slot slot[CHURN_SLOTS];
    unsigned          state = seed * 2654435761u + 1;
    int               bad = 0;

    memset(slot, 0, sizeof slot);
    for (int step = 0; step < steps; step++) {
        struct churn_slot *at = &slot[next_random(&state) % CHURN_SLOTS];

        bad += at->p ? churn_drop(at, &state) : churn_take(at, &state);
    }
    for (int i = 0; i < CHURN_SLOTS; i++)
        if (slot[i].p)
            bad += churn_drop(&slot[i], &state);
    return bad;
}

/* One number from /proc/self/status, such as VmRSS in KiB; -1 where there is none. No heap. */
static inline long status_value(const char *key)
{
    char    text[8192];
    char   *at;
    int     file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = file < 0 ? -1 : read(file, text, sizeof text - 1);

    if (file >= 0)
        close(file);
    text[bytes > 0 ? bytes : 0] = 0;
    at = strstr(text, key);
    return at ? strtol(at + strlen(key) + 1, NULL, 10) : -1;
}

/* In a child: body's result as its status. Ends it after some seconds. Returns the raw wait
 * status. */
static inline int in_child(int (*body)(void *), void *arg)
{
    int   status = -1;
    pid_t child = fork();

    if (child == 0) {
        alarm(30);
        _exit(body(arg));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return status;
}

#endif
