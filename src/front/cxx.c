/* cxx.c - operator new and delete, in C.
 * Job         The twenty replaceable operators. A `new` that cannot be served calls the new-handler as long as there is
 *             one, then lets libstdc++'s own operator throw bad_alloc: C cannot throw.
 * Locking     none.
 */
#include "front/front.h"

#include <dlfcn.h>

#ifndef MIDDEN_PREFIXED

typedef void handler(void);
extern handler *_ZSt15get_new_handlerv(void) __attribute__((weak));       /* std::get_new_handler */

/* The operator of libstdc++ behind ours: it calls malloc or aligned_alloc, which fails again, and throws. */
static COLD void *throw_bad_alloc(const char *name, size_t bytes, size_t align)
{
    void *(*next)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, name);
    if (next != NULL)
        return next(bytes, align);
    os_write(2, "midden: operator new failed, and there is no C++ library to throw bad_alloc\n", 76);
    os_abort();
}

static word take(size_t bytes, size_t align)
{
    bool zero;
    return align <= CLASS_ALIGN ? front_alloc(bytes, &zero) : front_alloc_aligned(bytes, align, &zero);
}

static COLD void *new_slow(size_t bytes, size_t align, const char *name)
{
    for (;;) {
        word block = take(bytes, align);
        if (block != 0)
            return (void *)block;
        handler *installed = _ZSt15get_new_handlerv != NULL ? _ZSt15get_new_handlerv() : NULL;
        if (installed == NULL)
            return throw_bad_alloc(name, bytes, align);
        installed();                             /* frees something, throws, or ends the program */
    }
}

/* A handler that throws must not pass through a nothrow operator: libstdc++'s own knows how to catch it. */
static COLD void *new_nothrow_slow(size_t bytes, size_t align, const char *name)
{
    word block = take(bytes, align);
    if (block != 0 || _ZSt15get_new_handlerv == NULL || _ZSt15get_new_handlerv() == NULL)
        return (void *)block;
    void *(*plain)(size_t, const void *) = (void *(*)(size_t, const void *))dlsym(RTLD_NEXT, name);
    void *(*aligned)(size_t, size_t, const void *) = (void *(*)(size_t, size_t, const void *))dlsym(RTLD_NEXT, name);
    static const char nothrow;
    if (plain == NULL)
        return NULL;
    return align <= CLASS_ALIGN ? plain(bytes, &nothrow) : aligned(bytes, align, &nothrow);
}

extern void *malloc(size_t bytes);
extern void  free(void *pointer);
extern int  *__errno_location(void);

#define NEW(name) \
    EXPORT void *name(size_t bytes) \
    { \
        int *error = __errno_location(), kept = *error; \
        void *block = malloc(bytes); \
        if (LIKELY(block != NULL)) \
            return block; \
        *error = kept; \
        return new_slow(bytes, CLASS_ALIGN, #name); \
    }
#define NEW_NOTHROW(name) \
    EXPORT void *name(size_t bytes, const void *nothrow) \
    { \
        (void)nothrow; \
        return new_nothrow_slow(bytes, CLASS_ALIGN, #name); \
    }
#define NEW_ALIGNED(name) \
    EXPORT void *name(size_t bytes, size_t align) { return new_slow(bytes, align, #name); }
#define NEW_ALIGNED_NOTHROW(name) \
    EXPORT void *name(size_t bytes, size_t align, const void *nothrow) \
    { \
        (void)nothrow; \
        return new_nothrow_slow(bytes, align, #name); \
    }

NEW(_Znwm)
NEW(_Znam)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)

#define DELETE(name)                EXPORT void name(void *pointer) { free(pointer); }
#define DELETE_SIZED(name)          EXPORT void name(void *pointer, size_t bytes) { (void)bytes; free(pointer); }
#define DELETE_TAGGED(name)         EXPORT void name(void *pointer, const void *tag) { (void)tag; free(pointer); }
#define DELETE_SIZED_ALIGNED(name) \
    EXPORT void name(void *pointer, size_t bytes, size_t align) { (void)bytes, (void)align; free(pointer); }
#define DELETE_ALIGNED_TAGGED(name) \
    EXPORT void name(void *pointer, size_t align, const void *tag) { (void)align, (void)tag; free(pointer); }

/* Sizes are not checked here: programs delete derived objects through bases without a virtual destructor, and the heap
 * does not need the size. */
DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE_SIZED(_ZdlPvm)
DELETE_SIZED(_ZdaPvm)
DELETE_TAGGED(_ZdlPvRKSt9nothrow_t)
DELETE_TAGGED(_ZdaPvRKSt9nothrow_t)
DELETE_SIZED(_ZdlPvSt11align_val_t)
DELETE_SIZED(_ZdaPvSt11align_val_t)
DELETE_SIZED_ALIGNED(_ZdlPvmSt11align_val_t)
DELETE_SIZED_ALIGNED(_ZdaPvmSt11align_val_t)
DELETE_ALIGNED_TAGGED(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE_ALIGNED_TAGGED(_ZdaPvSt11align_val_tRKSt9nothrow_t)

#endif
