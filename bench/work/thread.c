/* thread.c - patterns of threads: blocks freed where they were not made, and threads that end.
 * Invariants  T1  the whole of the work does not depend on the number of threads that share it
 *             T2  sums of threads are added, so that their order does not matter
 */
#include "work.h"

#include <pthread.h>

enum { THREADS_MAX = 64 };

static pthread_t thread_start(void *(*run)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument) != 0)
        work_fail("a thread could not be started");
    return thread;
}

static void threads_run(unsigned count, void *(*run)(void *), void *arguments, size_t bytes)
{
    pthread_t thread[THREADS_MAX];
    for (unsigned i = 0; i < count; i++)
        thread[i] = thread_start(run, (char *)arguments + i * bytes);
    for (unsigned i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
}

/* -- producers and consumers ------------------------------------------------------------------- */

struct message {
    struct message *next;
    struct slot slot;
};

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    struct message *ring[64];
    size_t head, count;
};

static void queue_put(struct queue *queue, struct message *batch)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 64)
        pthread_cond_wait(&queue->drained, &queue->mutex);
    queue->ring[(queue->head + queue->count++) % 64] = batch;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->mutex);
}

static struct message *queue_get(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == 0)
        pthread_cond_wait(&queue->filled, &queue->mutex);
    struct message *batch = queue->ring[queue->head++ % 64];
    queue->count--;
    pthread_cond_signal(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
    return batch;
}

struct side {
    struct queue *queue;
    uint64_t sum, seed;
    size_t messages, batch;
};

static void *produce(void *argument)
{
    struct side *side = argument;
    struct draw draw = draw_from(side->seed);
    for (size_t made = 0; made < side->messages; made += side->batch) {
        struct message *batch = NULL;
        for (size_t i = 0; i < side->batch; i++) {
            struct message *message = take(sizeof *message);
            slot_fill(&message->slot, 16 + draw_below(&draw, 240));
            message->next = batch;
            batch = message;
        }
        queue_put(side->queue, batch);
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct side *side = argument;
    for (struct message *message; (message = queue_get(side->queue)) != NULL;)
        for (struct message *next; message != NULL; message = next) {
            next = message->next;
            side->sum += message->slot.bytes;
            slot_empty(&message->slot);
            free(message);
        }
    return NULL;
}

static void pass(struct job *job, unsigned producers, unsigned consumers, size_t batch)
{
    static struct queue queue = {
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .filled = PTHREAD_COND_INITIALIZER, .drained = PTHREAD_COND_INITIALIZER,
    };
    struct side makers[THREADS_MAX], users[THREADS_MAX];
    pthread_t thread[THREADS_MAX];
    for (unsigned i = 0; i < consumers; i++) {
        users[i] = (struct side){ .queue = &queue };
        thread[i] = thread_start(consume, &users[i]);
    }
    for (unsigned i = 0; i < producers; i++)
        makers[i] = (struct side){ .queue = &queue, .seed = 20 + i, .batch = batch,
            .messages = job->rounds / producers };
    threads_run(producers, produce, makers, sizeof makers[0]);
    for (unsigned i = 0; i < consumers; i++)
        queue_put(&queue, NULL);
    for (unsigned i = 0; i < consumers; i++) {
        pthread_join(thread[i], NULL);
        job->sum += users[i].sum;
    }
    job->blocks = job->rounds * 2;
}

static void pass_1_1(struct job *job)   { pass(job, 1, 1, 100); }
static void pass_1_4(struct job *job)   { pass(job, 1, 4, 100); }
static void pass_4_4(struct job *job)   { pass(job, 4, 4, 20); }
static void pass_bulk(struct job *job)  { pass(job, 2, 2, 5000); }

/* -- a server ---------------------------------------------------------------------------------- */

/* What a client has stored here; made by one worker, dropped by whichever comes next. */
enum { SESSIONS = 4096, LOCKS = 64, SCRATCH = 10 };

struct server {
    pthread_mutex_t lock[LOCKS];
    struct slot session[SESSIONS];
};

struct worker {
    struct server *server;
    uint64_t seed, sum;
    size_t requests;
};

static void session_change(struct server *server, uint32_t number, struct slot *fresh)
{
    pthread_mutex_lock(&server->lock[number % LOCKS]);
    struct slot old = server->session[number];
    server->session[number] = *fresh;
    pthread_mutex_unlock(&server->lock[number % LOCKS]);
    slot_empty(&old);
}

/* A request is read, taken apart into small pieces, answered; a session is stored by every second
 * one. */
static uint64_t request(struct server *server, struct draw *draw)
{
    struct slot text, answer, fresh, piece[SCRATCH];
    slot_fill(&text, 200 + draw_below(draw, 1800));
    for (int i = 0; i < SCRATCH; i++)
        slot_fill(&piece[i], 8 + draw_below(draw, 120));
    slot_fill(&answer, 500 + draw_below(draw, 8000));
    uint64_t sum = text.bytes + answer.bytes;
    for (int i = 0; i < SCRATCH; i++)
        sum += piece[i].bytes;
    if (draw_below(draw, 2) == 0) {
        slot_fill(&fresh, 64 + draw_below(draw, 1000));
        sum += fresh.bytes;
        session_change(server, draw_below(draw, SESSIONS), &fresh);
    }
    slot_empty(&text);
    slots_empty(piece, SCRATCH);
    slot_empty(&answer);
    return sum;
}

static void *serve(void *argument)
{
    struct worker *worker = argument;
    struct draw draw = draw_from(worker->seed);
    for (size_t i = 0; i < worker->requests; i++)
        worker->sum += request(worker->server, &draw);
    return NULL;
}

/* Eight workers at a time; each answers 5,000 requests and ends, and its sessions outlive it. */
static void server(struct job *job)
{
    static struct server server;
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&server.lock[i], NULL);
    size_t each = job->rounds < 40000 ? job->rounds / 8 : 5000;
    for (size_t done = 0; done + 8 * each <= job->rounds && each != 0; done += 8 * each) {
        struct worker worker[8];
        for (unsigned i = 0; i < 8; i++)
            worker[i] = (struct worker){ .server = &server, .seed = 40 + done + i,
                .requests = each };
        threads_run(8, serve, worker, sizeof worker[0]);
        for (unsigned i = 0; i < 8; i++)
            job->sum += worker[i].sum;
        job->blocks += 8 * each * (SCRATCH + 2);
    }
    slots_empty(server.session, SESSIONS);
}

