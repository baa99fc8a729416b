/* storm.c - everything at once: threads that allocate, link, drop and die, forks, libraries that
 *      come and go, and a collection every millisecond. At the end every object is accounted for.
 * library: storm_part -ldl
 * slow: yes
 * seconds: 300
 */
#include "check.h"

#include <sys/wait.h>

enum { THREADS = 8, SLOTS = 64 };

struct slot {
    pthread_mutex_t lock;
    struct node    *object;                  /* a handle */
    void           *uncounted;               /* its first word: its own address, inverted */
};

static struct slot  slot[SLOTS];
static pthread_rwlock_t steps = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static volatile int stop;
static long         made, bad, forks, libraries, threads_born, weak_hits;
static char         part_path[4096];

static void count(long *counter, long by)
{
    __atomic_add_fetch(counter, by, __ATOMIC_RELAXED);
}

/* -- steps ------------------------------------------------------------------------------------- */

static struct node *fresh(unsigned *seed)
{
    const struct midden_type *type = next_random(seed) % 4 ? &node_type : &open_type;
    struct node              *object = midden_new(type, next_random(seed) % 100);

    object->label = hidden(object);
    count(&made, 1);
    return object;
}

static void check_node(struct node *object)
{
    count(&bad, object->label != hidden(object));
}

static struct node *take(unsigned *seed)
{
    struct slot *at = &slot[next_random(seed) % SLOTS];
    struct node *object;

    pthread_mutex_lock(&at->lock);
    object = midden_retain(at->object);
    pthread_mutex_unlock(&at->lock);
    if (object)
        check_node(object);
    return object;
}

static void put(unsigned *seed, struct node *object)
{
    struct slot *at = &slot[next_random(seed) % SLOTS];

    pthread_mutex_lock(&at->lock);
    midden_assign(&at->object, object);
    pthread_mutex_unlock(&at->lock);
}

/* Links two shared objects; fields are guarded by the lock of a slot their address chooses. */
static void link_two(unsigned *seed)
{
    struct node *from = take(seed), *to = take(seed);
    struct slot *at = &slot[(uintptr_t)from / 16 % SLOTS];

    if (from) {
        pthread_mutex_lock(&at->lock);
        midden_assign(next_random(seed) % 2 ? &from->left : &from->right, to);
        pthread_mutex_unlock(&at->lock);
    }
    midden_release(from);
    midden_release(to);
}

static void uncounted_step(unsigned *seed)
{
    struct slot *at = &slot[next_random(seed) % SLOTS];
    uintptr_t   *object = next_random(seed) % 3 ? midden_alloc(16 + next_random(seed) % 300)
                                                : midden_alloc_leaf(16 + next_random(seed) % 300);

    object[0] = hidden(object);
    pthread_mutex_lock(&at->lock);
    if (at->uncounted && *(uintptr_t *)at->uncounted != hidden(at->uncounted))
        count(&bad, 1);
    at->uncounted = object;
    pthread_mutex_unlock(&at->lock);
}

static void weak_step(unsigned *seed)
{
    struct node        *object = take(seed), *got;
    struct midden_weak *weak = object ? midden_weak(object) : NULL;

    midden_release(object);
    put(seed, NULL);
    got = midden_weak_get(weak);
    if (got) {
        check_node(got);
        count(&weak_hits, 1);
    }
    midden_release(got);
    midden_weak_drop(weak);
}

static void ring_step(unsigned *seed)
{
    struct node *first = fresh(seed), *last = first;

    for (unsigned i = next_random(seed) % 20; i > 0; i--) {
        struct node *next = fresh(seed);

        give(&last->left, next);
        last = next;
    }
    midden_assign(&last->left, first);
    if (next_random(seed) % 4 == 0)
        put(seed, first);
    midden_release(first);
}

static void step(unsigned *seed)
{
    pthread_rwlock_rdlock(&steps);
    switch (next_random(seed) % 8) {
    case 0: ring_step(seed); break;
    case 1: link_two(seed); break;
    case 2: put(seed, NULL); break;
    case 3: weak_step(seed); break;
    case 4: count(&bad, churn(*seed, 20)); break;
    case 5: {
        struct node *object = fresh(seed);

        put(seed, object);
        midden_release(object);
        break;
    }
    default: uncounted_step(seed); break;
    }
    pthread_rwlock_unlock(&steps);
}

/* -- rare things ------------------------------------------------------------------------------- */

