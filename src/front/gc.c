/* gc.c - gc.h and leak.h in a library built without the collector.
 * Job         Check arguments as the headers say, then answer ENOSYS. A program that links against
 *             midden starts, finds out what is there, and does without.
 * Invariants  F1  an argument that is wrong is EINVAL (or ENOENT, ENOMEM) here as with the
 *                 collector, so that a program's mistakes do not wait for it
 *             F2  no managed object exists: what asks about one is told so
 * Locking     none.
 */
#include <midden/gc.h>
#include <midden/leak.h>

#include "base/base.h"

#include <errno.h>

enum { GENERATIONS = 3, DEBUG_FLAGS = MIDDEN_DEBUG_STATS | MIDDEN_DEBUG_LEAK };

/* -- answers ----------------------------------------------------------------------------------- */

static int refuse(int error)
{
    errno = error;
    return -1;
}

static void *refuse_object(int error)
{
    errno = error;
    return NULL;
}

static int answer(bool valid)                    /* for every function that returns int or long */
{
    return refuse(valid ? ENOSYS : EINVAL);
}

static bool sum_wraps(size_t a, size_t b)
{
    return a + b < a || a + b > PTRDIFF_MAX;
}

/* -- counted objects --------------------------------------------------------------------------- */

static bool owned_are_valid(const struct midden_type *type)
{
    for (const size_t *at = type->owned; at != NULL && *at != MIDDEN_END; at++)
        if (*at % sizeof(void *) != 0 || *at >= type->object_bytes ||
            type->object_bytes - *at < sizeof(void *))
            return false;
    return true;
}

static bool type_is_valid(const struct midden_type *type)
{
    return type != NULL && type->size == sizeof *type && type->flags <= MIDDEN_CONSERVATIVE &&
           owned_are_valid(type);
}

EXPORT void *midden_new(const struct midden_type *type, size_t extra_bytes)
{
    if (!type_is_valid(type))
        return refuse_object(EINVAL);
    return refuse_object(sum_wraps(type->object_bytes, extra_bytes) ? ENOMEM : ENOSYS);
}

EXPORT void *midden_retain(void *object)
{
    return object == NULL ? NULL : refuse_object(ENOSYS);
}

EXPORT void midden_release(void *object)
{
    if (object != NULL)
        refuse(ENOSYS);
}

EXPORT void midden_assign(void *field, void *object)
{
    (void)field;
    (void)object;
    refuse(ENOSYS);
}

EXPORT size_t midden_handles(const void *object)
{
    if (object != NULL)
        refuse(ENOSYS);
    return 0;
}

/* -- uncounted objects ------------------------------------------------------------------------- */

EXPORT void *midden_alloc(size_t bytes)
{
    return refuse_object(bytes > PTRDIFF_MAX ? ENOMEM : ENOSYS);
}

EXPORT void *midden_alloc_leaf(size_t bytes)
{
    return refuse_object(bytes > PTRDIFF_MAX ? ENOMEM : ENOSYS);
}

EXPORT const void *midden_intern(const void *bytes, size_t count)
{
    if (bytes == NULL && count != 0)
        return refuse_object(EINVAL);
    return refuse_object(sum_wraps(count, 1) ? ENOMEM : ENOSYS);
}

/* -- weak handles ------------------------------------------------------------------------------ */

EXPORT struct midden_weak *midden_weak(void *object)
{
    return refuse_object(object == NULL ? EINVAL : ENOSYS);
}

EXPORT void *midden_weak_get(struct midden_weak *weak)
{
    return weak == NULL ? NULL : refuse_object(ENOSYS);
}

EXPORT void midden_weak_drop(struct midden_weak *weak)
{
    if (weak != NULL)
        refuse(ENOSYS);
}

/* -- roots ------------------------------------------------------------------------------------- */

EXPORT int midden_root_add(const void *base, size_t bytes)
{
    word start = (word)base;
    bool aligned = start != 0 && start % sizeof(void *) == 0;
    return answer(aligned && bytes != 0 && start + bytes > start);
}

EXPORT int midden_root_remove(const void *base)
{
    return refuse(base == NULL ? ENOENT : ENOSYS);
}

