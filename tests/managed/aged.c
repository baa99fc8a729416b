/* aged.c - what became old while marks stood: it goes in the end, what comes in its place begins as
 *      new, and a kernel that must not be asked any more is not.
 * slow: yes
 * seconds: 300
 */
#include "check.h"
#include "minors.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define OLD     scaled(600000)
#define BLOCKS  scaled(200000)
#define NODES   scaled(700000)
#define SAMPLES (OLD < 600000 ? 100L : 1000L)

struct item {
    struct item *next;
    uint64_t    *kid;
    uint64_t     number, spare;
};

static struct item **elders, **others;       /* roots: in static data */
static struct item  *items;
static int           tracks;

/* Slabs of few blocks take much more memory for as many. */
static int is_shrunken(void)
{
    return getenv("MIDDEN_SHRUNKEN") && !strcmp(getenv("MIDDEN_SHRUNKEN"), "yes");
}

static NOINLINE void build(void)
{
    elders = midden_alloc(OLD * sizeof *elders);
    for (long i = 0; i < OLD; i++) {
        elders[i] = midden_alloc(sizeof **elders);
        elders[i]->number = (uint64_t)i;
    }
}

static NOINLINE void build_others(size_t bytes)
{
    others = midden_alloc(OLD * sizeof *others);
    for (long i = 0; i < OLD; i++)
        others[i] = midden_alloc(bytes);
}

static long damaged(void)
{
    long bad = 0;

    for (long i = 0; i < OLD; i++)
        bad += elders[i]->number != (uint64_t)i;
    return bad;
}

/* -- in the place of the old ------------------------------------------------------------------- */

static NOINLINE void build_list(long count)
{
    for (long i = 0; i < count; i++) {
        struct item *item = midden_alloc(sizeof *item);

        item->next = items;
        item->number = (uint64_t)i;
        items = item;
        item->kid = midden_alloc(64);
        item->kid[3] = (uint64_t)i;
    }
}

static NOINLINE void write_over(long count)
{
    for (long i = 0; i < count; i++)
        memset(midden_alloc(64), 0xee, 64);
}

static long bad_items(long count)
{
    long bad = 0;

    for (struct item *item = items; item; item = item->next) {
        if (count-- == 0 || item->number != (uint64_t)count)
            return -1;
        bad += item->kid[3] != item->number;
    }
    return bad + count;
}

static int see(const struct midden_reference *reference, void *arg)
{
    (void)reference, (void)arg;
    return 0;
}

/* Malloc blocks get marks, and go; marks are taken down; traced objects come where the blocks were.
 * Nothing there may look as if it had been marked. */
