/* forks.c - managed objects in a forked child: they are there, they are collected, and what the
 *      parent was about does not matter.
 * slow: yes
 * seconds: 120
 */
#include "check.h"

#include <sys/wait.h>

static volatile int stop;

static int child_collects(void *object)
{
    struct node *kept = object;
    long         found;

    ends();
    found = midden_collect(MIDDEN_FULL);
    if (found != 7 || ends() != 7)
        return 1;
    midden_release(ring(4));
    if (midden_collect(every_count() ? MIDDEN_FULL : 0) != 4)
        return 2;
    if (kept->left->left->left != kept || midden_handles(kept) != 2)
        return 3;
    midden_release(kept);
    return midden_collect(MIDDEN_FULL) == 3 ? 0 : 4;
}

static void quiet(void)
{
    struct node *kept = ring(3);
    int          status;

    midden_release(ring(7));
    status = in_child(child_collects, kept);
    check(status == 0, "a child collects what was garbage in its parent: status %#x", status);
    ends();
    check(midden_collect(MIDDEN_FULL) == 7 && ends() == 7, "and the parent collects it as well");
    midden_release(kept);
    midden_collect(MIDDEN_FULL);
    ends();
}

/* -- while others work ------------------------------------------------------------------------- */

static void *collect_often(void *unused)
{
    for (int n = 0; !stop; n++)
        midden_collect(n % 3);
    return NULL;
}

static void *make_often(void *arg)
{
    void **volatile kept = midden_alloc(64);

    while (!stop) {
        struct node *object = ring(5);

        *kept = midden_alloc(100);
        midden_release(object);
        free(malloc(1000));
    }
    return NULL;
}

static int child_works(void *object)
{
    struct node *kept = object;
    pthread_t    thread;

    for (int i = 0; i < 3; i++) {
        struct node *first = ring(10);
        uintptr_t    word = hidden(first);

        midden_release(first);
        if (midden_collect(MIDDEN_FULL) < 10 || in_use(word))
            return 1;
    }
    stop = 0;
    thread = start(make_often, NULL);
    for (int i = 0; i < 5; i++)
        if (midden_collect(i % 3) < 0)
            return 2;
    stop = 1;
    pthread_join(thread, NULL);
    return kept->left->left->left == kept ? 0 : 3;
}

static void busy(void)
{
    struct node *kept = ring(3);
    pthread_t    thread[4];
    double       end = now_ms() + 1500;
    long         forks = 0, bad = 0;

    for (int i = 0; i < 4; i++)
        thread[i] = start(i ? make_often : collect_often, NULL);
    for (; now_ms() < end; forks++)
        bad += in_child(child_works, kept) != 0;
    stop = 1;
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    check(bad == 0, "%ld children forked while others collect: %ld failed", forks, bad);
    midden_release(kept);
}

/* Objects that are spans of their own: a child finds none of them half made. */
static const struct midden_type sheet_type = { sizeof sheet_type, "sheet", 64, NULL, NULL, NULL,
                                               0 };

static void *make_sheets(void *unused)
{
    while (!stop)
        midden_release(midden_new(&sheet_type, 100000));
    return NULL;
}

static int look(const struct midden_reference *reference, void *unused)
{
    return 0;
}

static int child_asks(void *block)
{
    return midden_get_referrers(&block, 1, look, NULL) < 0;
}

static void of_sheets(void)
{
    void     *block = midden_alloc(64);
    pthread_t thread[3];
    long      bad = 0;

    stop = 0;
    for (int i = 0; i < 3; i++)
        thread[i] = start(make_sheets, NULL);
    for (int i = 0; i < 200; i++)
        bad += in_child(child_asks, block) != 0;
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    check(bad == 0, "children forked while large objects are made: %ld failed", bad);
}

/* The helper thread of a policy is not there in a child; it comes back when it is wanted. */
static int child_of_interval(void *unused)
{
    uint64_t before = collections(2);
    double   end = now_ms() + 3000;

    while (collections(2) < before + 3 && now_ms() < end) {
        midden_release(midden_new(&plain_type, 0));
        pause_ms(1);
    }
    return collections(2) < before + 3;
}

static void with_helper(void)
{
    int status;

    midden_policy_set("interval:10ms");
    pause_ms(50);
    status = in_child(child_of_interval, NULL);
    check(status == 0, "a policy that needs a helper thread works in a child: status %#x", status);
    check(child_of_interval(NULL) == 0, "and in the parent still");
    midden_policy_set("");
}

/* A child that ends at once is no worse for what its parent does with the world. */
static int exits(void *unused)
{
    return 0;
}

static int executes(void *unused)
{
    execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static void quick(void)
{
    pthread_t thread[2];
    long      bad = 0;

    stop = 0;
    thread[0] = start(collect_often, NULL);
    thread[1] = start(make_often, NULL);
    for (int i = 0; i < 100; i++)
        bad += in_child(i % 2 ? exits : executes, NULL) != 0;
    for (int i = 0; i < 50; i++)
        bad += system("exit 0") != 0;
    stop = 1;
    pthread_join(thread[0], NULL);
    pthread_join(thread[1], NULL);
    check(bad == 0, "children that end or exec at once: %ld failed", bad);
}

/* -- while another thread collects, and is not there in the child ------------------------------ */

static volatile int dawdles, collecting;

static void dawdle(enum midden_phase phase, const struct midden_collection *at, void *unused)
{
    if (phase != MIDDEN_START || !dawdles)
        return;
    dawdles = 0;
    collecting = 1;
    pause_ms(200);
}

static void *collect_slowly(void *unused)
{
    midden_collect(MIDDEN_FULL);
    return NULL;
}

static pthread_t start_slowly(void)
{
    pthread_t thread;

    collecting = 0;
    dawdles = 1;
    thread = start(collect_slowly, NULL);
    while (!collecting)
        pause_ms(1);
    return thread;
}

/* A child that no fork handler was told of does not wait for a thread it does not have. */
static void behind_the_back(void)
{
    int       status = -1;
    pthread_t thread = start_slowly();
    pid_t     child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

    if (child == 0) {
        alarm(20);
        _exit(midden_collect(MIDDEN_FULL) < 0);
    }
    waitpid(child, &status, 0);
    check(status == 0,
        "a child by clone collects, though another thread of its parent was about to: %#x", status);
    pthread_join(thread, NULL);
}

/* A handler forks above a call that waits for its turn: in the child nobody waits but that call. */
static volatile pid_t handled = -1;

static void fork_in_handler(int number)
{
    handled = fork();
}

static void *send_late(void *to)
{
    pause_ms(50);
    pthread_kill(*(pthread_t *)to, SIGUSR1);
    return NULL;
}

static void above_a_wait(void)
{
    pthread_t self = pthread_self(), thread = start_slowly(), sender;
    int       status = -1;
    double    begin;

    signal(SIGUSR1, fork_in_handler);
    sender = start(send_late, &self);
    midden_collect(0);
    if (handled == 0) {
        alarm(20);
        begin = now_ms();
        for (int i = 0; i < 40; i++)
            midden_collect(0);
        _exit(now_ms() - begin > 300);
    }
    waitpid(handled, &status, 0);
    check(status == 0,
        "a child forked above a wait waits for nobody any more: %#x", status);
    pthread_join(sender, NULL);
    pthread_join(thread, NULL);
}

int main(void)
{
    midden_disable();
    midden_callbacks_add(dawdle, NULL);
    behind_the_back();
    above_a_wait();
    midden_callbacks_remove(dawdle, NULL);
    quiet();
    midden_enable();
    busy();
    of_sheets();
    with_helper();
    quick();
    return done();
}
