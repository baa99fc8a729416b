/* mapped_file.c - a mapped file, freed.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the address belongs to no block of midden, and no other
 *     allocator is there to take it
 * expect-sentence: invalid free({p}): the address lies in static data of *
 */
#include "crime.h"

#include <fcntl.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
    int   file = open(argv[argc - 1], O_RDONLY);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0);

    if (p == MAP_FAILED)
        return 1;
    free(say("p", p));
    return survived();
}
