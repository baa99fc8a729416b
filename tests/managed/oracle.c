/* oracle.c - random graphs of counted and uncounted objects, leaves and malloc blocks, changed by
 *      threads while collections run; what is reachable is worked out aside, exactly, in memory
 *      that no collection looks into, and compared after each round.
 * Job         The shadow knows each node's kind, edges and handles. Reachable is what the spec says
 *             (Rules). After full collections, until one finds nothing, nothing reachable is gone
 *             or damaged, no count is wrong, no unreachable counted object is left but those that
 *             a stale word keeps by way of an uncounted one, and the uncounted that are left hang
 *             on a few stale words.
 * Rules       handles that no owned field explains, and registered roots, keep counted objects;
 *             counted objects keep what their owned fields hold, conservative ones also the
 *             uncounted objects and blocks their other words point at; statics, registered roots,
 *             live uncounted objects and reachable blocks keep uncounted objects and reach blocks,
 *             and uncounted objects keep counted ones as well; leaves and the other words of plain
 *             objects keep nothing. At count zero a counted object dies, whatever points at it: so
 *             registered roots and uncounted objects point only at such as hold themselves.
 * Locking     One lock for the shadow and the graph; collections run without it.
 * slow: yes
 * seconds: 900
 */
#include "oracle.h"

enum { STRAYS = 4 };                         /* stale words on stacks, a round, on average */

/* -- changing the graph ------------------------------------------------------------------------ */

static unsigned char pattern_of(uint32_t label, uint32_t at)
{
    return (unsigned char)(label * 37 + at * 11 + 5);
}

static struct body *make_body(int kind, uint32_t extra)
{
    size_t bytes = FIXED + extra;
    void  *block;

    if (is_counted(kind))
        return midden_new(&types[kind], extra);
    if (kind == BLOCK) {                     /* a collection looks into all of it */
        block = malloc(bytes);
        return memset(block, 0, malloc_usable_size(block));
    }
    return kind == TRACED ? midden_alloc(bytes) : memset(midden_alloc_leaf(bytes), 0, bytes);
}

/* A new node, with one handle if it is counted; the lock is held. NONE: there is no room. */
static uint32_t make_node(int kind, unsigned *seed, struct body **out)
{
    uint32_t     index = spares ? spare[--spares] : NONE;
    uint32_t     extra = next_random(seed) % (next_random(seed) % 100 ? 120 : 9000);
    struct body *body;

    if (index == NONE)
        return NONE;
    *out = body = make_body(kind, extra);
    body->label = index;
    body->extra = extra;
    for (uint32_t i = 0; i < extra; i++)
        body->rest[i] = pattern_of(index, i);
    shade[index] = (struct shade){ .at = hidden(body), .kind = (uint8_t)kind, .extra = extra,
                                   .handles = is_counted(kind) };
    return index;
}

static void set_edge(uint32_t from, int at, uint32_t to)
{
    struct body *body = body_of(from);

    if (is_counted(shade[from].kind) && shade[from].kind != LEAFY && at < OWNED)
        midden_assign(&body->word[at], body_of(to));
    else
        __atomic_store_n(&body->word[at], body_of(to), __ATOMIC_RELAXED);
    shade[from].edge[at] = to;
}

/* Some node that is reachable for certain: at the end of a walk that begins at a root. */
static uint32_t walk(unsigned *seed)
{
    uint32_t at = next_random(seed) % 2 ? root_edge[next_random(seed) % ROOTS]
                                        : static_edge[next_random(seed) % STATICS];

    for (int steps = (int)(next_random(seed) % 24); steps > 0 && at != NONE; steps--) {
        int      word = (int)(next_random(seed) % WORDS);
        uint32_t to = shade[at].edge[word];

        if (to != NONE && keeps(shade[at].kind, word, shade[to].kind))
            at = to;
    }
    return at;
}

/* Into an empty word of a reachable node, which keeps it then? */
static int hang_on_node(uint32_t index, unsigned *seed)
{
    uint32_t from = walk(seed);
    int      at = (int)(next_random(seed) % WORDS);

    if (from == NONE || shade[from].edge[at] != NONE || !may_hold(from, at, index) ||
        !keeps(shade[from].kind, at, shade[index].kind))
        return 0;
    set_edge(from, at, index);
    return 1;
}

