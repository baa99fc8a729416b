/* deep.c - a library that is to be loaded with RTLD_DEEPBIND: its malloc is the C library's own.
 * part: yes
 */
#include <stdlib.h>
#include <string.h>

char *deep_copy(const char *text)
{
    return strdup(text);
}

void *deep_block(size_t bytes)
{
    char *p = malloc(bytes);

    if (p)
        memset(p, 0x3c, bytes);
    return p;
}
