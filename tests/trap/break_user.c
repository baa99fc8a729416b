/* break_user.c - a program with an allocator of its own on sbrk, beside the heap. */
#include "tap.h"

int main(void)
{
    char *mine = sbrk(1 << 20);
    int   bad = 0;

    fill(mine, 1 << 20, 1);
    for (int i = 0; i < 20; i++) {
        char *more = sbrk(1 << 16);

        bad += more == (void *)-1;
        fill(more, 1 << 16, (unsigned)i);
        bad += churn((unsigned)i, 2000) != 0;
        bad += !holds(more, 1 << 16, (unsigned)i);
    }
    check(bad == 0 && holds(mine, 1 << 20, 1), "memory from sbrk keeps its contents");
    return done();
}
