/* alignment_huge.c - alignments of gigabytes: refused, or kept. */
#include "tap.h"

enum { LEAST = 21, MOST = 46 };

static void point(size_t bytes)
{
    void    *block[MOST];
    unsigned refused = 0, astray = 0;

    for (unsigned shift = LEAST; shift < MOST; shift++) {
        block[shift] = aligned_alloc((size_t)1 << shift, bytes);
        refused += block[shift] == NULL;
        astray += ((uintptr_t)block[shift] & (((size_t)1 << shift) - 1)) != 0;
        if (block[shift])
            fill(block[shift], bytes, shift);
    }
    check(astray == 0, "%zu bytes: %u of %u alignments not kept", bytes, astray, MOST - LEAST);
    check(refused <= MOST - 30, "%u refused", refused);
    for (unsigned shift = LEAST; shift < MOST; shift++) {
        if (block[shift])
            check(holds(block[shift], bytes, shift), "the block at 1 << %u is whole", shift);
        free(block[shift]);
    }
}

int main(void)
{
    point(100);
    point(300000);
    errno = 0;
    check(!aligned_alloc((size_t)1 << 62, 16) && errno == ENOMEM, "what cannot be is ENOMEM");
    return done();
}
