/* introspect.c - tests of what a program may ask of its malloc. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

void *midden_malloc(size_t bytes);
void  midden_free(void *block);
int   midden_malloc_trim(size_t pad);
int   midden_mallopt(int what, int value);
int   midden_malloc_info(int options, FILE *out);
void  midden_malloc_stats(void);
void *midden_malloc_get_state(void);
int   midden_malloc_set_state(void *state);
struct mallinfo  midden_mallinfo(void);
struct mallinfo2 midden_mallinfo2(void);

/* Of no file, counted from the page tables: statm is behind by up to some dozen pages a processor,
 * and a first call maps sixteen pages of code at once. */
static size_t resident_bytes(void)
{
    size_t kib = 0;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (kib == 0 && fgets(line, sizeof line, file) != NULL)
        sscanf(line, "Anonymous: %zu", &kib);
    fclose(file);
    return kib << 10;
}

/* -- figures ----------------------------------------------------------------------------------- */

Test(introspect, figures_follow_what_is_allocated)
{
    midden_free(midden_malloc(1));
    struct mallinfo2 before = midden_mallinfo2();
    void *small = midden_malloc(100), *large = midden_malloc(MIB(2));
    struct mallinfo2 after = midden_mallinfo2();
    cr_assert_eq(after.uordblks, before.uordblks + 112);
    cr_assert_eq(after.hblks, before.hblks + 1);
    cr_assert_eq(after.hblkhd, before.hblkhd + MIB(2));
    cr_assert_eq(after.arena, after.uordblks + after.fordblks);
    midden_free(small);
    midden_free(large);
    struct mallinfo2 end = midden_mallinfo2();
    cr_assert_eq(end.uordblks, before.uordblks);
    cr_assert_eq(end.hblks, before.hblks);
}

Test(introspect, the_old_figures_stop_at_the_largest_number_they_can_say)
{
    midden_malloc(100);
    cr_assert_eq((size_t)midden_mallinfo().uordblks, midden_mallinfo2().uordblks);
    if (midden_malloc((size_t)INT_MAX + MIB(64)) == NULL)
        cr_skip_test("no room for a block of 2 GiB");
    cr_assert_eq(midden_mallinfo().hblkhd, INT_MAX);
    cr_assert_gt(midden_mallinfo2().hblkhd, (size_t)INT_MAX);
}

/* -- malloc_info ------------------------------------------------------------------------------- */

/* One element after another: each that is opened is closed, the last opened first. */
static bool is_well_formed(const char *xml)
{
    char open[16][32];
    unsigned depth = 0, elements = 0;
    while ((xml = strchr(xml, '<')) != NULL) {
        size_t name = strcspn(xml + 1, " />\n"), whole = strcspn(xml, ">");
        if (xml[whole] != '>' || depth == 16 || name >= sizeof open[0])
            return false;
        if (xml[1] == '/') {
            name = strcspn(xml + 2, ">");
            if (depth == 0 || strncmp(open[--depth], xml + 2, name) != 0 || open[depth][name])
                return false;
        } else if (xml[whole - 1] != '/') {
            memcpy(open[depth], xml + 1, name);
            open[depth++][name] = '\0';
        }
        elements++;
        xml += whole;
    }
    return depth == 0 && elements > 5;
}

Test(introspect, malloc_info_writes_a_document)
{
    static char xml[65536];
    midden_malloc(40);
    midden_malloc(MIB(1));
    FILE *out = fmemopen(xml, sizeof xml, "w");
    cr_assert_eq(midden_malloc_info(0, out), 0);
    fclose(out);
    cr_assert_eq(strncmp(xml, "<malloc version=\"1\">\n<heap nr=\"0\">\n", 35), 0);
    cr_assert_not_null(strstr(xml, "<size from=\"33\" to=\"48\" total="));
    cr_assert_not_null(strstr(xml, " used=\"1\" slabs=\"1\"/>"));
    cr_assert_not_null(strstr(xml, "<total type=\"mmap\" count=\"1\" size=\"1048576\"/>"));
    cr_assert(is_well_formed(xml), "%s", xml);
}

Test(introspect, malloc_info_knows_no_options_and_tells_a_full_disk)
{
    cr_assert_eq(midden_malloc_info(1, stderr), EINVAL);
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        cr_skip_test("no /dev/full");
    setvbuf(full, NULL, _IONBF, 0);
    cr_assert_eq(midden_malloc_info(0, full), EIO);
    fclose(full);
}

