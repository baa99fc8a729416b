/* limit.c - tests of limits on address space set while the program runs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap/cage.h"
#include "heap/meta.h"
#include "heap/span.h"
#include "heap/walk.h"

void *midden_malloc(size_t bytes);
void  midden_free(void *block);
int   midden_setrlimit(int resource, const struct rlimit *limit);
int   midden_setrlimit64(int resource, const struct rlimit64 *limit);
int   midden_prlimit(pid_t process, int resource, const struct rlimit *next, struct rlimit *last);
int   midden_prlimit64(pid_t process, int resource, const struct rlimit64 *next,
                       struct rlimit64 *last);

static size_t mapped_bytes(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_eq(fscanf(file, "%zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool is_mapped(word at)
{
    unsigned char resident;
    return mincore((void *)round_down(at, cage.facts.page_bytes), 1, &resident) == 0;
}

static int limit_to(size_t bytes)
{
    struct rlimit limit = { bytes, RLIM_INFINITY };
    return midden_setrlimit(RLIMIT_AS, &limit);
}

static void begin(void)
{
    midden_free(midden_malloc(1));
    if (cage.planned)
        cr_skip_test("the address space is limited from outside");
}

/* -- what goes back ---------------------------------------------------------------------------- */

Test(limit, a_lower_limit_gives_back_what_was_never_reached)
{
    begin();
    size_t before = mapped_bytes();
    cr_assert_eq(limit_to(GIB(1)), 0);
    cr_assert(cage.planned);
    cr_assert_leq(mapped_bytes() + cage.bytes - cage.reach, before);
    cr_assert(is_mapped((word)cage.slab_of));
    cr_assert(!is_mapped((word)&cage.slab_of[(cage.bytes >> SLICE_SHIFT) - 1]));
    cr_assert(!is_mapped(cage_tables.side + cage_tables.side_bytes - 1), "nor the bitmaps");
    cr_assert(!is_mapped(cage_tables.meta + cage_tables.meta_bytes - 1), "nor the descriptors");
}

static void *bump(size_t *count, size_t bytes)
{
    char *block = midden_malloc(bytes);
    if (block != NULL) {
        memset(block, 1, bytes);
        ++*count;
    }
    return block;
}

Test(limit, the_heap_grows_on_below_the_limit_and_ends_at_it)
{
    size_t small = 0, large = 0, room = MIB(400);
    begin();
    char *kept = strcpy(midden_malloc(100000), "kept");
    cr_assert_eq(limit_to(GIB(1)), 0);
    cr_assert_eq(limit_to(mapped_bytes() + room), 0);
    size_t enough = DEBUG_BUILD ? 4000 : 200000;          /* slabs hold few blocks there */
    while (small < enough && bump(&small, 500) != NULL)
        ;
    cr_assert_eq(small, enough, "small blocks");
    errno = 0;
    while (large < 4000 && bump(&large, MIB(1)) != NULL)
        ;
    cr_assert_eq(errno, ENOMEM);
    cr_assert_gt(large, 100, "of what is left, %zu", large);
    cr_assert_lt(large, 400);
    cr_assert_str_eq(kept, "kept");
    span_validate();
}

Test(limit, what_others_map_in_the_gap_is_left_alone)
{
    begin();
    cr_assert_eq(limit_to(GIB(1)), 0);
    char *at = (char *)midden_malloc(MIB(1)) + MIB(16);
    char *other = mmap(at, MIB(1), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    cr_assert_eq(other, at);
    memset(other, 9, MIB(1));
    size_t count = 0;
    while (count < 100 && bump(&count, MIB(1)) != NULL)
        ;
    cr_assert_gt(count, 10, "up to there, at least");
    for (size_t i = 0; i < MIB(1); i++)
        cr_assert_eq(other[i], 9);
    struct walk_block block;
    cr_assert(!walk_look((word)other, &block));
    cr_assert(!cage_is_bookkeeping((word)other));
}

Test(limit, own_tables_are_still_told_apart)
{
    begin();
    word table = (word)cage.slab_of, meta = cage_tables.meta;
    cr_assert(cage_is_bookkeeping(table) && cage_is_bookkeeping(meta));
    cr_assert_eq(limit_to(GIB(1)), 0);
    cr_assert(cage_is_bookkeeping(table) && cage_is_bookkeeping(meta));
    cr_assert(!cage_is_bookkeeping(meta + meta_reach()));
}

/* -- what leaves it alone ---------------------------------------------------------------------- */

Test(limit, other_limits_and_wide_ones_change_nothing)
{
    struct rlimit files = { 64, 64 }, none = { RLIM_INFINITY, RLIM_INFINITY }, now;
    begin();
    cr_assert_eq(midden_setrlimit(RLIMIT_NOFILE, &files), 0);
    cr_assert_eq(midden_setrlimit(RLIMIT_AS, &none), 0);
    cr_assert_eq(limit_to(cage.bytes * 8), 0);
    cr_assert_eq(midden_prlimit(0, RLIMIT_AS, NULL, &now), 0);
    cr_assert_eq(now.rlim_cur, cage.bytes * 8);
    cr_assert(!cage.planned);
}

Test(limit, every_name_for_it_works)
{
    struct rlimit64 wide = { GIB(2), RLIM64_INFINITY }, last;
    struct rlimit limit = { GIB(1), RLIM_INFINITY }, was;
    begin();
    cr_assert_eq(midden_setrlimit64(RLIMIT_AS, &wide), 0);
    cr_assert(cage.planned);
    cr_assert_eq(midden_prlimit(getpid(), RLIMIT_AS, &limit, &was), 0);
    cr_assert_eq(was.rlim_cur, GIB(2));
    cr_assert_eq(midden_prlimit64(0, RLIMIT_AS, NULL, &last), 0);
    cr_assert_eq(last.rlim_cur, GIB(1));
}

Test(limit, errors_are_those_of_the_system)
{
    struct rlimit upside_down = { 2, 1 };
    errno = 0;
    cr_assert_eq(midden_setrlimit(RLIMIT_AS, &upside_down), -1);
    cr_assert_eq(errno, EINVAL);
    cr_assert_eq(midden_setrlimit(4711, &upside_down), -1);
    cr_assert_eq(errno, EINVAL);
    cr_assert_eq(midden_setrlimit(RLIMIT_AS, (struct rlimit *)1), -1);
    cr_assert_eq(errno, EFAULT);
}

/* -- children ---------------------------------------------------------------------------------- */

Test(limit, a_vfork_child_leaves_its_parents_memory_alone)
{
    begin();
    int status;
    pid_t child = vfork();
    if (child == 0)
        _exit(limit_to(GIB(1)) == 0 ? 0 : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert(!cage.planned);
}

/* fork, with the handlers or behind their back: the memory is the child's own. */
static void trim_in_child(pid_t child)
{
    int status;
    if (child == 0) {
        bool trimmed = limit_to(GIB(1)) == 0 && cage.planned;
        size_t count = 0;
        for (unsigned i = 0; i < 100; i++)
            trimmed &= bump(&count, MIB(1)) != NULL;
        _exit(trimmed ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert(!cage.planned);
}

Test(limit, a_forked_child_trims_its_own)
{
    begin();
    trim_in_child(fork());
}

Test(limit, so_does_one_the_fork_handlers_do_not_know)
{
    begin();
    trim_in_child(_Fork());
}