/* A new node is hung on one that is reachable, or on a root. What can be hung nowhere is let go. */
static void hang(uint32_t index, struct body *body, unsigned *seed)
{
    uint32_t slot = next_random(seed) % ROOTS;

    for (int tries = 0; tries < 20; tries++)
        if (hang_on_node(index, seed))
            return;
    if (is_steady(index) && (root_edge[slot] == NONE || next_random(seed) % 50 == 0)) {
        root[slot] = body;
        root_edge[slot] = index;
    }
}

static void grow(unsigned *seed)
{
    static const uint8_t mix[] = { PLAIN, PLAIN, OPEN, OPEN, VISITED, LEAFY, TRACED, TRACED, TRACED,
                                   LEAF, BLOCK, BLOCK };
    int                   kind = mix[next_random(seed) % sizeof mix];
    struct body *volatile body = NULL;       /* keeps an uncounted one meanwhile */
    uint32_t              index = make_node(kind, seed, (struct body **)&body);

    if (index == NONE)
        return;
    if (is_counted(kind) && kind != LEAFY && next_random(seed) % 2) {
        set_edge(index, 0, index);
        shade[index].self = 1;
    }
    hang(index, body, seed);
    if (is_counted(kind)) {
        shade[index].handles--;
        midden_release(body);
    }
}

/* A word of a reachable node comes to hold another reachable node, or NULL. */
static void change(unsigned *seed)
{
    uint32_t from = walk(seed), to = next_random(seed) % 8 ? walk(seed) : NONE;
    int      at = (int)(next_random(seed) % WORDS);

    if (from != NONE && shade[from].edge[at] != NONE && next_random(seed) % 8)
        return;                              /* most of what hangs somewhere stays there */
    if (from != NONE && may_hold(from, at, to))
        set_edge(from, at, to);
}

/* The test takes or lets go of a handle of its own, kept nowhere but in the shadow. */
static void handle(unsigned *seed)
{
    uint32_t at = walk(seed);

    if (at == NONE || !is_counted(shade[at].kind))
        return;
    if (shade[at].handles) {
        shade[at].handles--;
        midden_release(body_of(at));
    } else if (next_random(seed) % 4 == 0) {
        midden_retain(body_of(at));
        shade[at].handles++;
    }
}

static void change_root(unsigned *seed)
{
    uint32_t to = next_random(seed) % 4 ? walk(seed) : NONE, at = next_random(seed) % ROOTS;

    if (next_random(seed) % 2) {
        if (to != NONE && !is_steady(to))
            return;
        root[at] = body_of(to);
        root_edge[at] = to;
    } else if (to == NONE || !is_counted(shade[to].kind)) {
        in_static[at % STATICS] = body_of(to);
        static_edge[at % STATICS] = to;
    }
}

static void look(unsigned *seed)
{
    uint32_t     at = walk(seed);
    struct body *body = body_of(at);

    if (at != NONE && (body->label != at || body->extra != shade[at].extra))
        __atomic_add_fetch(&damage, 1, __ATOMIC_RELAXED);
}

static void step(unsigned *seed)
{
    unsigned what = next_random(seed) % 100;

    pthread_mutex_lock(&lock);
    if (what < 40)
        grow(seed);
    else if (what < 75)
        change(seed);
    else if (what < 80)
        handle(seed);
    else if (what < 82)
        change_root(seed);
    else
        look(seed);
    pthread_mutex_unlock(&lock);
}

/* -- after a round ----------------------------------------------------------------------------- */

static void drop(uint32_t index)
{
    shade[index].kind = FREE;
    spare[spares++] = index;
}

/* Handles of each counted node: the test's own, and those of the nodes that are not finalized. */
static void count_handles(uint32_t *count)
{
    for (uint32_t i = 1; i < nodes; i++)
        count[i] = shade[i].handles;
    for (uint32_t i = 1; i < nodes; i++)
        for (int at = 0; at < OWNED && is_counted(shade[i].kind) && shade[i].kind != LEAFY; at++)
            count[shade[i].edge[at]] += !shade[i].finalized;
}