Test(introspect, malloc_stats_writes_on_stderr)
{
    char text[4096];
    int ends[2], saved = dup(2);
    midden_malloc(40);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], 2);
    midden_malloc_stats();
    dup2(saved, 2);
    close(ends[1]);
    ssize_t got = read(ends[0], text, sizeof text - 1);
    cr_assert_gt(got, 0);
    text[got] = '\0';
    cr_assert_not_null(strstr(text, "in use by the program"));
    cr_assert_not_null(strstr(text, "48 B"));
}

/* -- malloc_trim ------------------------------------------------------------------------------- */

enum { BLOCKS = 300 };

/* Every third block stays; what the two between cover whole is given back. */
static void trim_between(size_t bytes)
{
    static unsigned char *block[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        block[i] = memset(midden_malloc(bytes), (int)(i & 255), bytes);
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i % 3 != 0)
            midden_free(block[i]);
    size_t before = resident_bytes(), expected = (BLOCKS / 3 - 10) * bytes;
    cr_assert_eq(midden_malloc_trim(0), 1);
    cr_assert_leq(resident_bytes() + expected, before, "blocks of %zu", bytes);
    cr_assert_eq(midden_malloc_trim(0), 0, "nothing is left for a second time");
    for (unsigned i = 0; i < BLOCKS; i += 3)
        for (size_t k = 0; k < bytes; k += 511)
            cr_assert_eq(block[i][k], i & 255);
    for (unsigned i = 0; i < BLOCKS; i += 3)
        midden_free(block[i]);
}

Test(introspect, trim_gives_back_the_pages_of_free_blocks_between_others)
{
    trim_between(8192);
    trim_between(16384);
    trim_between(40000);
}

/* Every fourth stays, so that no slab becomes empty. */
Test(introspect, what_was_trimmed_can_be_had_again_and_trimmed_again)
{
    static char *block[64];
    for (unsigned round = 1; round < 5; round++) {
        for (unsigned i = 0; i < 64; i++)
            if (block[i] == NULL)
                block[i] = memset(midden_malloc(8192), (int)round, 8192);
        for (unsigned i = 0; i < 64; i++) {
            cr_assert_eq(block[i][8191], i % 4 != 0 ? round : 1);
            if (i % 4 != 0) {
                midden_free(block[i]);
                block[i] = NULL;
            }
        }
        size_t before = resident_bytes();
        cr_assert_eq(midden_malloc_trim(0), 1);
        cr_assert_leq(resident_bytes() + 40 * 8192, before);
        cr_assert_eq(midden_malloc_trim(0), 0);
    }
}

Test(introspect, blocks_that_were_never_issued_have_nothing_to_give)
{
    char *block = midden_malloc(8192);
    block[0] = 1;
    cr_assert_eq(midden_malloc_trim(0), 0);
    char *next = midden_malloc(8192);
    next[0] = 1;
    midden_free(next);
    cr_assert_eq(midden_malloc_trim(0), 1);
    cr_assert_eq(midden_malloc_trim(0), 0);
}

/* One block of sixteen stays, and the thread ends. */
static void *leave_orphans(void *arg)
{
    static char *block[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++)
        block[i] = memset(midden_malloc(16384), 3, 16384);
    for (unsigned i = 0; i < BLOCKS; i++)
        if (i % 4 != 0)
            midden_free(block[i]);
    memcpy(arg, &block[0], sizeof block[0]);
    return NULL;
}

Test(introspect, trim_reaches_what_ended_threads_left)
{
    pthread_t thread;
    char *kept;
    midden_free(midden_malloc(1));
    pthread_create(&thread, NULL, leave_orphans, &kept);
    pthread_join(thread, NULL);
    size_t before = resident_bytes();
    cr_assert_eq(midden_malloc_trim(0), 1);
    cr_assert_leq(resident_bytes() + BLOCKS / 2 * 16384, before);
    cr_assert_eq(kept[16383], 3);
    midden_free(kept);
}

/* -- tuning, state ----------------------------------------------------------------------------- */

Test(introspect, mallopt_takes_what_glibc_knows)
{
    static const int known[] = { M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD,
                                 M_MMAP_MAX, M_CHECK_ACTION, M_PERTURB, M_ARENA_TEST, M_ARENA_MAX };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        cr_assert_eq(midden_mallopt(known[i], 1), 1, "%d", known[i]);
    cr_assert_eq(midden_mallopt(-4711, 1), 0);
    cr_assert_eq(midden_mallopt(0, 1), 0);
}

Test(introspect, a_heap_is_neither_saved_nor_restored)
{
    errno = 0;
    cr_assert_null(midden_malloc_get_state());
    cr_assert_eq(errno, ENOSYS);
    cr_assert_eq(midden_malloc_set_state(&errno), -1);
}
