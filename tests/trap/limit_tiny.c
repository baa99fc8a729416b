/* limit_tiny.c - a limit of less than the smallest span is a limit all the same.
 * options: limit=10K
 */
#include "tap.h"

enum { BLOCK = 1000, MOST = 1 << 20 };

int main(void)
{
    size_t total = 0;

    while (total < MOST && malloc(BLOCK))
        total += BLOCK;
    check(total < MOST / 4, "%zu bytes were had under a limit of 10 KiB", total);
    check(errno == ENOMEM, "and then no more");
    return done();
}
