/* wild_realloc.c - addresses at which nothing can be, given to realloc.
 * expect-signal: ABRT
 * args: 0x10
 * expect-sentence: invalid realloc({p}): nothing is mapped at this address
 * args: 0x5a5a5a5a5a5a5a5a
 * expect-sentence: invalid realloc({p}): nothing is mapped at this address
 * args: 0xffffffffffffffff
 * expect-sentence: invalid realloc({p}): nothing is mapped at this address
 */
#include "crime.h"

int main(int argc, char **argv)
{
    hide(realloc(say("p", (void *)size_argument(argc, argv, 16)), 100));
    return survived();
}