static void in_their_place(int by_question)
{
    void **blocks = malloc(BLOCKS * sizeof *blocks);
    long   nodes = by_question ? BLOCKS : NODES, bad;

    build_others(96);
    for (long i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(32);
    check_alone(until_minor(2) == tracks, "marks stand");
    for (long i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    free(blocks);
    others = NULL;
    wipe();
    midden_disable();
    if (by_question)
        midden_get_referrers((void *[]){ elders[5] }, 1, see, NULL);
    else
        midden_collect(MIDDEN_FULL);
    build_list(nodes);
    midden_collect(MIDDEN_FULL);
    write_over(2 * nodes);
    bad = bad_items(nodes);
    check(bad == 0, "where old blocks were a list of %ld is whole, by %s: %ld are not", nodes,
        by_question ? "question" : "full collection", bad);
    midden_enable();
    items = NULL;
    wipe();
    midden_collect(MIDDEN_FULL);
}

/* -- what dies old ----------------------------------------------------------------------------- */

static NOINLINE void sample(uintptr_t *samples)
{
    for (long i = 0; i < SAMPLES; i++)
        samples[i] = hidden(others[i * (OLD / SAMPLES)]);
    others = NULL;
}

static long left(const uintptr_t *samples)
{
    return count_in_use(samples, SAMPLES);
}

/* Nothing but garbage that dies young comes after: nothing grows. */
static void uncounted(void)
{
    uintptr_t *samples = table(SAMPLES * sizeof *samples);
    uint64_t   before;

    build_others(96);
    until_minor(2);
    sample(samples);
    wipe();
    before = collections(MIDDEN_FULL);
    until_minor(18);
    check_alone(collections(MIDDEN_FULL) > before, "of eighteen for growth one is full, at least");
    check(left(samples) <= SAMPLES / 100, "what died old goes: %ld of %ld are left", left(samples),
        SAMPLES);
}

/* Counted circles that live for a while, and die: there are never many more than growth allows,
 * whether they were found by full collections or had become old by minor ones. */
static void counted(void)
{
    enum { WINDOW = 50000, COME = 6000000, MOST = 2000000 };
    struct node **window = table(WINDOW * sizeof *window);
    long          most = 0, come = every_count() ? 3000 : COME, lives = scaled(WINDOW);

    midden_policy_set("growth:100%");
    midden_collect(MIDDEN_FULL);
    ends();
    for (long i = 0, ended = 0; i < come && most <= MOST; i++) {
        struct node **at = &window[i % lives], *old = *at, *one = node(0);

        midden_assign(&one->left, one);
        *at = one;
        if (old)
            midden_release(old);
        ended += ends();
        most = i - ended > most ? i - ended : most;
    }
    for (long i = 0; i < lives; i++)
        midden_release(window[i]);
    check(most <= MOST, "counted circles that died old go: %ld at a time", most);
    midden_policy_set("objects:700/10/10+growth:100%");
}

/* -- a kernel that must not be asked ----------------------------------------------------------- */

static void forbid(void)                     /* death to who calls ioctl or userfaultfd */
{
    struct sock_filter words[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_userfaultfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof words / sizeof words[0], words };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(3);
}

static int goes_on(void)
{
    uint64_t before = collections(MIDDEN_FULL);

    forbid();
    for (int i = 0; i < 400 && collections(MIDDEN_FULL) < before + 2; i++)
        litter();
    return collections(MIDDEN_FULL) >= before + 2 && damaged() == 0;
}

static void *in_a_thread(void *unused)
{
    (void)unused;
    return goes_on() ? NULL : (void *)1;
}

static void forbidden(int one_thread)
{
    int   status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        void *failed = NULL;

        if (until_minor(2) != tracks && every_count() == 0)
            _exit(2);
        if (one_thread)
            pthread_join(start(in_a_thread, NULL), &failed);
        else
            failed = goes_on() ? NULL : (void *)1;
        _exit(failed != NULL);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        status = -1;
    check(status == 0, "a filter that comes later, for %s, is not asked: %x",
        one_thread ? "one thread" : "the process", (unsigned)status);
}

/* -- by option --------------------------------------------------------------------------------- */

static int never(void)
{
    uint64_t before;

    build();
    before = collections(MIDDEN_FULL);
    for (int i = 0; i < 400 && collections(MIDDEN_FULL) < before + 6; i++)
        litter();
    return minors() == 0 && watches() == 0 && collections(MIDDEN_FULL) >= before + 6;
}

int main(int argc, char **argv)
{
    int made;

    if (argc > 1)
        return never() ? 7 : 8;
    build();
    made = until_minor(3);
    tracks = kernel_tracks(made);
    check_alone(made == tracks, "collections for growth are minor where the kernel tracks writes");
    in_their_place(1);
    if (!is_shrunken())
        in_their_place(0);
    uncounted();
    counted();
    forbidden(0);
    forbidden(1);
    check(damaged() == 0, "the old heap is whole at the end");
    setenv("MIDDEN_OPTIONS", "minor=never", 1);
    made = again("never", RLIMIT_CORE, 0);
    check(WIFEXITED(made) && WEXITSTATUS(made) == 7, "minor=never: none: %x", made);
    return done();
}
