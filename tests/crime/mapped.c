/* mapped.c - a page from mmap, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address belongs to no block of midden, and no other
 *     allocator is there to take it
 */
#include "crime.h"

#include <sys/mman.h>

int main(void)
{
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return 1;
    free(say("p", p + 4096));
    return survived();
}
