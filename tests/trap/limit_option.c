/* limit_option.c - the option limit=64M: malloc fails beyond it, with ENOMEM, and frees make room.
 * options: limit=64M
 */
#include "tap.h"

static char *block[200];

int main(void)
{
    int  count = 0, again = 0;

    if (!getenv("LD_PRELOAD"))
        skip_all("an option of the library alone");
    while (count < 200 && (block[count] = malloc(1 << 20)) != NULL)
        memset(block[count++], 1, 1 << 20);
    check(count >= 56 && count <= 64 && errno == ENOMEM, "64 MiB in blocks of 1 MiB: %d", count);
    check(!malloc(8 << 20), "no more");
    for (int i = 0; i < count; i += 2)
        free(block[i]);
    while (again < 200 && malloc(1 << 20))
        again++;
    check(again >= count / 2 - 2, "half of them freed: as many again: %d", again);
    return done();
}
