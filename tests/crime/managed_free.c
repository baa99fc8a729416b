/* managed_free.c - free() of a managed object.
 * expect-signal: ABRT
 * args: counted 48
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: counted 5000
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: counted 3000000
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: uncounted 48
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: uncounted 3000000
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: leaf 48
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 * args: interned 48
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 */
#include "managed.h"

static void *made(const char *kind, size_t bytes)
{
    char text[48];

    memset(text, 'x', sizeof text);
    if (!strcmp(kind, "counted"))
        return counted(bytes);
    if (!strcmp(kind, "uncounted"))
        return LIBRARY(midden_alloc)(bytes);
    if (!strcmp(kind, "leaf"))
        return LIBRARY(midden_alloc_leaf)(bytes);
    return (void *)LIBRARY(midden_intern)(text, sizeof text);
}

int main(int argc, char **argv)
{
    void *p = say("p", made(argv[1], strtoul(argv[2], NULL, 0)));

    free(p);
    return managed_survived();
}
