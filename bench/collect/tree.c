/* tree.c - trees that come and go: of one size at a time, of short and long lives, and a big old
 * one beside young objects. Depths are below 24, so recursion is shallow. */
#include "collect.h"

/* The exponent of the largest power of two up to `size`: a tree of that depth has twice as many
 * nodes. */
static unsigned depth_of(size_t size)
{
    return 63u - (unsigned)__builtin_clzll(size);
}

/* -- trees: the task of the Benchmarks Game ---------------------------------------------------- */

struct leaf {
    struct leaf *left, *right;
};

static struct leaf *leaf_tree;

static struct leaf *leaf_grow(unsigned depth)
{
    struct leaf *node = object_new(sizeof *node);
    if (depth != 0) {
        node->left = leaf_grow(depth - 1);
        node->right = leaf_grow(depth - 1);
    }
    return node;
}

static uint64_t leaf_count(const struct leaf *node)
{
    return node->left == NULL ? 1 : 1 + leaf_count(node->left) + leaf_count(node->right);
}

static void trees(struct job *job)
{
    unsigned most = depth_of(job->size);
    job->sum = mix(job->sum, leaf_count(leaf_grow(most + 1)));
    leaf_tree = leaf_grow(most);
    for (unsigned depth = 4; depth <= most; depth += 2) {
        uint64_t count = 0;
        for (size_t i = 0; i < (size_t)1 << (most - depth + 4); i++)
            count += leaf_count(leaf_grow(depth));
        job->sum = mix(job->sum, count);
    }
    job->sum = mix(job->sum, leaf_count(leaf_tree));
    job->roots[0] = leaf_tree;
}

/* -- lives: trees built from above and from below, beside what lives long ---------------------- */

struct node {
    struct node *left, *right;
    uint32_t     depth, number;
};

static struct node *node_tree;
static double *node_array;

/* From above: the parent is there first, and old when its children are stored. */
static void node_populate(struct node *node, unsigned depth)
{
    if (depth == 0)
        return;
    node->depth = depth;
    node->left = object_new(sizeof *node);
    node->right = object_new(sizeof *node);
    node_populate(node->left, depth - 1);
    node_populate(node->right, depth - 1);
}

static struct node *node_build(unsigned depth)   /* from below */
{
    struct node *left = depth != 0 ? node_build(depth - 1) : NULL;
    struct node *right = depth != 0 ? node_build(depth - 1) : NULL;
    struct node *node = object_new(sizeof *node);
    *node = (struct node){ left, right, depth, depth * 3 };
    return node;
}

static uint64_t node_sum(const struct node *node)
{
    uint64_t sum = node->depth + node->number;
    return node->left == NULL ? sum : sum + node_sum(node->left) + node_sum(node->right);
}

/* As many nodes for each depth; the trees are summed on one path only. */
static void lives_round(struct job *job, unsigned depth, size_t rounds)
{
    for (size_t i = 0; i < rounds; i++) {
        struct node *above = object_new(sizeof *above);
        node_populate(above, depth);
        const struct node *below = node_build(depth);
        for (const struct node *at = above; at != NULL; at = at->left)
            job->sum = mix(job->sum, at->depth);
        for (const struct node *at = below; at != NULL; at = at->right)
            job->sum = mix(job->sum, at->depth + at->number);
    }
}

static void lives(struct job *job)
{
    enum { NUMBERS = 500000 };
    unsigned stretch = depth_of(job->size), longest = stretch < 6 ? stretch : stretch - 2;
    job->sum = mix(job->sum, node_sum(node_build(stretch)));
    node_tree = object_new(sizeof *node_tree);
    node_populate(node_tree, longest);
    node_array = leaf_new(NUMBERS * sizeof *node_array);
    for (size_t i = 0; i < NUMBERS; i++)
        node_array[i] = 1.0 / (double)(i + 1);
    for (unsigned depth = 4; depth <= longest; depth += 2)
        lives_round(job, depth, ((size_t)4 << stretch) >> depth);
    job->sum = mix(job->sum, node_sum(node_tree) + (uint64_t)(1e6 * node_array[NUMBERS / 2]));
    job->roots[0] = node_tree;
    job->roots[1] = node_array;
}

/* -- young: a big old heap, many young objects ------------------------------------------------- */

struct elder {
    struct elder *left, *right;
    uint64_t     *young;                         /* now and then, an object that would be gone */
    uint64_t      number;
};

enum { WINDOW = 1024, ADOPTED = 500 };           /* young objects alive; one of so many is kept */

static struct {
    struct elder *tree;
    uint64_t     *window[WINDOW];
} young_roots;

static struct elder *elder_build(unsigned depth, uint64_t number)
{
    struct elder *node = object_new(sizeof *node);
    node->number = number;
    if (depth != 0) {
        node->left = elder_build(depth - 1, number * 2);
        node->right = elder_build(depth - 1, number * 2 + 1);
    }
    return node;
}

static struct elder *elder_drawn(struct draw *draw)
{
    uint32_t way = draw_next(draw);
    struct elder *node = young_roots.tree;
    while (node->left != NULL && way % 16 != 0) {
        node = way & 1 ? node->left : node->right;
        way >>= 1;
    }
    return node;
}

static void young(struct job *job)
{
    struct draw draw = { 2463534242 };
    young_roots.tree = elder_build(depth_of(job->size / 8 + 2), 1);
    for (size_t i = 0; i < job->size; i++) {
        size_t words = 2 + draw_below(&draw, 14);
        uint64_t *object = object_new(words * sizeof *object), **slot;
        object[words - 1] = i;
        slot = &young_roots.window[i % WINDOW];
        if (*slot != NULL)
            job->sum += (*slot)[1] ^ i;
        object[1] = i;
        *slot = object;
        if (i % ADOPTED == 0) {
            struct elder *elder = elder_drawn(&draw);
            job->sum = mix(job->sum, elder->young != NULL ? elder->young[1] : elder->number);
            elder->young = object;
        }
    }
    job->roots[0] = young_roots.tree;
}

const struct program tree_programs[] = {
    { "trees", trees, (size_t)1 << 17, "complete binary trees, each depth the same bytes in all" },
    { "lives", lives, (size_t)1 << 19, "trees built from above and below; long lives beside" },
    { "young", young, 16000000, "short-lived objects, and a few that an old heap keeps" },
    { 0 }
};
