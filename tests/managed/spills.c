/* spills.c - more objects waiting to be looked into than a marker's stack has room for.
 * seconds: 60
 *
 * Sheets of pointers, each to the next by its last word: a depth-first search comes to the last of
 * them with nearly all that the others point at still waiting.
 */
#include "check.h"

enum { SHEETS = 24, WORDS = 7500, HOLDERS = SHEETS * (WORDS - 1) };

struct holder {
    void *held;
};

static void     **root;
static uintptr_t *held;                          /* hidden */
static long       holders;

static NOINLINE void build(void)
{
    void ***place = &root;
    long    most = every_count() ? 100 : WORDS;

    for (int sheet = 0; sheet < SHEETS; sheet++) {
        void **words = *place = midden_alloc(WORDS * sizeof *words);

        for (int i = 0; i < most - 1; i++) {
            struct holder *holder = words[i] = midden_alloc(sizeof *holder);

            holder->held = midden_alloc_leaf(16);
            held[holders++] = hidden(holder->held);
        }
        place = (void ***)&words[most - 1];
    }
}

static long lost(void)
{
    long count = 0;

    for (long i = 0; i < holders; i++)
        count += !in_use(held[i]);
    return count;
}

int main(void)
{
    held = table(HOLDERS * sizeof *held);
    midden_disable();
    build();
    wipe();
    midden_collect(MIDDEN_FULL);
    check(lost() == 0, "what waits where no room was left keeps what it holds");
    midden_collect(MIDDEN_FULL);
    check(lost() == 0, "at the next collection, too");
    return done();
}
