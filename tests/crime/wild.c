/* wild.c - addresses at which nothing can be: low, unaligned, not canonical, in the kernel, the
 *     last byte.
 * expect-signal: ABRT
 * args: 0x10
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0x1
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0xfff0
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0x800000000000
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0x8000000000000010
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0x5a5a5a5a5a5a5a5a
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0xfffffffffffffff0
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 * args: 0xffffffffffffffff
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 */
#include "crime.h"

int main(int argc, char **argv)
{
    free(say("p", (void *)size_argument(argc, argv, 16)));
    return survived();
}
