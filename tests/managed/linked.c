/* linked.c - a program that is linked with the library, and where nothing is preloaded.
 * preload: no
 */
#include "check.h"

int main(void)
{
    void **volatile holder = midden_alloc(64);
    void          **block = malloc(64);
    struct midden_object at = { .size = sizeof at };

    check(midden_object_at(block, &at) == 0 && at.start == block && at.kind == MIDDEN_MANUAL,
        "malloc is the library's");
    block[0] = midden_alloc(32);
    holder[0] = block;
    midden_release(ring(10));
    ends();
    check(midden_collect(MIDDEN_FULL) >= 10 && ends() == 10, "a ring goes");
    check(in_use(hidden(block[0])), "what a malloc block holds stays");
    return done();
}
