/* off.c - a program that keeps the malloc it would have without midden, and makes managed objects.
 * seconds: 60
 */
#include "check.h"

enum { CIRCLES = 20000, BLOCKS = 1000 };

static uintptr_t *block;                         /* hidden */

static NOINLINE void drop_circles(void)
{
    for (int i = 0; i < CIRCLES; i++)
        midden_release(ring(1));
}

static NOINLINE void drop_blocks(void)
{
    for (int i = 0; i < BLOCKS; i++)
        block[i] = hidden(midden_alloc(100));
}

static int without_malloc(void)
{
    uint64_t before = collections(0) + collections(1) + collections(2);
    long     found;

    drop_circles();
    if (collections(0) + collections(1) + collections(2) < before + CIRCLES / 1000)
        return 2;                                /* not counted: no threshold was passed */
    found = midden_collect(MIDDEN_FULL);
    if (found < 0 || ends() != CIRCLES)
        return 3;
    block = table(BLOCKS * sizeof *block);
    drop_blocks();
    wipe();
    midden_collect(MIDDEN_FULL);
    return count_in_use(block, BLOCKS) > BLOCKS / 100 ? 4 : 1;
}

int main(int argc, char **argv)
{
    int status;

    if (argc > 1)
        return without_malloc();
    setenv("MIDDEN_OPTIONS", "midden=off", 1);
    status = again("off", RLIMIT_CORE, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 1,
        "circles and blocks are found where malloc is another's: %#x", status);
    return done();
}