/* Works for 20 ms, and ends. */
static void child(unsigned *seed)
{
    double end = now_ms() + 20;
    long   before = __atomic_load_n(&bad, __ATOMIC_RELAXED);

    while (now_ms() < end) {
        ring_step(seed);
        midden_release(midden_new(&node_type, 0));
        *(uintptr_t *)midden_alloc(100) = 1;
        if (midden_collect((int)(next_random(seed) % 3)) < 0)
            _exit(3);
    }
    _exit(__atomic_load_n(&bad, __ATOMIC_RELAXED) == before ? 0 : 2);
}

/* No thread is in the middle of a step meanwhile: while a process is copied the others go on, and
 * of what they write the child may see the later and miss the earlier. */
static void fork_once(unsigned *seed)
{
    pid_t pid;
    int   status = -1;

    pthread_rwlock_wrlock(&steps);
    pid = fork();
    pthread_rwlock_unlock(&steps);
    if (pid == 0) {
        alarm(30);
        child(seed);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        printf("# child: status %#x\n", status);
        fflush(stdout);
        count(&bad, 1);
    }
    count(&forks, 1);
}

static void load_once(unsigned *seed)
{
    void *library = dlopen(part_path, RTLD_NOW);
    void **(*place)(void) = library ? dlsym(library, "part_place") : NULL;
    void **(*local)(void) = library ? dlsym(library, "part_local") : NULL;
    uintptr_t *object;

    if (!place || !local) {
        count(&bad, 1);
        return;
    }
    object = midden_alloc(200);
    object[7] = hidden(object);
    *local() = object;
    object = NULL;
    sched_yield();
    object = *local();
    count(&bad, object[7] != hidden(object));
    *local() = NULL;
    dlclose(library);
    count(&libraries, 1);
}

static void *short_life(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;

    for (int i = 0; i < 50; i++)
        step(&seed);
    return NULL;
}

static void born_once(unsigned *seed)
{
    pthread_join(start(short_life, (void *)(uintptr_t)next_random(seed)), NULL);
    count(&threads_born, 1);
}

/* -- the storm --------------------------------------------------------------------------------- */

static void *blow(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg * 7919 + 13;

    while (!stop) {
        unsigned rare = next_random(&seed) % 3000;

        step(&seed);
        if (rare == 0)
            fork_once(&seed);
        else if (rare < 8)
            load_once(&seed);
        else if (rare < 16)
            born_once(&seed);
    }
    return NULL;
}

static void *collect_often(void *unused)
{
    long failed = 0;

    for (int n = 0; !stop; n++) {
        pthread_rwlock_rdlock(&steps);
        failed += midden_collect(n % 3) < 0;
        pthread_rwlock_unlock(&steps);
        usleep(1000);
    }
    return (void *)failed;
}

static NOINLINE void drop_all(void)
{
    for (int i = 0; i < SLOTS; i++) {
        midden_assign(&slot[i].object, NULL);
        slot[i].uncounted = NULL;
    }
}

static void account(long failed)
{
    uint64_t ran = collections(0) + collections(1) + collections(2);
    long     found, ended;

    check(bad == 0, "%ld forks, %ld libraries, %ld threads, %ld weak handles that held: %ld bad",
        forks, libraries, threads_born, weak_hits, bad);
    check(failed <= (long)ran / 20 + 5, "%lu collections, %ld of those asked for given up",
        (unsigned long)ran, failed);
    drop_all();
    wipe();
    found = midden_collect(MIDDEN_FULL);
    wipe();
    midden_collect(MIDDEN_FULL);
    ended = ends();
    check(found >= 0 && ended == made, "of %ld counted objects %ld were finalized", made, ended);
}

int main(void)
{
    pthread_t thread[THREADS], collector;
    void     *failed;
    int       seconds = every_count() ? 2 : is_long() ? 120 : 5;

    snprintf(part_path, sizeof part_path, "%s/libstorm_part.so", getenv("MIDDEN_PROGRAMS"));
    for (int i = 0; i < SLOTS; i++)
        pthread_mutex_init(&slot[i].lock, NULL);
    midden_policy_set("objects:700/10/10+growth:100%+interval:1ms");
    collector = start(collect_often, NULL);
    for (long i = 0; i < THREADS; i++)
        thread[i] = start(blow, (void *)i);
    pause_ms(seconds * 1000.0);
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_join(collector, &failed);
    midden_policy_set("");
    account((long)failed);
    return done();
}
