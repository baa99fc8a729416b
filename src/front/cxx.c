/* cxx.c - operator new and delete, in C.
 * Job         The twenty replaceable operators. A `new` that cannot be served calls the new-handler
 *             as long as there is one, then lets libstdc++'s own operator throw bad_alloc: C cannot
 *             throw.
 * Locking     none.
 */
#include "front/fast.h"

#include <dlfcn.h>

#ifndef MIDDEN_PREFIXED

typedef void handler(void);
extern handler *_ZSt15get_new_handlerv(void) __attribute__((weak));       /* std::get_new_handler */

/* The operator of libstdc++ behind ours: it calls malloc or aligned_alloc, which fails again, and
 * throws. */
static COLD void *throw_bad_alloc(const char *name, size_t bytes, size_t align)
{
    void *(*next)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, name);
    if (next != NULL)
        return next(bytes, align);
    static const char why[] = "midden: operator new failed, and no C++ library is there to throw\n";
    os_write(2, why, sizeof why - 1);
    os_abort();
}

static word take(size_t bytes, size_t align)
{
    bool zero;
    size_t at = fast_aligned_at(align, bytes);
    word block = at != 0 ? fast_dry(at) : 0;
    if (block != 0)
        return block;
    if (align <= CLASS_ALIGN)
        return front_alloc(bytes, &zero);
    return front_alloc_aligned(bytes, align, &zero);
}

static NOINLINE void *new_slow(size_t bytes, size_t align, const char *name)
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

/* A handler that throws must not pass through a nothrow operator: libstdc++'s own knows how to
 * catch it. */
static NOINLINE void *new_nothrow_slow(size_t bytes, size_t align, const char *name)
{
    word block = take(bytes, align);
    if (block != 0 || _ZSt15get_new_handlerv == NULL || _ZSt15get_new_handlerv() == NULL)
        return (void *)block;
    void *(*plain)(size_t, const void *) = (void *(*)(size_t, const void *))dlsym(RTLD_NEXT, name);
    void *(*aligned)(size_t, size_t, const void *) =
        (void *(*)(size_t, size_t, const void *))dlsym(RTLD_NEXT, name);
    static const char nothrow;
    if (plain == NULL)
        return NULL;
    return align <= CLASS_ALIGN ? plain(bytes, &nothrow) : aligned(bytes, align, &nothrow);
}

INLINE void *take_quick(size_t bytes, size_t align)
{
    size_t at = fast_aligned_at(align, bytes);
    return LIKELY(at != 0) ? (void *)fast_malloc(at) : NULL;
}

static NOINLINE void *new_dry(size_t at, const char *name)
{
    word block = fast_dry(at);
    return LIKELY(block != 0) ? (void *)block : new_slow(heap_bytes_at(at), CLASS_ALIGN, name);
}

static NOINLINE void *new_medium(size_t bytes, const char *name)
{
    word block = fast_medium(bytes);
    return LIKELY(block != 0) ? (void *)block : new_slow(bytes, CLASS_ALIGN, name);
}

#define NEW(name) \
    EXPORT void *name(size_t bytes) \
    { \
        if (UNLIKELY(bytes > CLASS_QUICK_MAX)) \
            return new_medium(bytes, #name); \
        size_t at = heap_quick_at[bytes]; \
        word block = fast_malloc(at); \
        return LIKELY(block != 0) ? (void *)block : new_dry(at, #name); \
    }
#define NEW_NOTHROW(name) \
    EXPORT void *name(size_t bytes, const void *nothrow) \
    { \
        (void)nothrow; \
        void *block = take_quick(bytes, CLASS_ALIGN); \
        return LIKELY(block != NULL) ? block : new_nothrow_slow(bytes, CLASS_ALIGN, #name); \
    }
#define NEW_ALIGNED(name) \
    EXPORT void *name(size_t bytes, size_t align) \
    { \
        void *block = take_quick(bytes, align); \
        return LIKELY(block != NULL) ? block : new_slow(bytes, align, #name); \
    }
#define NEW_ALIGNED_NOTHROW(name) \
    EXPORT void *name(size_t bytes, size_t align, const void *nothrow) \
    { \
        (void)nothrow; \
        void *block = take_quick(bytes, align); \
        return LIKELY(block != NULL) ? block : new_nothrow_slow(bytes, align, #name); \
    }

NEW(_Znwm)
NEW(_Znam)
NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
NEW_NOTHROW(_ZnamRKSt9nothrow_t)
NEW_ALIGNED(_ZnwmSt11align_val_t)
NEW_ALIGNED(_ZnamSt11align_val_t)
NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)

/* A size too large for the block is told of; a smaller one is not, as programs delete derived
 * objects through bases without a virtual destructor, and the heap does not need the size. */
static NOINLINE void delete_slow(word pointer, size_t bytes, const char *call)
{
    front_free_sized(pointer, bytes, 1, call);
}

INLINE void delete(void *pointer, size_t bytes, const char *call)
{
    if (UNLIKELY(!fast_free((word)pointer, bytes)))
        delete_slow((word)pointer, bytes, call);
}

#define ONE  "operator delete"
#define MANY "operator delete[]"
#define DELETE(name, call) EXPORT void name(void *p) { delete(p, 0, call); }
#define DELETE_SIZED(name, call) \
    EXPORT void name(void *p, size_t bytes) { delete(p, bytes, call); }
#define DELETE_TAGGED(name, call) \
    EXPORT void name(void *p, const void *tag) { (void)tag, delete(p, 0, call); }
#define DELETE_ALIGNED(name, call) \
    EXPORT void name(void *p, size_t align) { (void)align, delete(p, 0, call); }
#define DELETE_SIZED_ALIGNED(name, call) \
    EXPORT void name(void *p, size_t bytes, size_t align) { (void)align, delete(p, bytes, call); }
#define DELETE_ALIGNED_TAGGED(name, call) \
    EXPORT void name(void *p, size_t align, const void *tag) \
    { \
        (void)align, (void)tag, delete(p, 0, call); \
    }

DELETE(_ZdlPv, ONE)
DELETE(_ZdaPv, MANY)
DELETE_SIZED(_ZdlPvm, ONE)
DELETE_SIZED(_ZdaPvm, MANY)
DELETE_TAGGED(_ZdlPvRKSt9nothrow_t, ONE)
DELETE_TAGGED(_ZdaPvRKSt9nothrow_t, MANY)
DELETE_ALIGNED(_ZdlPvSt11align_val_t, ONE)
DELETE_ALIGNED(_ZdaPvSt11align_val_t, MANY)
DELETE_SIZED_ALIGNED(_ZdlPvmSt11align_val_t, ONE)
DELETE_SIZED_ALIGNED(_ZdaPvmSt11align_val_t, MANY)
DELETE_ALIGNED_TAGGED(_ZdlPvSt11align_val_tRKSt9nothrow_t, ONE)
DELETE_ALIGNED_TAGGED(_ZdaPvSt11align_val_tRKSt9nothrow_t, MANY)

#endif
