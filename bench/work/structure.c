/* structure.c - what programs build of blocks: trees, tables, vectors, text. */
#include "work.h"

#include <string.h>

/* -- trees of equal nodes ---------------------------------------------------------------------- */

struct node {
    struct node *left, *right;
    uint64_t value[2];
};

/* Recursion as deep as the tree, which is 16. */
static struct node *tree_grow(struct job *job, unsigned depth)
{
    struct node *node = take(sizeof *node);
    node->value[0] = depth;
    node->value[1] = job->blocks++;
    node->left = depth != 0 ? tree_grow(job, depth - 1) : NULL;
    node->right = depth != 0 ? tree_grow(job, depth - 1) : NULL;
    return node;
}

static uint64_t tree_fell(struct node *node)
{
    if (node == NULL)
        return 0;
    uint64_t sum = node->value[0] + node->value[1] + tree_fell(node->left);
    sum += tree_fell(node->right);
    free(node);
    return sum;
}

/* One tall tree lives on while short ones come and go. */
static void tree(struct job *job)
{
    struct node *tall = tree_grow(job, 16);
    for (unsigned i = 0; job->blocks < job->rounds; i++)
        job->sum = mix(job->sum, tree_fell(tree_grow(job, 4 + i % 12)));
    job->sum = mix(job->sum, tree_fell(tall));
}

/* -- a search tree, random keys ---------------------------------------------------------------- */

/* A treap (C. Aragon and R. Seidel, "Randomized search trees", 1989): ordered by key, a heap by
 * rank. */
struct twig {
    struct twig *left, *right;
    uint32_t key, rank;
    uint32_t cargo_words;
    uint64_t cargo[];
};

/* What is less than `key` hangs from `less` afterwards, the rest from `more`. */
static void treap_split(struct twig *twig, uint32_t key, struct twig **less, struct twig **more)
{
    while (twig != NULL)
        if (twig->key < key) {
            *less = twig;
            less = &twig->right;
            twig = twig->right;
        } else {
            *more = twig;
            more = &twig->left;
            twig = twig->left;
        }
    *less = *more = NULL;
}

static void treap_join(struct twig *less, struct twig *more, struct twig **at)
{
    while (less != NULL && more != NULL)
        if (less->rank > more->rank) {
            *at = less;
            at = &less->right;
            less = less->right;
        } else {
            *at = more;
            at = &more->left;
            more = more->left;
        }
    *at = less != NULL ? less : more;
}

static void treap_insert(struct twig **at, uint32_t key, struct draw *draw)
{
    uint32_t words = draw_below(draw, 12);
    struct twig *twig = take(sizeof *twig + words * sizeof twig->cargo[0]);
    twig->key = key;
    twig->rank = draw_next(draw);
    twig->cargo_words = words;
    for (uint32_t i = 0; i < words; i++)
        twig->cargo[i] = key + i;
    while (*at != NULL && (*at)->rank >= twig->rank)
        at = key <= (*at)->key ? &(*at)->left : &(*at)->right;
    treap_split(*at, key, &twig->left, &twig->right);
    *at = twig;
}

/* Takes out the least key that is not below `key`, or else the greatest. */
static uint64_t treap_remove(struct twig **root, uint32_t key)
{
    struct twig **found = NULL;
    for (struct twig **at = root; *at != NULL;)
        if ((*at)->key >= key) {
            found = at;
            at = &(*at)->left;
        } else
            at = &(*at)->right;
    if (found == NULL)
        for (found = root; (*found)->right != NULL;)
            found = &(*found)->right;
    struct twig *twig = *found;
    uint64_t sum = twig->key;
    for (uint32_t i = 0; i < twig->cargo_words; i++)
        if (twig->cargo[i] != twig->key + i)
            work_fail("a node of the search tree was written over");
    treap_join(twig->left, twig->right, found);
    free(twig);
    return sum;
}

