/* contents.c - what lies in a block survives realloc between all sizes, with neighbours in use on
 *      both sides. */
#include "tap.h"

static const size_t sizes[] = { 1, 16, 100, 1000, 2048, 2049, 10000, 65536, 100000, 262144, 262145,
    300000, 1000000, 5000000 };
enum { SIZES = sizeof sizes / sizeof *sizes };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int pairs(void)
{
    int bad = 0;

    for (int from = 0; from < SIZES; from++)
        for (int to = 0; to < SIZES; to++) {
            char *p = malloc(sizes[from]), *other = malloc(sizes[to]);

            fill(p, sizes[from], 1);
            fill(other, sizes[to], 2);
            p = realloc(p, sizes[to]);
            bad += !p || !holds(p, least(sizes[from], sizes[to]), 1);
            fill(p, sizes[to], 3);
            bad += !holds(other, sizes[to], 2);
            p = realloc(p, sizes[from]);
            bad += !p || !holds(p, least(sizes[from], sizes[to]), 3);
            free(p);
            free(other);
        }
    return bad;
}

/* A vector that grows by a little each time, up to some MiB and down again. */
static int vector(void)
{
    size_t had = 1;
    char  *p = malloc(1);
    int    bad = 0;

    fill(p, 1, 7);
    for (size_t n = 2; n < 8000000; n += n / 13 + 1) {
        p = realloc(p, n);
        bad += !p || !holds(p, had, 7);
        fill(p, n, 7);
        had = n;
    }
    while (had > 10) {
        had -= had / 11 + 1;
        p = realloc(p, had);
        bad += !p || !holds(p, had, 7);
    }
    free(p);
    return bad;
}

/* Many blocks resized at random; each keeps its own. */
static int crowd(void)
{
    enum { COUNT = 200 };
    static char  *block[COUNT];
    static size_t had[COUNT];
    unsigned      state = 99;
    int           bad = 0;

    for (int step = 0; step < 30000; step++) {
        unsigned at = next_random(&state) % COUNT;
        size_t   n = random_bytes(&state) + 1;

        block[at] = realloc(block[at], n);
        bad += !block[at] || !holds(block[at], least(had[at], n), at);
        fill(block[at], n, at);
        had[at] = n;
    }
    for (int i = 0; i < COUNT; i++)
        free(block[i]);
    return bad;
}

int main(void)
{
    size_t huge = (size_t)1 << 28;
    char  *p;

    check(pairs() == 0, "between all pairs of sizes");
    check(vector() == 0, "a vector that grows and shrinks");
    check(crowd() == 0, "two hundred blocks at random");
    p = malloc(huge);
    p[0] = 1, p[huge - 1] = 2;
    p = realloc(p, 2 * huge);
    check(p && p[0] == 1 && p[huge - 1] == 2, "256 MiB become 512 MiB");
    p = realloc(p, 100);
    check(p && p[0] == 1, "and 100 bytes");
    free(p);
    return done();
}