/* Counted nodes without a handle that have not been finalized. */
static long overdue(uint32_t *count)
{
    long late = 0;

    count_handles(count);
    for (uint32_t i = 1; i < nodes; i++)
        late += is_counted(shade[i].kind) && count[i] == 0 && !shade[i].finalized;
    return late;
}

/* Of the live ones: what is wrong with it? NULL: it is there, whole, with its words and count. */
static const char *wrong(uint32_t index, uint32_t count)
{
    const struct shade *at = &shade[index];
    struct body        *body = body_of(index);

    if (!in_use(at->at))
        return "it is free";
    if (at->finalized)
        return "it is finalized";
    if (body->label != index || body->extra != at->extra)
        return "its label is another";
    for (uint32_t i = 0; i < at->extra; i++)
        if (body->rest[i] != pattern_of(index, i))
            return "its bytes are others";
    for (int i = 0; i < WORDS; i++)
        if (body->word[i] != (void *)body_of(at->edge[i]))
            return "its words are others";
    return !is_counted(at->kind) || midden_handles(body) == count ? NULL : "its count is another";
}

static int is_lost(uint32_t index, uint32_t count)
{
    static const char *const kinds[] = { "free", "plain", "open", "visited", "leafy", "traced",
                                         "leaf", "block" };
    static int               told;
    const char              *text = wrong(index, count);

    if (text && told++ < 20)
        printf("# node %u, %s, %p, %u handles: %s\n", index, kinds[shade[index].kind],
               (void *)body_of(index), count, text);
    return text != NULL;
}

struct result {
    long live, lost, dead_counted, left_counted, twice, dead_uncounted, left_uncounted;
    long strays;                             /* words that keep what is left */
};

static void judge_live(struct result *result, const uint32_t *count)
{
    for (uint32_t i = 1; i < nodes; i++)
        if (shade[i].kind != FREE && shade[i].marked) {
            result->live++;
            result->lost += is_lost(i, count[i]);
        }
}

/* Is an unreachable uncounted node still there, and not the next block at its address? */
static int is_retained(uint32_t index)
{
    struct midden_object at = { .size = sizeof at };
    struct body         *body = body_of(index);
    enum midden_kind     kind = shade[index].kind == LEAF ? MIDDEN_MANAGED_LEAF : MIDDEN_MANAGED;

    return midden_object_at(body, &at) == 0 && !at.is_free && at.start == body && at.kind == kind &&
           body->label == index;
}

/* Does a word of something retained hold it, left there by another object at its address? */
static int is_aliased(uint32_t index)
{
    for (uint32_t i = 1; i < nodes; i++)
        for (int at = 0; at < WORDS && shade[i].retained; at++)
            if (body_of(i)->word[at] == body_of(index))
                return 1;
    return 0;
}

static int is_left(uint32_t index)
{
    const struct shade *at = &shade[index];

    return is_counted(at->kind) && !at->marked && !at->finalized;
}

static void lead(uint32_t index)
{
    for (int at = 0; at < WORDS; at++) {
        uint32_t to = shade[index].edge[at];

        if (to != NONE && to != index && keeps(shade[index].kind, at, shade[to].kind))
            shade[to].led = 1;
    }
}

/* Words that keep what is retained, at least: one for each node that no other leads to, and one for
 * what is left of rings. */
static long stray_words(void)
{
    long strays = 0;

    mark(0);
    for (uint32_t i = 1; i < nodes; i++)
        shade[i].led = 0;
    for (uint32_t i = 1; i < nodes; i++)
        if (shade[i].retained || (shade[i].kind == BLOCK && !shade[i].marked))
            lead(i);
    for (int rings = 0; rings < 2; rings++)
        for (uint32_t i = 1; i < nodes; i++)
            if (shade[i].retained && !shade[i].marked && (rings || !shade[i].led)) {
                strays++;
                reach_from(i);
            }
    return strays;
}

