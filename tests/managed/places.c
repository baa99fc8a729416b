/* places.c - where a pointer may lie for an uncounted object to live.
 * library: places_part -ldl
 * seconds: 120
 */
#define CRADLE 256                           /* a batch, and what holds it */
#include "check.h"

#include <sys/wait.h>
#include <ucontext.h>

/* A batch: as many objects, each with a mark inside. What is tried holds all of them; a place that
 * is not looked into would let nearly all go, whatever stale words lie about. */
enum { BATCH = 64 };

struct object {
    uintptr_t mark, pad[7];
};

static uintptr_t *word;                      /* hidden addresses of the batch */

static NOINLINE void batch_into(void **place)
{
    for (int i = 0; i < BATCH; i++) {
        struct object *object = midden_alloc(sizeof *object);

        object->mark = word[i] = hidden(object);
        place[i] = object;
    }
}

static long whole(void)
{
    long good = 0;

    for (int i = 0; i < BATCH; i++)
        good += in_use(word[i]) && ((struct object *)shown(word[i]))->mark == word[i];
    return good;
}

static void collect_twice(void)
{
    wipe();
    midden_collect(MIDDEN_FULL);
    midden_collect(MIDDEN_FULL);
}

static void kept(const char *where)
{
    collect_twice();
    check(whole() == BATCH, "%s keeps objects: %ld of %d", where, whole(), BATCH);
}

static void gone(const char *when)
{
    collect_twice();
    check(count_in_use(word, BATCH) <= 8, "%s: %ld of %d stay", when, count_in_use(word, BATCH),
        BATCH);
}

/* The place is filled, looked at, emptied, looked at. */
static void try_place(const char *where, void **place)
{
    char text[100];

    batch_into(place);
    kept(where);
    memset(place, 0, BATCH * sizeof *place);
    snprintf(text, sizeof text, "emptied, %s does not", where);
    gone(text);
}

/* -- static data ------------------------------------------------------------------------------- */

static void         *in_bss[BATCH];
static void         *in_data[BATCH] = { in_bss };
static __thread void *in_thread_local[BATCH];

static void statics(void)
{
    try_place(".bss", in_bss);
    try_place(".data", in_data);
    try_place("a thread-local of the program", in_thread_local);
}

static void libraries(void)
{
    char   path[4096];
    void  *library;
    void **(*place)(void);
    void **(*local)(void);

    snprintf(path, sizeof path, "%s/libplaces_part.so", getenv("MIDDEN_PROGRAMS"));
    library = dlopen(path, RTLD_NOW);
    place = library ? dlsym(library, "part_static") : NULL;
    local = library ? dlsym(library, "part_local") : NULL;
    if (!check(place && local, "a library is opened"))
        return;
    try_place("static data of a library opened later", place());
    try_place("a thread-local of a library opened later", local());
    dlclose(library);
}

/* Values of keys: the first ones lie in the thread descriptor, others apart. */
static void keys(void)
{
    static pthread_key_t key[BATCH];
    void *volatile       place[BATCH];

    batch_into((void **)place);
    for (int i = 0; i < BATCH; i++) {
        pthread_key_create(&key[i], NULL);
        pthread_setspecific(key[i], place[i]);
        place[i] = NULL;
    }
    kept("pthread_setspecific");
    for (int i = 0; i < BATCH; i++) {
        pthread_setspecific(key[i], NULL);
        pthread_key_delete(key[i]);
    }
    gone("the keys set to NULL");
}

/* -- the stack --------------------------------------------------------------------------------- */

static NOINLINE void on_stack(void)
{
    void *volatile place[BATCH];

    batch_into((void **)place);
    kept("the stack");
    check(((struct object *)place[5])->mark == word[5], "as the frame has it");
}

static NOINLINE void alloca_far(size_t bytes)
{
    volatile char far[bytes];

    far[0] = far[bytes - 1] = 0;
    kept("a frame far up the stack");
}

static NOINLINE void far_up(void)
{
    void *volatile place[BATCH];

    batch_into((void **)place);
    alloca_far(3 << 20);
    check(((struct object *)place[5])->mark == word[5], "as that has it");
}

/* -- malloc blocks ----------------------------------------------------------------------------- */

static void blocks(void)
{
    void **volatile  block = malloc(BATCH * sizeof *block);
    void ***volatile chain = malloc(sizeof *chain);

    try_place("a malloc block", block);
    *chain = calloc(1 << 20, sizeof **chain);
    try_place("the end of a large block behind another", *chain + (1 << 20) - BATCH);
    free(*chain);
    free((void *)chain);
    batch_into(block);
    block = (void **)((char *)block + 100);
    kept("a block that only a pointer to its inside reaches");
    block = (void **)((char *)block - 100);
    free(block);
    gone("the block freed");
}

/* The batch hangs at the end of a chain of blocks of many sizes. */
static void long_chain(void)
{
    void **volatile first = NULL, **at;

    for (int i = 0; i < 5000; i++) {
        void **block = malloc(16 + (size_t)i * 7 % 3000);

        block[1] = first;
        first = block;
    }
    for (at = first; at[1]; at = at[1])
        ;
    at[1] = malloc(BATCH * sizeof(void *));
    batch_into(at[1]);
    at = NULL;
    kept("the last of a chain of 5000 malloc blocks");
    for (int i = 0; i < 5000; i++) {
        void **next = first[1];

        free(first);
        first = next;
    }
    free(first);
    gone("the chain freed");
}

