/* graph.c - a graph editor: counted objects that own each other, in circles too.
 * Use    graph < graph.script
 * Shows  midden_new, midden_assign, owned fields by offset and by `visit`, finalizers, and what
 *        midden_collect finds that counting cannot: a circle nobody has a handle of.
 *
 *     node A B C       makes nodes; the table of names has a handle of each
 *     edge A B         A owns B, once more with every edge
 *     cut A B          takes one such edge away
 *     drop A           the table lets go of A: it is gone, unless an edge leads to it
 *     collect          looks for circles that nobody leads into
 *     count            how many names there are, and how many nodes
 *     list             the table, with how many handles each node has
 */
#include <midden/midden.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 256, FEWEST_EDGES = 2 };

/* ---- objects --------------------------------------------------------------------------------- */

struct edges {                           /* an array of handles: an object of its own */
    size_t       room, count;
    struct node *to[];
};

struct node {
    struct edges *edges;                 /* owned; NULL: none yet */
    char          name[];
};

static size_t nodes_alive;

/* Which fields of it hold handles, where no list of offsets can say so. */
static void edges_visit(void *object, midden_visitor *visitor, void *arg)
{
    struct edges *edges = object;
    for (size_t i = 0; i < edges->count; i++)
        visitor((void **)&edges->to[i], arg);
}

/* The last moment of a node. Its fields still hold: it could even tell whom it led to. */
static void node_finalize(void *object)
{
    struct node *node = object;
    nodes_alive--;
    printf("gone: %s\n", node->name);
}

static const struct midden_type edges_type = {
    .size = sizeof(struct midden_type),
    .name = "edges",
    .object_bytes = sizeof(struct edges),
    .visit = edges_visit,
};

static const size_t node_owned[] = { offsetof(struct node, edges), MIDDEN_END };

static const struct midden_type node_type = {
    .size = sizeof(struct midden_type),
    .name = "node",
    .object_bytes = sizeof(struct node),
    .owned = node_owned,
    .finalize = node_finalize,
};

static void *made(void *object)
{
    if (object == NULL) {
        perror("graph");
        exit(1);
    }
    return object;
}

static struct node *node_make(const char *name)
{
    struct node *node = made(midden_new(&node_type, strlen(name) + 1));
    strcpy(node->name, name);
    nodes_alive++;
    return node;
}

/* Objects do not move: an array that is full is replaced by a longer one. Releasing the short one
 * releases its handles; the long one has taken its own before. */
static void edges_grow(struct node *node)
{
    struct edges *old = node->edges;
    size_t        room = old != NULL ? 2 * old->room : FEWEST_EDGES;
    struct edges *wide = made(midden_new(&edges_type, room * sizeof wide->to[0]));
    wide->room = room;
    for (; old != NULL && wide->count < old->count; wide->count++)
        midden_assign(&wide->to[wide->count], old->to[wide->count]);
    midden_assign(&node->edges, wide);
    midden_release(wide);                /* our own handle: the node has one now */
}

static void edge_add(struct node *from, struct node *to)
{
    if (from->edges == NULL || from->edges->count == from->edges->room)
        edges_grow(from);
    midden_assign(&from->edges->to[from->edges->count++], to);
}

/* Whether there was such an edge. The last one takes its place. */
static int edge_cut(struct node *from, const struct node *to)
{
    struct edges *edges = from->edges;
    for (size_t i = 0; edges != NULL && i < edges->count; i++)
        if (edges->to[i] == to) {
            size_t last = edges->count - 1;
            midden_assign(&edges->to[i], edges->to[last]);
            midden_assign(&edges->to[last], NULL);
            edges->count--;
            return 1;
        }
    return 0;
}

/* ---- the table of names ---------------------------------------------------------------------- */

/* Plain malloc memory. No collection has to be told of it: a handle that no owned field explains
 * keeps its object, wherever it is stored. */
static struct {
    struct node **node;
    size_t        count;
} table;

static struct node **table_find(const char *name)
{
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(table.node[i]->name, name) == 0)
            return &table.node[i];
    return NULL;
}

static struct node *named(const char *name)
{
    struct node **place = table_find(name);
    if (place == NULL)
        printf("there is no node %s\n", name);
    return place != NULL ? *place : NULL;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void command_node(char **word)
{
    for (; *word != NULL; word++) {
        if (table_find(*word) != NULL) {
            printf("there is a node %s\n", *word);
            continue;
        }
        table.node = made(realloc(table.node, (table.count + 1) * sizeof *table.node));
        table.node[table.count++] = node_make(*word);
    }
}

static void command_edge(char **word)
{
    struct node *from = named(word[0]), *to = named(word[1]);
    if (from != NULL && to != NULL)
        edge_add(from, to);
}

static void command_cut(char **word)
{
    struct node *from = named(word[0]), *to = named(word[1]);
    if (from != NULL && to != NULL && !edge_cut(from, to))
        printf("no edge leads from %s to %s\n", from->name, to->name);
}

static void command_drop(char **word)
{
    struct node **place = table_find(word[0]), *node = named(word[0]);
    if (node == NULL)
        return;
    table.count--;
    memmove(place, place + 1, (size_t)(table.node + table.count - place) * sizeof *place);
    midden_release(node);                /* here it is gone, or it lives by an edge */
}

static void command_collect(char **word)
{
    (void)word;
    long found = midden_collect(MIDDEN_FULL);
    printf("collect: %ld objects, nodes and arrays of edges\n", found);
}

static void command_count(char **word)
{
    (void)word;
    printf("count: %zu names, %zu nodes\n", table.count, nodes_alive);
}

static void command_list(char **word)
{
    (void)word;
    for (size_t i = 0; i < table.count; i++) {
        const struct node  *node = table.node[i];
        const struct edges *edges = node->edges;
        printf("%s (%zu)", node->name, midden_handles(node));
        for (size_t k = 0; edges != NULL && k < edges->count; k++)
            printf(" -> %s", edges->to[k]->name);
        putchar('\n');
    }
}

static const struct command {
    const char *name;
    size_t      fewest, most;            /* words behind it */
    void      (*run)(char **word);       /* they, and a NULL */
} commands[] = {
    { "node",    1, LINE_BYTES, command_node },
    { "edge",    2, 2, command_edge },
    { "cut",     2, 2, command_cut },
    { "drop",    1, 1, command_drop },
    { "collect", 0, 0, command_collect },
    { "count",   0, 0, command_count },
    { "list",    0, 0, command_list },
};

static void obey(const char *name, char **word, size_t words)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *command = &commands[i];
        if (strcmp(name, command->name) != 0)
            continue;
        if (words >= command->fewest && words <= command->most)
            command->run(word);
        else
            printf("%s wants %zu words\n", name, command->fewest);
        return;
    }
    printf("what is %s?\n", name);
}

int main(void)
{
    char line[LINE_BYTES], *word[LINE_BYTES];

    midden_policy_set("");               /* collect when told to, and at no other time */
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t words = 0;
        for (char *at = strtok(line, " \t\n"); at != NULL; at = strtok(NULL, " \t\n"))
            word[words++] = at;
        word[words] = NULL;
        if (words > 0 && word[0][0] != '#')
            obey(word[0], word + 1, words - 1);
    }
    return 0;
}
