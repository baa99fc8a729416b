/* alloca.c - what alloca returned, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address lies on this thread's stack
 */
#include "crime.h"

#include <alloca.h>

int main(int argc, char **argv)
{
    void *p = alloca(size_argument(argc, argv, 100));

    free(say("p", p));
    return survived();
}