/* Uncounted nodes that stale words keep, and the counted that nothing excuses. */
static void judge_dead(struct result *result)
{
    for (uint32_t i = 1; i < nodes; i++) {
        struct shade *at = &shade[i];

        at->retained = 0;
        if (at->marked || !is_uncounted(at->kind))
            continue;
        result->dead_uncounted++;
        at->retained = (uint8_t)is_retained(i);
        result->left_uncounted += at->retained;
    }
    for (uint32_t i = 1; i < nodes; i++)
        result->dead_counted += is_counted(shade[i].kind) && !shade[i].marked;
    result->strays = stray_words();
    mark(1);
    for (uint32_t i = 1; i < nodes; i++)
        shade[i].retained |= is_left(i) && is_aliased(i);
    mark(1);
    for (uint32_t i = 1; i < nodes; i++) {
        result->twice += shade[i].finalized > 1;
        result->left_counted += is_left(i);
    }
}

/* Words that held what is gone are cleared: a later block at its address is another one. */
static void scrub(void)
{
    for (uint32_t i = 1; i < nodes; i++)
        for (int at = 0; at < WORDS && shade[i].kind != FREE; at++) {
            uint32_t to = shade[i].edge[at];

            if (to != NONE && shade[to].kind == FREE) {
                body_of(i)->word[at] = NULL;
                shade[i].edge[at] = NONE;
            }
        }
}

/* Forgets what is gone; malloc blocks that nothing reaches are freed here. What a stale word kept
 * stays in the shadow, to be found dead later. */
static void bury(void)
{
    for (uint32_t i = 1; i < nodes; i++) {
        if (shade[i].kind == FREE || shade[i].marked)
            continue;
        if (shade[i].kind == BLOCK)
            free(body_of(i));
        else if (is_counted(shade[i].kind) && !shade[i].finalized)
            continue;
        drop(i);
    }
    scrub();
}

static long minors(void)
{
    struct midden_gc_stats stats = { .size = sizeof stats };
    long                   sum = 0;

    for (int generation = 0; generation < 2; generation++)
        sum += midden_get_stats(generation, &stats) ? 0 : (long)stats.minor;
    return sum;
}

static void tell(int round, const struct result *result)
{
    printf("# round %d: %ld live, %ld lost; dead: %ld counted, %ld left, %ld twice; "
           "%ld uncounted, %ld left by %ld words; minor collections so far: %ld\n",
           round, result->live, result->lost, result->dead_counted, result->left_counted,
           result->twice, result->dead_uncounted, result->left_uncounted, result->strays, minors());
    fflush(stdout);
}

static int is_stale(uint32_t index, int exactly)
{
    return shade[index].finalized ||
           (exactly && is_counted(shade[index].kind) && !shade[index].marked);
}

/* Words in reachable blocks that held counted nodes keep what lies there after those; as registered
 * roots they would keep garbage. */
static void forget_stale(int exactly)
{
    for (uint32_t i = 1; i < nodes; i++)
        for (int at = 0; at < WORDS && shade[i].kind == BLOCK && shade[i].marked; at++)
            if (is_stale(shade[i].edge[at], exactly)) {
                body_of(i)->word[at] = NULL;
                shade[i].edge[at] = NONE;
            }
}

/* What a finalizer could look at stays for one more, and may have finalizers again. */
static void collect_all(void)
{
    int tries = 0;

    do
        wipe();
    while (midden_collect(MIDDEN_FULL) != 0 && ++tries < 10);
}

/* From registered roots alone, so that no stale word has a say: the statics and the blocks that are
 * reachable become such roots. */
static void collect_exactly(void)
{
    midden_root_add(in_static, sizeof in_static);
    for (uint32_t i = 1; i < nodes; i++)
        if (shade[i].kind == BLOCK && shade[i].marked)
            midden_root_add(body_of(i), WORDS * sizeof(void *));
    midden_scan(MIDDEN_SCAN_REGISTERED);
    collect_all();
    midden_scan(MIDDEN_SCAN_ALL);
    for (uint32_t i = 1; i < nodes; i++)
        if (shade[i].kind == BLOCK && shade[i].marked)
            midden_root_remove(body_of(i));
    midden_root_remove(in_static);
}

static struct result judge(int round, uint32_t *count, int exactly)
{
    struct result result = { 0 };

    mark(0);
    forget_stale(exactly);
    wipe();
    collect_all();
    if (exactly)
        collect_exactly();
    count_handles(count);
    judge_live(&result, count);
    judge_dead(&result);
    tell(round, &result);
    bury();
    return result;
}

/* -- rounds ------------------------------------------------------------------------------------ */

static long steps_each;