static NOINLINE uintptr_t block_of_batch(void)
{
    void **block = malloc(BATCH * sizeof *block);

    batch_into(block);
    return hidden(block);
}

static void unreachable_block(void)
{
    uintptr_t where = block_of_batch();

    gone("in a malloc block that nobody points at");
    free(shown(where));
}

static void interior(void)
{
    void **volatile block = malloc(BATCH * sizeof *block);

    batch_into(block);
    for (int i = 0; i < BATCH; i++)
        block[i] = (char *)block[i] + 1 + i % 63;
    kept("a pointer to the inside");
    free(block);
    gone("that freed");
}

/* -- arenas ------------------------------------------------------------------------------------ */

static void arenas(void)
{
    struct midden_arena *arena = midden_arena_create("places");
    size_t               mark = midden_arena_mark(arena);

    batch_into(midden_arena_alloc(arena, BATCH * sizeof(void *)));
    kept("a block of a live arena, which nobody points at,");
    midden_arena_rewind(arena, mark);
    gone("the arena rewound");
    midden_arena_alloc(arena, 100000);
    batch_into(midden_arena_alloc_aligned(arena, BATCH * sizeof(void *), 4096));
    kept("an aligned block of the arena");
    midden_arena_destroy(arena);
    gone("the arena destroyed");
}

/* -- mappings ---------------------------------------------------------------------------------- */

static void *mapped(size_t bytes, int flags, int file)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);

    return at == MAP_FAILED ? NULL : at;
}

static void mappings(void)
{
    size_t bytes = 64 << 20;
    char  *private = mapped(bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    char  *file = mapped(4096, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY));
    void **shared = table(4096);

    try_place("a private mapping", (void **)private);
    batch_into((void **)(private + bytes - 4096));
    kept("the end of a large private mapping");
    munmap(private, bytes);
    gone("the mapping unmapped");
    try_place("a private mapping of a file", (void **)file);
    batch_into(shared);
    gone("in a shared mapping");
    check(midden_root_add(shared, 4096) == 0, "a shared mapping is made a root");
    memset(shared, 0, 4096);
    try_place("a registered root", shared);
    midden_root_remove(shared);
    munmap(file, 4096);
    munmap(shared, 4096);
}

/* Mappings nobody may read, between others, and pages that are not there at all. */
static void holes(void)
{
    char *at = mapped(64 * 4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char  path[] = "/tmp/midden-places-XXXXXX";
    int   file = mkstemp(path);
    char *beyond = mapped(16 * 4096, MAP_PRIVATE, file);

    unlink(path);
    for (int i = 0; i < 64; i += 2)
        mprotect(at + i * 4096, 4096, i % 4 ? PROT_NONE : PROT_READ);
    munmap(at + 7 * 4096, 4096);
    try_place("a page between pages nobody may read", (void **)(at + 33 * 4096));
    check(beyond != NULL, "a mapping that lies beyond the end of its file does no harm");
    munmap(at, 64 * 4096);
    munmap(beyond, 16 * 4096);
    close(file);
}

/* -- objects ----------------------------------------------------------------------------------- */

static void objects(void)
{
    void ***volatile holder = midden_alloc(64);
    struct node     *open = midden_new(&open_type, 0);

    holder[7] = midden_alloc(BATCH * sizeof(void *));
    try_place("an uncounted object behind another", holder[7]);
    holder[7] = NULL;
    open->raw = midden_alloc(BATCH * sizeof(void *));
    batch_into(open->raw);
    kept("what a conservative counted object points at");
    midden_release(open);
    gone("that released");
}

/* -- a coroutine ------------------------------------------------------------------------------- */

static ucontext_t outside, inside;

static void coroutine(void)
{
    void *volatile place[BATCH];

    batch_into((void **)place);
    swapcontext(&inside, &outside);
    check(((struct object *)place[9])->mark == word[9], "as the coroutine finds them");
}

static void coroutines(void)
{
    size_t bytes = 64 * 1024;
    char  *stack = malloc(bytes);

    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = bytes;
    inside.uc_link = &outside;
    makecontext(&inside, coroutine, 0);
    swapcontext(&outside, &inside);
    kept("the stack of a coroutine");
    swapcontext(&outside, &inside);
    free(stack);
    gone("its stack freed");
}

/* A collection on a coroutine's own stack: the thread's real one lies elsewhere. */
static void collecting_coroutine(void)
{
    kept("the stack of a thread that collects on another one");
}

static NOINLINE void away(void)
{
    size_t         bytes = 256 * 1024;
    char          *stack = mapped(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    void *volatile place[BATCH];

    batch_into((void **)place);
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = bytes;
    inside.uc_link = &outside;
    makecontext(&inside, collecting_coroutine, 0);
    swapcontext(&outside, &inside);
    check(((struct object *)place[9])->mark == word[9], "as it finds them");
    munmap(stack, bytes);
}

int main(void)
{
    word = table(BATCH * sizeof *word);
    midden_disable();
    statics();
    libraries();
    keys();
    on_stack();
    gone("the frame left");
    far_up();
    blocks();
    long_chain();
    unreachable_block();
    interior();
    arenas();
    mappings();
    holes();
    objects();
    coroutines();
    away();
    return done();
}