EXPORT int midden_scan(int what)
{
    return answer(what == MIDDEN_SCAN_ALL || what == MIDDEN_SCAN_REGISTERED);
}

/* -- collecting -------------------------------------------------------------------------------- */

static bool is_generation(int generation)
{
    return generation >= 0 && generation < GENERATIONS;
}

EXPORT long midden_collect(int generation)
{
    return answer(is_generation(generation));
}

EXPORT int midden_enable(void)
{
    return refuse(ENOSYS);
}

EXPORT int midden_disable(void)
{
    return refuse(ENOSYS);
}

EXPORT int midden_is_enabled(void)
{
    return refuse(ENOSYS);
}

EXPORT void midden_notify(enum midden_event event)
{
    (void)event;
    refuse(ENOSYS);
}

/* -- policy ------------------------------------------------------------------------------------ */

EXPORT int midden_policy_set(const char *policy)
{
    return answer(policy != NULL);
}

EXPORT int midden_policy_get(char *text, size_t bytes)
{
    (void)bytes;
    return answer(text != NULL);
}

EXPORT int midden_set_threshold(int threshold0, int threshold1, int threshold2)
{
    return answer(threshold0 >= 0 && threshold1 >= 0 && threshold2 >= 0);
}

EXPORT int midden_get_threshold(int threshold[3])
{
    return answer(threshold != NULL);
}

EXPORT int midden_get_count(int count[3])
{
    return answer(count != NULL);
}

/* -- watching ---------------------------------------------------------------------------------- */

EXPORT int midden_get_stats(int generation, struct midden_gc_stats *out)
{
    return answer(is_generation(generation) && out != NULL && out->size == sizeof *out);
}

EXPORT int midden_callbacks_add(midden_callback *callback, void *arg)
{
    (void)arg;
    return answer(callback != NULL);
}

EXPORT int midden_callbacks_remove(midden_callback *callback, void *arg)
{
    (void)arg;
    return refuse(callback == NULL ? ENOENT : ENOSYS);
}

EXPORT int midden_set_debug(int flags)
{
    return answer((flags & ~DEBUG_FLAGS) == 0);
}

EXPORT int midden_get_debug(void)
{
    return refuse(ENOSYS);
}

/* -- objects, asked from outside --------------------------------------------------------------- */

EXPORT long midden_get_objects(int generation, midden_object_visitor *visit, void *arg)
{
    (void)arg;
    return answer(visit != NULL && (generation == -1 || is_generation(generation)));
}

EXPORT long midden_get_referrers(void *const *objects, size_t count,
                                 midden_reference_visitor *visit, void *arg)
{
    (void)arg;
    return answer(visit != NULL && (objects != NULL || count == 0));
}

EXPORT long midden_get_referents(void *const *objects, size_t count,
                                 midden_object_visitor *visit, void *arg)
{
    (void)arg;
    return answer(visit != NULL && (objects != NULL || count == 0));
}

EXPORT int midden_is_tracked(const void *object)
{
    (void)object;
    return 0;                                    /* F2 */
}

EXPORT int midden_is_finalized(const void *object)
{
    (void)object;
    return 0;                                    /* F2 */
}

/* -- garbage and frozen objects ---------------------------------------------------------------- */

EXPORT long midden_garbage(midden_object_visitor *visit, void *arg)
{
    (void)arg;
    return answer(visit != NULL);
}

EXPORT long midden_garbage_clear(void)
{
    return refuse(ENOSYS);
}

EXPORT int midden_freeze(void)
{
    return refuse(ENOSYS);
}

EXPORT int midden_unfreeze(void)
{
    return refuse(ENOSYS);
}

EXPORT size_t midden_get_freeze_count(void)
{
    refuse(ENOSYS);
    return 0;
}

/* -- leaks ------------------------------------------------------------------------------------- */

EXPORT long midden_leak_check(midden_leak_visitor *visit, void *arg)
{
    (void)visit;
    (void)arg;
    return refuse(ENOSYS);
}

EXPORT int midden_leak_ignore(const void *pointer)
{
    return refuse(pointer == NULL ? ENOENT : ENOSYS);
}

EXPORT int midden_leak_baseline(void)
{
    return refuse(ENOSYS);
}
