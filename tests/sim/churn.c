/* churn.c - threads that pass blocks to each other, are born and die, over the real ground.
 * Use  churn [THREADS [ROUNDS]]
 * Job  Each thread puts blocks into a table all of them share, and frees, resizes or passes on what
 *      others left there. Contents are checked when a block changes hands, the heap when threads
 *      have ended. One thread alone does the same for the sanitizers of memory; several of them are
 *      what the sanitizer of threads watches.
 */
#include "heap/heap.h"
#include "heap/roster.h"
#include "heap/span.h"
#include "heap/walk.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *midden_malloc(size_t bytes);
void  midden_free(void *pointer);
void *midden_calloc(size_t count, size_t bytes);
void *midden_realloc(void *pointer, size_t bytes);
void *midden_memalign(size_t align, size_t bytes);

enum { SLOTS = 1024, GENERATIONS = 6, OWN = 64, MOST_THREADS = 64 };

struct item {
    size_t   bytes;
    uint64_t tag;                                /* of every byte behind, and of the last word */
};

static struct item *slots[SLOTS];
static size_t rounds;
static int broken;

struct worker {
    uint64_t random;
    struct item *own[OWN];
};

static uint64_t draw(struct worker *worker, uint64_t below)      /* xorshift, Marsaglia 2003 */
{
    worker->random ^= worker->random << 13;
    worker->random ^= worker->random >> 7;
    worker->random ^= worker->random << 17;
    return (worker->random >> 11) % below;
}

static void complain(const char *what, const struct item *item)
{
    if (__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED) < 5)
        printf("# %s: block %p of %zu bytes\n", what, (const void *)item, item->bytes);
}

/* -- items --------------------------------------------------------------------------------- */

static size_t tail_bytes(size_t bytes)
{
    size_t body = bytes - sizeof(struct item);
    return body < 256 ? body : 256;
}

static struct item *fill(struct item *item, size_t bytes, uint64_t tag)
{
    if (item == NULL) {
        __atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
        return NULL;
    }
    item->bytes = bytes;
    item->tag = tag;
    memset((char *)item + bytes - tail_bytes(bytes), (int)(tag & 0xff), tail_bytes(bytes));
    return item;
}

static void check(const struct item *item)
{
    const unsigned char *end = (const unsigned char *)item + item->bytes;
    for (size_t i = 1; i <= tail_bytes(item->bytes); i++)
        if (end[-(ptrdiff_t)i] != (item->tag & 0xff)) {
            complain("changed", item);
            return;
        }
}

static size_t draw_bytes(struct worker *worker)
{
    size_t most = draw(worker, 100) == 0 ? KIB(600) : draw(worker, 10) == 0 ? KIB(32) : 512;
    return sizeof(struct item) + draw(worker, most);
}

static struct item *item_make(struct worker *worker)
{
    size_t bytes = draw_bytes(worker);
    struct item *item;
    if (draw(worker, 8) == 0) {
        item = midden_calloc(1, bytes);
        for (size_t i = 0; item != NULL && i < bytes; i += 97)
            if (((char *)item)[i] != 0)
                complain("not zero", item);
    } else if (draw(worker, 8) == 0) {
        size_t align = (size_t)64 << draw(worker, 7);
        item = midden_memalign(align, bytes);
        if ((word)item % align != 0)
            complain("not aligned", item);
    } else {
        item = midden_malloc(bytes);
    }
    return fill(item, bytes, draw(worker, 256));
}

static void item_drop(struct item *item)
{
    if (item == NULL)
        return;
    check(item);
    midden_free(item);
}

static struct item *item_resize(struct worker *worker, struct item *item)
{
    if (item == NULL)
        return NULL;
    check(item);
    uint64_t tag = item->tag;
    size_t bytes = draw_bytes(worker);
    struct item *resized = midden_realloc(item, bytes);
    if (resized == NULL || resized->tag != tag)
        complain("lost by realloc", resized != NULL ? resized : item);
    return fill(resized, bytes, tag);
}

/* -- threads --------------------------------------------------------------------------------- */

static struct item *swap(size_t slot, struct item *item)
{
    return __atomic_exchange_n(&slots[slot], item, __ATOMIC_ACQ_REL);
}

static void turn(struct worker *worker)
{
    size_t slot = draw(worker, SLOTS), mine = draw(worker, OWN);
    switch (draw(worker, 6)) {
    case 0: case 1:
        item_drop(swap(slot, item_make(worker)));
        break;
    case 2:
        item_drop(swap(slot, NULL));
        break;
    case 3:
        item_drop(swap(slot, item_resize(worker, swap(slot, NULL))));
        break;
    case 4:
        item_drop(worker->own[mine]);
        worker->own[mine] = item_make(worker);
        break;
    case 5:
        worker->own[mine] = swap(slot, worker->own[mine]);
        break;
    }
}

static void *work(void *seed)
{
    struct worker worker = { .random = (word)seed * 0x9e3779b97f4a7c15u + 1 };
    for (size_t i = 0; i < rounds; i++)
        turn(&worker);
    for (size_t i = 0; i < OWN; i++)
        item_drop(worker.own[i]);
    return NULL;
}

/* Threads of several generations overlap: each is joined when its successor has been started. */
static void run_threads(size_t count)
{
    pthread_t threads[MOST_THREADS];
    word seed = 1;
    for (size_t i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, (void *)seed++);
    for (size_t i = 0; i < count * (GENERATIONS - 1); i++) {
        pthread_t old = threads[i % count];
        pthread_create(&threads[i % count], NULL, work, (void *)seed++);
        pthread_join(old, NULL);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static size_t taken(void)
{
    struct walk_figures figures;
    walk_figures(&figures);
    return figures.taken_blocks;
}

static void validate(void)
{
    for (struct heap *heap = roster_first(); heap != NULL; heap = heap->next)
        heap_validate(heap);
    heap_validate(heap_orphans(KIND_MANUAL));
    span_validate();
}

static void tell(int number, bool good, const char *what)
{
    printf("%s %d - %s\n", good ? "ok" : "not ok", number, what);
    broken += !good;
}

int main(int words, char **given)
{
    bool more = getenv("MIDDEN_LONG") != NULL;
    size_t count = words > 1 ? strtoull(given[1], NULL, 0) : 4;
    rounds = words > 2 ? strtoull(given[2], NULL, 0) : more ? 3000000 : 30000;
    puts("1..4");
    work((void *)77);
    for (size_t i = 0; i < SLOTS; i++)
        item_drop(swap(i, NULL));
    tell(1, broken == 0, "one thread: what it wrote is what it reads");
    run_threads(count < MOST_THREADS ? count : MOST_THREADS);
    tell(2, broken == 0, "several threads: what one wrote is what another reads");
    for (size_t i = 0; i < SLOTS; i++)
        item_drop(swap(i, NULL));
    tell(3, taken() == 0, "no block is taken when all are freed");
    validate();
    tell(4, broken == 0, "every heap is valid");
    return broken != 0;
}