static void treap(struct job *job)
{
    struct draw draw = draw_from(7);
    struct twig *root = NULL;
    size_t held = 0, most = job->rounds < 100000 ? job->rounds / 2 : 50000;
    for (size_t i = 0; i < job->rounds; i++) {
        treap_insert(&root, draw_next(&draw) >> 2, &draw);
        if (held < most)
            held++;
        else
            job->sum = mix(job->sum, treap_remove(&root, draw_next(&draw) >> 2));
    }
    while (root != NULL)
        job->sum = mix(job->sum, treap_remove(&root, 0));
    job->blocks = job->rounds;
}

/* -- a hash table of strings ------------------------------------------------------------------- */

struct entry {
    struct entry *next;
    uint64_t *value;
    uint32_t hash, value_words;
    char key[];
};

struct table {
    struct entry **bucket;
    uint32_t buckets, entries;
};

static uint32_t text_hash(const char *text)
{
    uint32_t hash = 2166136261u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

static void table_resize(struct table *table, uint32_t buckets)
{
    struct entry **fresh = take_zeroed(buckets, sizeof(struct entry *));
    for (uint32_t b = 0; b < table->buckets; b++)
        for (struct entry *entry = table->bucket[b], *next; entry != NULL; entry = next) {
            next = entry->next;
            entry->next = fresh[entry->hash & (buckets - 1)];
            fresh[entry->hash & (buckets - 1)] = entry;
        }
    free(table->bucket);
    table->bucket = fresh;
    table->buckets = buckets;
}

/* Where the entry hangs, or would. */
static struct entry **table_find(struct table *table, const char *key)
{
    uint32_t hash = text_hash(key);
    struct entry **at = &table->bucket[hash & (table->buckets - 1)];
    while (*at != NULL && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

static void table_put(struct table *table, const char *key, uint32_t words)
{
    struct entry **at = table_find(table, key), *entry = *at;
    if (entry == NULL) {
        size_t bytes = strlen(key) + 1;
        entry = take(sizeof *entry + bytes);
        *entry = (struct entry){ .hash = text_hash(key) };
        memcpy(entry->key, key, bytes);
        *at = entry;
        table->entries++;
    } else
        free(entry->value);
    entry->value = take(words * sizeof *entry->value);
    entry->value_words = words;
    for (uint32_t i = 0; i < words; i++)
        entry->value[i] = entry->hash + i;
    if (table->entries > table->buckets)
        table_resize(table, table->buckets * 2);
}

static uint64_t table_drop(struct table *table, struct entry **at)
{
    struct entry *entry = *at;
    if (entry == NULL)
        return 1;
    uint64_t sum = entry->hash;
    if (entry->value[entry->value_words - 1] != (uint64_t)entry->hash + entry->value_words - 1)
        work_fail("a value of the hash table was written over");
    *at = entry->next;
    free(entry->value);
    free(entry);
    table->entries--;
    return sum;
}

static void key_write(char *key, uint32_t number)
{
    static const char letters[] = "etaoinshrdlcumwf";
    strcpy(key, "key:");
    for (key += 4; number != 0; number >>= 3)
        *key++ = letters[number & 15];
    *key = '\0';
}

static void table(struct job *job)
{
    struct table table = { 0 };
    struct draw draw = draw_from(8);
    char key[32];
    table_resize(&table, 16);
    for (size_t i = 0; i < job->rounds; i++) {
        key_write(key, draw_below(&draw, 60000));
        if (draw_below(&draw, 5) < 2)
            job->sum = mix(job->sum, table_drop(&table, table_find(&table, key)));
        else {
            table_put(&table, key, 1 + draw_below(&draw, 15));
            job->blocks++;
        }
    }
    for (uint32_t b = 0; b < table.buckets; b++)
        while (table.bucket[b] != NULL)
            job->sum += table_drop(&table, &table.bucket[b]);
    free(table.bucket);
}

/* -- vectors that grow by realloc -------------------------------------------------------------- */

struct vector {
    uint64_t *item;
    size_t count, room, end;    /* at `end` items it is checked and dropped */
};

static void vector_push(struct job *job, struct vector *vector)
{
    if (vector->count == vector->room) {
        vector->room = vector->room < 4 ? 4 : vector->room + vector->room / 2;
        vector->item = realloc(vector->item, vector->room * sizeof *vector->item);
        job->blocks++;
        if (vector->item == NULL)
            work_fail("realloc returned NULL");
    }
    vector->item[vector->count] = vector->count ^ vector->end;
    vector->count++;
}

static void vector_drop(struct job *job, struct vector *vector)
{
    for (size_t i = 0; i < vector->count; i++)
        if (vector->item[i] != (i ^ vector->end))
            work_fail("realloc did not keep what a vector holds");
    job->sum = mix(job->sum, vector->count);
    free(vector->item);
    *vector = (struct vector){ 0 };
}

/* Sixteen grow by turns, a few items at a time, to ends between 16 items and a million. */
static void vectors(struct job *job)
{
    struct vector vectors[16] = { 0 };
    struct draw draw = draw_from(9);
    for (size_t i = 0; i < job->rounds; i++) {
        struct vector *vector = &vectors[draw_below(&draw, 16)];
        if (vector->end == 0)
            vector->end = (16u << draw_below(&draw, 16)) + draw_below(&draw, 16);
        for (unsigned k = 0; k < 12 && vector->count < vector->end; k++)
            vector_push(job, vector);
        if (vector->count == vector->end)
            vector_drop(job, vector);
    }
    for (size_t k = 0; k < 16; k++)
        vector_drop(job, &vectors[k]);
}

/* -- text -------------------------------------------------------------------------------------- */

static int text_compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static char *text_copy(struct job *job, const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        work_fail("strdup returned NULL");
    job->blocks++;
    return copy;
}

static char *text_draw(struct job *job, struct draw *draw)
{
    char word[64];
    size_t length = 1 + draw_below(draw, 9) + (draw_below(draw, 8) == 0 ? draw_below(draw, 50) : 0);
    for (size_t i = 0; i < length; i++)
        word[i] = (char)('a' + draw_below(draw, 26));
    word[length] = '\0';
    return text_copy(job, word);
}

/* A longer text each time, in a new block: what most languages do for a + b. */
static char *text_join(struct job *job, char *head, const char *tail)
{
    size_t length = strlen(head), more = strlen(tail);
    char *joined = take(length + more + 2);
    memcpy(joined, head, length);
    joined[length] = ' ';
    memcpy(joined + length + 1, tail, more + 1);
    free(head);
    job->blocks++;
    return joined;
}

/* One text: words are drawn and sorted, lines are joined of twelve, split again, and compared with
 * the words. */
static void text_round(struct job *job, struct draw *draw)
{
    enum { WORDS = 1200, LINE = 12 };
    char *words[WORDS], *rest;
    for (size_t i = 0; i < WORDS; i++)
        words[i] = text_draw(job, draw);
    qsort(words, WORDS, sizeof words[0], text_compare);
    for (size_t i = 0; i < WORDS; i += LINE) {
        char *line = text_copy(job, words[i]);
        for (size_t k = 1; k < LINE; k++)
            line = text_join(job, line, words[i + k]);
        job->sum = mix(job->sum, text_hash(line));
        size_t k = i;
        for (char *word = strtok_r(line, " ", &rest); word != NULL;
             word = strtok_r(NULL, " ", &rest)) {
            char *copy = text_copy(job, word);
            if (strcmp(copy, words[k]) != 0)
                work_fail("a word is not what it was");
            free(words[k]);
            words[k++] = copy;
        }
        free(line);
    }
    for (size_t i = 0; i < WORDS; i++)
        free(words[i]);
}

static void strings(struct job *job)
{
    struct draw draw = draw_from(10);
    for (size_t i = 0; i < job->rounds; i++)
        text_round(job, &draw);
}

const struct work structure_works[] = {
    { "tree", tree, 18000000, "short trees come and go beside a tall one" },
    { "treap", treap, 1000000, "a search tree of 50,000, in and out at random" },
    { "table", table, 4000000, "a hash table of strings, and its growth" },
    { "vectors", vectors, 8000000, "sixteen vectors grow by realloc" },
    { "strings", strings, 1500, "words joined, split, copied, sorted" },
    { 0 },
};
