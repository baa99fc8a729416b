/* moved.c - large blocks that move by their pages keep their contents, and leave few mappings
 * behind:
 *      a process may have 65,530, and each block that was moved is one or two.
 */
#include "tap.h"

enum { BLOCKS = 256, STEPS = 20000 };

static int mappings(void)
{
    char buffer[16384];
    int  lines = 0, file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    for (ssize_t got; (got = read(file, buffer, sizeof buffer)) > 0;)
        for (ssize_t i = 0; i < got; i++)
            lines += buffer[i] == '\n';
    close(file);
    return lines;
}

int main(void)
{
    static char *block[BLOCKS];
    unsigned     state = 1, lost = 0;
    int          before = mappings();

    for (int step = 0; step < STEPS; step++) {
        int    which = (int)(next_random(&state) % BLOCKS);
        size_t bytes = 600000 + next_random(&state) % 2000000;

        if (block[which] && next_random(&state) % 8 == 0) {
            free(block[which]);
            block[which] = NULL;
            continue;
        }
        if (block[which])
            lost += block[which][0] != (char)which || block[which][500000] != (char)(which + 1);
        block[which] = realloc(block[which], bytes);
        block[which][0] = (char)which;
        block[which][500000] = (char)(which + 1);
    }
    check(lost == 0, "contents move along");
    check(mappings() - before < 4 * BLOCKS, "%d mappings for %d blocks", mappings() - before,
          BLOCKS);
    return done();
}
