/* preloaded_early.c - a library preloaded in front, whose constructor and destructor allocate.
 * library: early
 * preload-before: early
 */
#include "../trap/tap.h"

extern char *early_block(void) __attribute__((weak));

int main(void)
{
    if (check(early_block != NULL, "the library is in front"))
        check(early_block()[999] == 7, "its constructor's block is whole");
    check(churn(1, 20000) == 0, "and the heap works");
    return done();
}