/* -- heaps handed on --------------------------------------------------------------------------- */

struct heir {
    struct slot slot[1000];
    struct draw draw;
    size_t rounds;
    uint64_t sum;
};

static void *inherit(void *argument)
{
    struct heir *heir = argument;
    for (size_t i = 0; i < heir->rounds; i++) {
        struct slot *slot = &heir->slot[draw_below(&heir->draw, 1000)];
        slot_empty(slot);
        slot_fill(slot, draw_small(&heir->draw));
        heir->sum += slot->bytes;
    }
    return NULL;
}

/* Each generation of eight threads goes on with the blocks of the one before, and ends after
 * 20,000 more. */
static void relay(struct job *job)
{
    static struct heir heir[8];
    for (unsigned i = 0; i < 8; i++)
        heir[i] = (struct heir){ .draw = draw_from(60 + i) };
    for (size_t left = job->rounds / 8, leg; left > 0; left -= leg) {
        leg = left < 20000 ? left : 20000;
        for (unsigned i = 0; i < 8; i++)
            heir[i].rounds = leg;
        threads_run(8, inherit, heir, sizeof heir[0]);
    }
    for (unsigned i = 0; i < 8; i++) {
        slots_empty(heir[i].slot, 1000);
        job->sum += heir[i].sum;
    }
    job->blocks = job->rounds;
}

/* -- threads by number ------------------------------------------------------------------------- */

/* 64 parts of the work, and of the blocks held: dealt out to any number of threads. */
struct part {
    struct slot slot[128];
    uint64_t sum;
};

struct share {
    struct part *part;
    size_t rounds;
    unsigned first, parts;
};

static void part_run(struct part *part, size_t rounds, unsigned number)
{
    struct draw draw = draw_from(80 + number);
    for (size_t i = 0; i < rounds; i++) {
        struct slot *slot = &part->slot[draw_below(&draw, 128)];
        slot_empty(slot);
        slot_fill(slot, draw_small(&draw));
        part->sum += slot->bytes;
    }
    slots_empty(part->slot, 128);
}

static void *share_run(void *argument)
{
    struct share *share = argument;
    for (unsigned i = share->first; i < share->first + share->parts; i++)
        part_run(&share->part[i], share->rounds, i);
    return NULL;
}

