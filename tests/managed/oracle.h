/* oracle.h - the shadow of a random graph: what there is, and what must be reachable.
 * Job         The shadow knows each node's kind, edges and handles, and marks what the rules of
 *             oracle.c keep, in memory that no collection looks into.
 * Locking     One lock for the shadow and the graph; collections run without it.
 */
#ifndef MIDDEN_TESTS_MANAGED_ORACLE_H
#define MIDDEN_TESTS_MANAGED_ORACLE_H

#include "check.h"

enum kind { FREE, PLAIN, OPEN, VISITED, LEAFY, TRACED, LEAF, BLOCK, KINDS };

enum { OWNED = 4, WORDS = 8, THREADS = 4, ROOTS = 256, STATICS = 256, NONE = 0 };

/* A node as the program has it. `label` is its index in the shadow. */
struct body {
    void    *word[WORDS];                    /* the first OWNED are owned, in counted nodes */
    uint32_t label, extra;                   /* extra bytes behind, filled with a pattern */
    unsigned char rest[];
};

/* A node as the shadow has it. */
struct shade {
    uintptr_t at;                            /* hidden address */
    uint32_t  edge[WORDS];                   /* indices; NONE */
    uint32_t  handles;                       /* held by the test itself */
    uint32_t  extra;
    uint8_t   kind, marked, retained;
    uint8_t   self;                          /* its first word is a handle of its own, for good */
    uint8_t   led;                           /* something retained leads to it */
    uint8_t   finalized;                     /* atomic: by whatever thread collects */
};

static struct shade   *shade;                /* [1, nodes) */
static uint32_t        nodes, *queue, *spare, spares;
static struct body   **root;                 /* registered, ROOTS words */
static uint32_t       *root_edge, *static_edge;
static struct body    *in_static[STATICS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int    stop;
static long            damage;

static int is_counted(int kind)
{
    return kind >= PLAIN && kind <= LEAFY;
}

static int is_uncounted(int kind)
{
    return kind == TRACED || kind == LEAF;
}

static struct body *body_of(uint32_t index)
{
    return index == NONE ? NULL : shown(shade[index].at);
}

/* -- types ------------------------------------------------------------------------------------- */

static void finalize(void *object)
{
    struct body *body = object;

    if (body->label)                         /* 0: not a node yet, or no longer */
        __atomic_add_fetch(&shade[body->label].finalized, 1, __ATOMIC_RELAXED);
}

static void visit_owned(void *object, midden_visitor *visitor, void *arg)
{
    for (int i = 0; i < OWNED; i++)
        visitor(&((struct body *)object)->word[i], arg);
}

#define FIXED offsetof(struct body, rest)

static const size_t owned[] = { 0, 8, 16, 24, MIDDEN_END };
static const struct midden_type types[] = {
    [PLAIN] = { sizeof types[0], "plain", FIXED, owned, NULL, finalize, 0 },
    [OPEN] = { sizeof types[0], "open", FIXED, owned, NULL, finalize, MIDDEN_CONSERVATIVE },
    [VISITED] = { sizeof types[0], "visited", FIXED, NULL, visit_owned, finalize, 0 },
    [LEAFY] = { sizeof types[0], "leafy", FIXED, NULL, NULL, finalize, MIDDEN_LEAF },
};

/* -- which edges count ------------------------------------------------------------------------- */

/* Does word `at` of a node of kind `from`, if it is live, keep a node of kind `to`? */
static int keeps(int from, int at, int to)
{
    if (is_counted(from) && from != LEAFY && at < OWNED)
        return is_counted(to);
    if (from == OPEN || from == BLOCK)
        return is_uncounted(to) || to == BLOCK;
    return from == TRACED;
}

/* May a registered root or an uncounted object point at it? */
static int is_steady(uint32_t index)
{
    return !is_counted(shade[index].kind) || shade[index].self;
}

/* May the program write such an edge? Owned fields hold nothing but counted objects. */
static int may_hold(uint32_t from, int at, uint32_t to)
{
    int kind = shade[from].kind;

    if (shade[from].self && at == 0)
        return 0;
    if (is_counted(kind) && at < OWNED)
        return kind != LEAFY && (to == NONE || is_counted(shade[to].kind));
    if (to == NONE)
        return 1;
    return kind == OPEN ? !is_counted(shade[to].kind) : kind != TRACED || is_steady(to);
}

/* -- marking aside ----------------------------------------------------------------------------- */

static uint32_t reach(uint32_t index, uint32_t length)
{
    if (index == NONE || shade[index].marked)
        return length;
    shade[index].marked = 1;
    queue[length] = index;
    return length + 1;
}

static uint32_t reach_all(uint32_t index, uint32_t length)
{
    for (int i = 0; i < WORDS; i++) {
        uint32_t to = shade[index].edge[i];

        if (to != NONE && keeps(shade[index].kind, i, shade[to].kind))
            length = reach(to, length);
    }
    return length;
}

static void reach_from(uint32_t index)
{
    uint32_t length = reach(index, 0);

    for (uint32_t done = 0; done < length; done++)
        length = reach_all(queue[done], length);
}

/* Marks what the roots keep, and, where retained is true, what the nodes so flagged keep. */
static void mark(int retained)
{
    uint32_t length = 0;

    for (uint32_t i = 1; i < nodes; i++)
        shade[i].marked = 0;
    for (uint32_t i = 1; i < nodes; i++)
        if (shade[i].kind != FREE && (shade[i].handles || (retained && shade[i].retained)))
            length = reach(i, length);
    for (int i = 0; i < ROOTS; i++)
        length = reach(root_edge[i], length);
    for (int i = 0; i < STATICS; i++)
        if (static_edge[i] != NONE && !is_counted(shade[static_edge[i]].kind))
            length = reach(static_edge[i], length);
    for (uint32_t done = 0; done < length; done++)
        length = reach_all(queue[done], length);
}

#endif
