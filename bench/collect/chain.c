/* chain.c - one long list: no marker can look ahead in it. */
#include "collect.h"

struct link {
    struct link *next;
    uint64_t     number;
};

static struct link *chain_head, *chain_tail;

/* A queue: at its tail links are made, from its head they are dropped. A tenth of all is alive. */
static void chain(struct job *job)
{
    size_t alive = job->size / 10 + 1;
    for (size_t i = 0; i < job->size; i++) {
        struct link *link = object_new(sizeof *link);
        link->number = i;
        if (chain_tail != NULL)
            chain_tail->next = link;
        else
            chain_head = link;
        chain_tail = link;
        if (i < alive)
            continue;
        job->sum = mix(job->sum, chain_head->number);
        chain_head = chain_head->next;
    }
    for (const struct link *at = chain_head; at != NULL; at = at->next)
        job->sum = mix(job->sum, at->number);
    job->roots[0] = chain_head;
}

const struct program chain_programs[] = {
    { "chain", chain, 20000000, "a queue of two million links" },
    { 0 }
};
