/* graph.c - a random graph: each step of a marker goes to a line that is not in the cache. */
#include "collect.h"

#include <string.h>

enum { EDGES = 3 };

struct vertex {
    struct vertex *edges[EDGES];
    uint64_t       number;
};

/* The index is cleared before it is dropped: a stale word that keeps it would lead a marker to all
 * vertices in order of address. Out of line, so that fewer of them stay. */
__attribute__((noinline))
static struct vertex *graph_build(size_t count)
{
    struct draw draw = { 88172645463325252 };
    struct vertex **index = object_new(count * sizeof *index);
    for (size_t i = 0; i < count; i++) {
        index[i] = object_new(sizeof **index);
        index[i]->number = i;
    }
    for (size_t i = 0; i < count; i++)
        for (unsigned e = 0; e < EDGES; e++)
            index[i]->edges[e] = index[draw_below(&draw, count)];
    struct vertex *first = index[0];
    memset(index, 0, count * sizeof *index);
    __asm__ volatile("" : : "r"(index) : "memory");
    return first;
}

/* Of the vertices, 94 of a hundred can be reached from the first. */
static void graph(struct job *job)
{
    struct vertex *first = graph_build(job->size);
    const struct vertex *at = first;
    for (size_t i = 0; i < job->size / 16; i++) {
        job->sum = mix(job->sum, at->number);
        at = at->edges[(job->sum >> 32) % EDGES];
    }
    job->roots[0] = first;
}

const struct program graph_programs[] = {
    { "graph", graph, 8000000, "objects of four words, three of them to others at random" },
    { 0 }
};
