/* managed.h - what the crimes against managed objects share.
 * Job  The library's functions are looked up: it is preloaded, and nothing is linked with it.
 */
#ifndef MIDDEN_TESTS_CRIME_MANAGED_H
#define MIDDEN_TESTS_CRIME_MANAGED_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "crime.h"

#include "../../include/midden/gc.h"

#include <dlfcn.h>

#define LIBRARY(name) ((__typeof__(&name))library(#name))

static inline void *library(const char *name)
{
    void *at = dlsym(RTLD_DEFAULT, name);

    if (!at)
        _exit(92);
    return at;
}

/* A counted object with live neighbours, and one handle. */
static inline void *counted(size_t bytes)
{
    static const size_t             none[] = { MIDDEN_END };
    static const struct midden_type type = { sizeof type, "victim", 16, none, NULL, NULL, 0 };
    void *before = LIBRARY(midden_new)(&type, bytes - 16);
    void *object = LIBRARY(midden_new)(&type, bytes - 16);
    void *after = LIBRARY(midden_new)(&type, bytes - 16);

    if (!before || !object || !after)
        _exit(98);
    hide(before);
    hide(after);
    return hide(object);
}

static inline void release(void *object)
{
    LIBRARY(midden_release)(object);
}

static inline void *retain(void *object)
{
    return LIBRARY(midden_retain)(object);
}

/* After a crime that was survived: objects live and die still. main's result. */
static inline int managed_survived(void)
{
    void *object = counted(48);

    if (LIBRARY(midden_handles)(retain(object)) != 2)
        return 91;
    release(object);
    release(object);
    if (LIBRARY(midden_collect)(MIDDEN_FULL) < 0)
        return 90;
    return survived();
}

#endif
