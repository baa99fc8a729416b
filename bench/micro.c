/* micro.c - one allocation pattern a run, timed inside: `micro PATTERN [ROUNDS]` prints nanoseconds per malloc+free pair
 * and peak resident KiB. The allocator is whatever LD_PRELOAD puts under it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t seed = 88172645463325252u;
static uint32_t draw(void)                       /* xorshift64: G. Marsaglia, "Xorshift RNGs", 2003 */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* Not ru_maxrss: that begins with what the process was before exec. */
static long peak_kib(void)
{
    char line[256];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtol(line + 6, NULL, 10);
    if (status != NULL)
        fclose(status);
    return peak;
}

static void *volatile sink;

static size_t pair(size_t rounds)
{
    for (size_t i = 0; i < rounds; i++) {
        sink = malloc(32);
        free(sink);
    }
    return rounds;
}

static size_t lifo(size_t rounds)
{
    void *held[64];
    for (size_t i = 0; i < rounds; i += 64) {
        for (size_t k = 0; k < 64; k++)
            *(char *)(held[k] = malloc(16 + k % 8 * 16)) = 1;
        for (size_t k = 64; k-- > 0;)
            free(held[k]);
    }
    return rounds;
}

static size_t replace(size_t rounds, size_t count, size_t most)
{
    void **held = calloc(count, sizeof *held);
    for (size_t i = 0; i < rounds; i++) {
        uint32_t r = draw();
        size_t k = r % count;
        free(held[k]);
        *(char *)(held[k] = malloc(16 + (r >> 8) % most)) = 1;
    }
    for (size_t k = 0; k < count; k++)
        free(held[k]);
    free(held);
    return rounds;
}

static size_t random_small(size_t rounds)  { return replace(rounds, 1000, 512); }
static size_t random_large(size_t rounds)  { return replace(rounds, 100000, 512); }
static size_t random_mixed(size_t rounds)  { return replace(rounds, 10000, 65536); }

struct node {
    struct node *left, *right;
    long value[2];
};
static size_t nodes;
static struct node *grow(unsigned depth)
{
    struct node *node = malloc(sizeof *node);
    nodes++;
    node->value[0] = depth;
    node->left = depth != 0 ? grow(depth - 1) : NULL;
    node->right = depth != 0 ? grow(depth - 1) : NULL;
    return node;
}
static long walk(const struct node *node)
{
    return node == NULL ? 0 : node->value[0] + walk(node->left) + walk(node->right);
}
static void fell(struct node *node)
{
    if (node == NULL)
        return;
    fell(node->left);
    fell(node->right);
    free(node);
}
static size_t tree(size_t rounds)
{
    for (nodes = 0; nodes < rounds;) {
        struct node *root = grow(19);
        sink = (void *)walk(root);
        fell(root);
    }
    return nodes;
}

static size_t bulk(size_t rounds)
{
    size_t count = 2000000;
    void **held = malloc(count * sizeof *held);
    for (size_t done = 0; done < rounds; done += count) {
        for (size_t k = 0; k < count; k++)
            *(char *)(held[k] = malloc(16 + draw() % 112)) = 1;
        for (size_t k = count; k-- > 1;) {
            size_t other = draw() % (k + 1);
            void *kept = held[k];
            held[k] = held[other];
            held[other] = kept;
        }
        for (size_t k = 0; k < count; k++)
            free(held[k]);
    }
    free(held);
    return (rounds + count - 1) / count * count;
}

static size_t vectors(size_t rounds)
{
    size_t done = 0;
    while (done < rounds) {
        char *vector = NULL;
        for (size_t bytes = 16; bytes <= 16 << 20; bytes += bytes / 2, done++)
            (vector = realloc(vector, bytes))[bytes - 1] = 1;
        free(vector);
    }
    return done;
}

static size_t big(size_t rounds)
{
    void *held[8] = { 0 };
    for (size_t i = 0; i < rounds; i++) {
        uint32_t r = draw();
        free(held[r % 8]);
        char *block = held[r % 8] = malloc(300000 + (r >> 4) % 3000000);
        block[0] = 1;
    }
    for (size_t k = 0; k < 8; k++)
        free(held[k]);
    return rounds;
}

static const struct pattern {
    const char *name;
    size_t (*run)(size_t rounds);
    size_t rounds;
} patterns[] = {
    { "pair", pair, 50000000 },          { "lifo", lifo, 50000000 },         { "random-1k", random_small, 20000000 },
    { "random-100k", random_large, 10000000 }, { "random-mixed", random_mixed, 2000000 }, { "tree", tree, 8000000 },
    { "bulk", bulk, 4000000 },           { "vectors", vectors, 20000 },      { "big", big, 100000 },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof patterns / sizeof patterns[0]; i++)
        if (strcmp(argv[1], patterns[i].name) == 0) {
            double start = now_ns();
            size_t done = patterns[i].run(argc > 2 ? strtoul(argv[2], NULL, 10) : patterns[i].rounds);
            double taken = now_ns() - start;
            printf("%s %.2f %ld\n", argv[1], taken / (double)done, peak_kib());
            return 0;
        }
    fprintf(stderr, "usage: micro PATTERN [ROUNDS]; patterns:");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        fprintf(stderr, " %s", patterns[i].name);
    fprintf(stderr, "\n");
    return 2;
}