static void *mutate(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (long i = 0; i < steps_each; i++)
        step(&seed);
    return NULL;
}

/* In half of the rounds full collections come with bytes alone, so that marks may stand. */
static void *collect_often(void *most)
{
    for (int n = 0; !stop; n++) {
        midden_collect(n % (int)(uintptr_t)most);
        usleep(3000);
    }
    return NULL;
}

static void mutate_all(int round, unsigned seed)
{
    pthread_t thread[THREADS], collector;

    stop = 0;
    collector = start(collect_often, (void *)(uintptr_t)(round % 4 < 2 ? 3 : 2));
    for (unsigned i = 0; i < THREADS; i++)
        thread[i] = start(mutate, (void *)(uintptr_t)(seed + (unsigned)round * 100 + i));
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    stop = 1;
    pthread_join(collector, NULL);
}

static void begin(uint32_t most)
{
    midden_policy_set("objects:700/10/10+bytes:1M");         /* minor collections come with bytes */
    nodes = most;
    shade = table(nodes * sizeof *shade);
    queue = table(nodes * sizeof *queue);
    spare = table(nodes * sizeof *spare);
    root = table(ROOTS * sizeof *root);
    root_edge = table(ROOTS * sizeof *root_edge);
    static_edge = table(STATICS * sizeof *static_edge);
    for (uint32_t i = nodes - 1; i > 0; i--)
        spare[spares++] = i;
    midden_root_add(root, ROOTS * sizeof *root);
}

static void clear_roots(void)
{
    for (uint32_t i = 1; i < nodes; i++)
        for (; shade[i].kind != FREE && shade[i].handles; shade[i].handles--)
            midden_release(body_of(i));
    memset(root, 0, ROOTS * sizeof *root);
    memset(root_edge, 0, ROOTS * sizeof *root_edge);
    memset(in_static, 0, sizeof in_static);
    memset(static_edge, 0, STATICS * sizeof *static_edge);
}

static void add(struct result *sum, const struct result *one)
{
    sum->live += one->live;
    sum->lost += one->lost;
    sum->dead_counted += one->dead_counted;
    sum->left_counted += one->left_counted;
    sum->twice += one->twice;
    sum->dead_uncounted += one->dead_uncounted;
    sum->left_uncounted += one->left_uncounted;
    sum->strays += one->strays;
}

static void conclude(const struct result *sum, const struct result *exact, int rounds, long late)
{
    check(sum->lost + exact->lost + damage == 0,
        "of %ld nodes found reachable aside %ld are lost", sum->live + exact->live,
        sum->lost + exact->lost + damage);
    check(late == 0, "every count that fell to zero ended its object at once: %ld did not", late);
    check(sum->left_counted + exact->left_counted + sum->twice + exact->twice == 0,
        "of %ld unreachable counted objects %ld are left, %ld were finalized twice",
        sum->dead_counted + exact->dead_counted, sum->left_counted + exact->left_counted,
        sum->twice + exact->twice);
    check(exact->left_uncounted == 0, "from registered roots: of %ld unreachable uncounted %ld",
        exact->dead_uncounted, exact->left_uncounted);
    check(sum->strays <= STRAYS * rounds,
        "from all roots: of %ld unreachable uncounted %ld, kept by %ld stale words",
        sum->dead_uncounted, sum->left_uncounted, sum->strays);
}

int main(void)
{
    const char   *given = getenv("MIDDEN_SEED");
    unsigned      seed = given ? (unsigned)strtoul(given, NULL, 0) : 20111;
    int           rounds = every_count() ? 4 : is_long() ? 40 : 12;
    uint32_t     *count;
    struct result sum[2] = { 0 }, one;
    long          late = 0;

    begin(is_long() ? 300000 : 60000);
    steps_each = every_count() ? 1000 : is_long() ? 400000 : 40000;
    count = table(nodes * sizeof *count);
    printf("# seed %u\n", seed);
    fflush(stdout);
    for (int round = 0; round < rounds; round++) {
        mutate_all(round, seed);
        late += overdue(count);
        if (round % 4 == 3)
            clear_roots();
        one = judge(round, count, round % 2);
        add(&sum[round % 2], &one);
    }
    conclude(&sum[0], &sum[1], rounds / 2, late);
    return done();
}
