/* count.c - the fast paths, nothing around them: for counting instructions.
 * Use         count PATTERN ROUNDS
 * Job         The same pattern by two numbers of rounds, under a tool that counts instructions:
 *             the difference over the difference is what one round executes. `none` is the loop
 *             without malloc; what is left after taking it away is malloc and free, and the calls
 *             of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

static void none(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++)
        kept = (void *)i;
}

static void pair(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        kept = malloc(32);
        free(kept);
    }
}

static void large(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        kept = malloc(1000);
        free(kept);
    }
}

static void medium(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        kept = malloc(5000);
        free(kept);
    }
}

static void aligned(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        void *block = NULL;
        kept = (void *)(size_t)posix_memalign(&block, 64, 100);
        free(block);
    }
}

static void zeroed(unsigned long rounds)
{
    for (unsigned long i = 0; i < rounds; i++) {
        kept = calloc(1, 32);
        free(kept);
    }
}

/* realloc to what fits anyway */
static void same(unsigned long rounds)
{
    kept = malloc(32);
    for (unsigned long i = 0; i < rounds; i++)
        kept = realloc(kept, 31 + (i & 1));
    free(kept);
}

/* Sixteen at once, so that blocks go out and in by turns of the free list or bitmap; counted per
 * block. */
static void batch(unsigned long rounds)
{
    void *held[16];
    for (unsigned long i = 0; i < rounds / 16; i++) {
        for (int k = 0; k < 16; k++)
            kept = held[k] = malloc(48);
        for (int k = 0; k < 16; k++)
            free(held[k]);
    }
}

/* One of forty at a time, drawn at random: what is free is spread over a few pages.
 * The draw is counted with it. */
static void turns(unsigned long rounds)
{
    static void *held[40];
    unsigned drawn = 1;
    for (unsigned long i = 0; i < rounds; i++) {
        drawn = drawn * 1103515245 + 12345;
        void **slot = &held[(drawn >> 16) % 40];
        free(*slot);
        kept = *slot = malloc(256);
    }
}

/* Blocks of one size, half of them freed in pairs, then a third as many of a size that fits in no
 * hole; counted per block of the first kind. */
static void holes(unsigned long rounds)
{
    void **held = calloc(rounds, sizeof *held);
    for (unsigned long i = 0; i < rounds; i++)
        held[i] = malloc(10240);
    for (unsigned long i = 0; i < rounds; i++)
        if (i / 2 % 2 != 0)
            free(held[i]);
    for (unsigned long i = 0; i < rounds / 3; i++)
        kept = malloc(14336);
    free(held);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(unsigned long rounds);
    } patterns[] = {
        { "none", none }, { "pair", pair }, { "large", large },
        { "medium", medium }, { "aligned", aligned }, { "zeroed", zeroed },
        { "same", same }, { "batch", batch }, { "turns", turns },
        { "holes", holes },
    };
    for (size_t i = 0; argc == 3 && i < sizeof patterns / sizeof patterns[0]; i++)
        if (strcmp(argv[1], patterns[i].name) == 0) {
            free(malloc(32));
            patterns[i].run(strtoul(argv[2], NULL, 10));
            return 0;
        }
    fprintf(stderr, "usage: count none|pair|large|medium|aligned|zeroed|same|batch|turns|"
                    "holes ROUNDS\n");
    return 2;
}