static void scale(struct job *job, unsigned threads)
{
    static struct part part[64];
    struct share share[THREADS_MAX];
    for (unsigned i = 0; i < threads; i++)
        share[i] = (struct share){ part, job->rounds / 64, i * 64 / threads, 64 / threads };
    threads_run(threads, share_run, share, sizeof share[0]);
    for (unsigned i = 0; i < 64; i++)
        job->sum += part[i].sum;
    job->blocks = job->rounds;
}

static void threads_1(struct job *job)  { scale(job, 1); }
static void threads_2(struct job *job)  { scale(job, 2); }
static void threads_4(struct job *job)  { scale(job, 4); }
static void threads_8(struct job *job)  { scale(job, 8); }
static void threads_16(struct job *job) { scale(job, 16); }
static void threads_32(struct job *job) { scale(job, 32); }
static void threads_64(struct job *job) { scale(job, 64); }

/* -- false sharing ----------------------------------------------------------------------------- */

/* A thread writes into an object of 8 bytes, many times; it is slow where two threads' objects
 * share a cache line. */
struct writer {
    uint64_t *given;            /* passive: made by another thread, freed here first */
    size_t rounds;
    uint64_t sum;
};

static void *write_often(void *argument)
{
    struct writer *writer = argument;
    free(writer->given);
    for (size_t i = 0; i < writer->rounds; i++) {
        volatile uint64_t *object = take(8);
        *object = i;
        for (int k = 0; k < 1000; k++)
            *object = *object + 1;
        writer->sum += *object;
        free((void *)object);
    }
    return NULL;
}

static void sharing(struct job *job, bool passive)
{
    enum { WRITERS = 4 };
    struct writer writer[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        writer[i] = (struct writer){ .given = passive ? take(8) : NULL,
            .rounds = job->rounds / WRITERS };
    threads_run(WRITERS, write_often, writer, sizeof writer[0]);
    for (int i = 0; i < WRITERS; i++)
        job->sum += writer[i].sum;
    job->blocks = job->rounds;
}

static void sharing_active(struct job *job)  { sharing(job, false); }
static void sharing_passive(struct job *job) { sharing(job, true); }

/* -- threads born ------------------------------------------------------------------------------ */

struct child {
    struct slot left[4];        /* to whoever joins it */
    uint64_t seed;
};

static void *live(void *argument)
{
    struct child *child = argument;
    struct draw draw = draw_from(child->seed);
    struct slot slot[60];
    for (int i = 0; i < 60; i++)
        slot_fill(&slot[i], draw_small(&draw));
    for (int i = 0; i < 4; i++)
        slot_fill(&child->left[i], draw_small(&draw));
    slots_empty(slot, 60);
    return NULL;
}

static void birth(struct job *job)
{
    for (size_t done = 0; done < job->rounds; done += 4) {
        struct child child[4];
        for (unsigned i = 0; i < 4; i++)
            child[i] = (struct child){ .seed = 100 + done + i };
        threads_run(4, live, child, sizeof child[0]);
        for (unsigned i = 0; i < 4; i++) {
            job->sum += child[i].left[i].bytes;
            slots_empty(child[i].left, 4);
        }
        job->blocks += 4 * 64;
    }
}

const struct work thread_works[] = {
    { "pass-1-1", pass_1_1, 6000000, "one thread makes, one frees; by hundreds" },
    { "pass-1-4", pass_1_4, 4000000, "one makes, four free" },
    { "pass-4-4", pass_4_4, 4000000, "four make, four free; by twenties" },
    { "pass-bulk", pass_bulk, 6000000, "two make, two free; by five thousands" },
    { "server", server, 1000000, "requests, and sessions that outlive their thread" },
    { "relay", relay, 16000000, "eight heaps handed on from thread to thread" },
    { "sharing-active", sharing_active, 1200000, "four threads write often into small objects" },
    { "sharing-passive", sharing_passive, 1200000, "the same, after freeing a neighbour's object" },
    { "birth", birth, 20000, "threads that live for 64 blocks" },
    { "threads-1", threads_1, 19200000, "the same work by one thread" },
    { "threads-2", threads_2, 19200000, "by 2" },
    { "threads-4", threads_4, 19200000, "by 4" },
    { "threads-8", threads_8, 19200000, "by 8" },
    { "threads-16", threads_16, 19200000, "by 16" },
    { "threads-32", threads_32, 19200000, "by 32" },
    { "threads-64", threads_64, 19200000, "by 64" },
    { 0 },
};
