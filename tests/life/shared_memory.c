/* shared_memory.c - vfork, posix_spawn, popen and clone(CLONE_VM): a child that runs on its
 *      parent's memory. */
#include "../trap/tap.h"

#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>

extern char **environ;

static void *from_child[64];

/* On the parent's memory, as clone's child; the parent waits. */
static int allocate(void *give_back)
{
    free(give_back);
    for (int i = 0; i < 64; i++) {
        from_child[i] = malloc((size_t)(i * 333 + 1));
        fill(from_child[i], (size_t)(i * 333 + 1), (unsigned)i);
    }
    return churn(4, 2000) != 0;
}

static int collect(void)
{
    int bad = 0;

    for (int i = 0; i < 64; i++) {
        bad += !from_child[i] || !holds(from_child[i], (size_t)(i * 333 + 1), (unsigned)i);
        free(from_child[i]);
    }
    return bad;
}

static void clone_point(void)
{
    char *stack = aligned_alloc(4096, 1 << 18);
    int   bad = 0, status = -1;

    for (int i = 0; i < 50; i++) {
        pid_t child = clone(allocate, stack + (1 << 18), CLONE_VM | CLONE_VFORK | SIGCHLD,
            malloc(100));

        bad += waitpid(child, &status, 0) != child || status != 0;
        bad += collect();
    }
    free(stack);
    check(bad == 0, "a child by clone(CLONE_VM | CLONE_VFORK) allocates for its parent");
}

static void vfork_point(void)
{
    int bad = 0;

    for (int i = 0; i < 100; i++) {
        int            status = -1;
        volatile pid_t child = vfork();

        if (child == 0) {
            char *p = hide(malloc(1000));

            p[0] = 1;
            free(p);
            execl("/bin/true", "true", (char *)NULL);
            _exit(9);
        }
        bad += waitpid(child, &status, 0) != child || status != 0;
    }
    check(bad == 0, "a child by vfork allocates and frees, then execs");
}

/* The limit is the child's alone; the parent's reservation must outlive it. */
static void limit_point(void)
{
    char *block[16];
    int   status = -1, bad = 0;
    pid_t child = vfork();

    if (child == 0) {
        struct rlimit small = { 1 << 28, 1 << 28 };

        setrlimit(RLIMIT_AS, &small);
        execl("/bin/true", "true", (char *)NULL);
        _exit(9);
    }
    waitpid(child, &status, 0);
    check(status == 0, "a child by vfork limits its address space and execs");
    for (int i = 0; i < 16; i++) {
        block[i] = malloc((size_t)1 << 29);
        if (block[i])
            block[i][1 << 28] = 1;
        bad += !block[i];
    }
    for (int i = 0; i < 16; i++)
        free(block[i]);
    check(bad == 0, "and its parent can allocate as much as before");
}

static void spawn_point(void)
{
    char *const words[] = { "sh", "-c", "exit 5", NULL };
    int         bad = 0, status = -1;

    for (int i = 0; i < 50; i++) {
        posix_spawn_file_actions_t actions;
        pid_t                      child = -1;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
        bad += posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ) != 0;
        bad += waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 5;
        posix_spawn_file_actions_destroy(&actions);
    }
    check(bad == 0, "posix_spawn");
    check(WEXITSTATUS(system("exit 6")) == 6, "system");
}

static void popen_point(void)
{
    char  line[100] = "";
    FILE *from = popen("echo through a pipe", "r");

    check(from && fgets(line, sizeof line, from) && !strcmp(line, "through a pipe\n")
        && pclose(from) == 0, "popen");
}

int main(void)
{
    clone_point();
    vfork_point();
    limit_point();
    spawn_point();
    popen_point();
    check(churn(1, 20000) == 0, "the heap works");
    return done();
}
