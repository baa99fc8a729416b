/* managed_release_other.c - released what is no counted object.
 * expect-signal: ABRT
 * args: block
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: uncounted
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: leaf
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: inside
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: before
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: odd
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: stack
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: static
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: wild
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: low
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 * args: high
 * expect-sentence: invalid midden_release({p}): no counted object begins there
 */
#include "managed.h"

static char at_rest[256] __attribute__((aligned(64)));

static void *culprit(const char *kind, char *on_stack)
{
    char *object = (char *)counted(200);

    if (!strcmp(kind, "block"))
        return (char *)malloc(200) + 16;
    if (!strcmp(kind, "uncounted"))
        return LIBRARY(midden_alloc)(200);
    if (!strcmp(kind, "leaf"))
        return LIBRARY(midden_alloc_leaf)(200);
    if (!strcmp(kind, "inside"))
        return object + 64;
    if (!strcmp(kind, "before"))
        return object - 16;
    if (!strcmp(kind, "odd"))
        return object + 1;
    if (!strcmp(kind, "stack"))
        return on_stack;
    if (!strcmp(kind, "static"))
        return at_rest + 64;
    if (!strcmp(kind, "wild"))
        return object + ((size_t)1 << 30);
    return (void *)(kind[0] == 'l' ? (uintptr_t)64 : ~(uintptr_t)4095);
}

int main(int argc, char **argv)
{
    char on_stack[256] __attribute__((aligned(64))) = { 1 };

    release(say("p", culprit(argv[1], on_stack + 64)));
    return managed_survived();
}
