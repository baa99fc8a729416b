/* unmapped.c - an address in a mapping that was taken away, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): nothing is mapped at this address
 */
#include "crime.h"

#include <sys/mman.h>

int main(void)
{
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || munmap(p, 1 << 20) != 0)
        return 1;
    free(say("p", p + 4096));
    return survived();
}
