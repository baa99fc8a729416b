/* gc.c - tests of <midden/gc.h>, <midden/leak.h> without the collector, and of header promises. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <midden/midden.h>

#include "base/base.h"

static int number;                               /* something to point at */

#define EXPECT_ERROR(wanted, failed, call)                                  \
    do {                                                                    \
        errno = 0;                                                          \
        cr_assert((call) == (failed), #call);                               \
        cr_assert_eq(errno, (wanted), #call ": %s", strerror(errno));       \
    } while (0)

static int visit_object(void *object, void *arg)
{
    (void)object, (void)arg;
    return 0;
}

static int visit_reference(const struct midden_reference *reference, void *arg)
{
    (void)reference, (void)arg;
    return 0;
}

static void called_back(enum midden_phase phase, const struct midden_collection *collection,
                        void *arg)
{
    (void)phase, (void)collection, (void)arg;
}

Test(gc, what_needs_the_collector_answers_ENOSYS)
{
    static const size_t owned[] = { 0, 8, MIDDEN_END };
    static const struct midden_type type = { sizeof type, "pair", 16, owned, NULL, NULL, 0 };
    struct midden_gc_stats stats = { .size = sizeof stats };
    void *object = &number;
    int three[3];
    char text[256];
    EXPECT_ERROR(ENOSYS, NULL, midden_new(&type, 10));
    EXPECT_ERROR(ENOSYS, NULL, midden_retain(object));
    EXPECT_ERROR(ENOSYS, 0, midden_handles(object));
    EXPECT_ERROR(ENOSYS, NULL, midden_alloc(0));
    EXPECT_ERROR(ENOSYS, NULL, midden_alloc_leaf(100));
    EXPECT_ERROR(ENOSYS, NULL, midden_intern("text", 4));
    EXPECT_ERROR(ENOSYS, NULL, midden_intern(NULL, 0));
    EXPECT_ERROR(ENOSYS, NULL, midden_weak(object));
    EXPECT_ERROR(ENOSYS, -1, midden_root_add(&object, sizeof object));
    EXPECT_ERROR(ENOSYS, -1, midden_root_remove(three));
    EXPECT_ERROR(ENOSYS, -1, midden_scan(MIDDEN_SCAN_REGISTERED));
    EXPECT_ERROR(ENOSYS, -1, midden_collect(MIDDEN_FULL));
    EXPECT_ERROR(ENOSYS, -1, midden_enable());
    EXPECT_ERROR(ENOSYS, -1, midden_disable());
    EXPECT_ERROR(ENOSYS, -1, midden_is_enabled());
    EXPECT_ERROR(ENOSYS, -1, midden_policy_set(""));
    EXPECT_ERROR(ENOSYS, -1, midden_policy_get(text, sizeof text));
    EXPECT_ERROR(ENOSYS, -1, midden_set_threshold(700, 10, 10));
    EXPECT_ERROR(ENOSYS, -1, midden_get_threshold(three));
    EXPECT_ERROR(ENOSYS, -1, midden_get_count(three));
    EXPECT_ERROR(ENOSYS, -1, midden_get_stats(2, &stats));
    EXPECT_ERROR(ENOSYS, -1, midden_callbacks_add(called_back, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_callbacks_remove(called_back, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_set_debug(MIDDEN_DEBUG_LEAK | MIDDEN_DEBUG_STATS));
    EXPECT_ERROR(ENOSYS, -1, midden_get_debug());
    EXPECT_ERROR(ENOSYS, -1, midden_get_objects(-1, visit_object, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_get_referrers(&object, 1, visit_reference, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_get_referents(&object, 1, visit_object, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_garbage(visit_object, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_garbage_clear());
    EXPECT_ERROR(ENOSYS, -1, midden_freeze());
    EXPECT_ERROR(ENOSYS, -1, midden_unfreeze());
    EXPECT_ERROR(ENOSYS, 0, midden_get_freeze_count());
    EXPECT_ERROR(ENOSYS, -1, midden_leak_check(NULL, NULL));
    EXPECT_ERROR(ENOSYS, -1, midden_leak_ignore(object));
    EXPECT_ERROR(ENOSYS, -1, midden_leak_baseline());
}

Test(gc, functions_that_return_nothing_say_so_in_errno)
{
    void *field = NULL;
    EXPECT_ERROR(ENOSYS, 0, (midden_release(&number), 0));
    EXPECT_ERROR(ENOSYS, 0, (midden_assign(&field, &number), 0));
    EXPECT_ERROR(ENOSYS, 0, (midden_notify(MIDDEN_IDLE), 0));
    EXPECT_ERROR(ENOSYS, 0, (midden_weak_drop((struct midden_weak *)&number), 0));
    cr_assert_null(field);
}

Test(gc, NULL_is_fine_where_it_is_allowed)
{
    EXPECT_ERROR(0, NULL, midden_retain(NULL));
    EXPECT_ERROR(0, 0, (midden_release(NULL), 0));
    EXPECT_ERROR(0, 0, midden_handles(NULL));
    EXPECT_ERROR(0, NULL, midden_weak_get(NULL));
    EXPECT_ERROR(0, 0, (midden_weak_drop(NULL), 0));
    EXPECT_ERROR(0, 0, midden_is_tracked(&number));
    EXPECT_ERROR(0, 0, midden_is_finalized(&number));
}

Test(gc, wrong_arguments_are_told_with_and_without_a_collector)
{
    struct midden_gc_stats stats = { .size = 0 };
    int three[3];
    EXPECT_ERROR(EINVAL, NULL, midden_intern(NULL, 1));
    EXPECT_ERROR(ENOMEM, NULL, midden_intern("x", SIZE_MAX));
    EXPECT_ERROR(ENOMEM, NULL, midden_alloc(SIZE_MAX));
    EXPECT_ERROR(ENOMEM, NULL, midden_alloc_leaf((size_t)PTRDIFF_MAX + 1));
    EXPECT_ERROR(EINVAL, NULL, midden_weak(NULL));
    EXPECT_ERROR(EINVAL, -1, midden_root_add(NULL, 8));
    EXPECT_ERROR(EINVAL, -1, midden_root_add((char *)three + 1, 8));
    EXPECT_ERROR(EINVAL, -1, midden_root_add((void *)(word)64, 0));
    EXPECT_ERROR(EINVAL, -1, midden_root_add((void *)(word)64, SIZE_MAX));
    EXPECT_ERROR(ENOENT, -1, midden_root_remove(NULL));
    EXPECT_ERROR(EINVAL, -1, midden_scan(2));
    EXPECT_ERROR(EINVAL, -1, midden_collect(-1));
    EXPECT_ERROR(EINVAL, -1, midden_collect(3));
    EXPECT_ERROR(EINVAL, -1, midden_policy_set(NULL));
    EXPECT_ERROR(EINVAL, -1, midden_policy_get(NULL, 10));
    EXPECT_ERROR(EINVAL, -1, midden_set_threshold(0, -1, 0));
    EXPECT_ERROR(EINVAL, -1, midden_get_threshold(NULL));
    EXPECT_ERROR(EINVAL, -1, midden_get_count(NULL));
    EXPECT_ERROR(EINVAL, -1, midden_get_stats(0, &stats));
    EXPECT_ERROR(EINVAL, -1, midden_get_stats(0, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_callbacks_add(NULL, NULL));
    EXPECT_ERROR(ENOENT, -1, midden_callbacks_remove(NULL, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_set_debug(8));
    EXPECT_ERROR(EINVAL, -1, midden_get_objects(-2, visit_object, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_get_objects(0, NULL, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_get_referrers(NULL, 1, visit_reference, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_get_referents(NULL, 0, NULL, NULL));
    EXPECT_ERROR(EINVAL, -1, midden_garbage(NULL, NULL));
    EXPECT_ERROR(ENOENT, -1, midden_leak_ignore(NULL));
}

Test(gc, a_type_is_checked_before_an_object_is_made)
{
    static const size_t odd[] = { 4, MIDDEN_END }, outside[] = { 16, MIDDEN_END };
    struct midden_type type = { sizeof type, NULL, 20, NULL, NULL, NULL, MIDDEN_LEAF };
    EXPECT_ERROR(EINVAL, NULL, midden_new(NULL, 0));
    EXPECT_ERROR(ENOSYS, NULL, midden_new(&type, 0));
    EXPECT_ERROR(ENOMEM, NULL, midden_new(&type, SIZE_MAX - 10));
    type.flags = MIDDEN_LEAF | MIDDEN_CONSERVATIVE;
    EXPECT_ERROR(EINVAL, NULL, midden_new(&type, 0));
    type.flags = 0;
    type.owned = odd;
    EXPECT_ERROR(EINVAL, NULL, midden_new(&type, 0));
    type.owned = outside;
    EXPECT_ERROR(EINVAL, NULL, midden_new(&type, 0));
    type.object_bytes = 24;
    EXPECT_ERROR(ENOSYS, NULL, midden_new(&type, 0));
    type.size = 0;
    EXPECT_ERROR(EINVAL, NULL, midden_new(&type, 0));
}

Test(header, the_version_is_one_number_in_three_forms)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", MIDDEN_VERSION_MAJOR, MIDDEN_VERSION_MINOR,
             MIDDEN_VERSION_PATCH);
    cr_assert_str_eq(MIDDEN_VERSION, text);
    cr_assert_str_eq(midden_version(), text);
}

Test(header, the_statistics_have_every_counter)
{
    struct midden_stats stats;
    size_t last = offsetof(struct midden_stats, live_blocks);
#define COUNT(name, text)                                                   \
    cr_assert_eq(sizeof stats.name, 8, #name);                              \
    cr_assert_gt(offsetof(struct midden_stats, name), last, #name);         \
    last = offsetof(struct midden_stats, name);
#include "base/count.def"
#undef COUNT
    cr_assert_eq(last + 8, sizeof stats, "a counter that count.def does not have");
}
