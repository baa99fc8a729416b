/* early.c - a library whose constructor allocates before anything of the program has run.
 * part: yes
 */
#include <stdlib.h>
#include <string.h>

static char *kept;

__attribute__((constructor(101))) static void early_start(void)
{
    kept = malloc(1000);
    memset(kept, 7, 1000);
    free(malloc(100000));
    kept = realloc(kept, 3000);
}

__attribute__((destructor(101))) static void early_end(void)
{
    free(kept);
    free(malloc(50));
}

char *early_block(void)
{
    return kept;
}
