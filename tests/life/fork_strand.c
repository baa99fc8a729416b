/* fork_strand.c - memory of threads that do not exist in a forked child is not lost there. */
#include "../trap/tap.h"

enum { BLOCKS = 40000, BYTES = 1000 };

static char             *block[BLOCKS];
static pthread_barrier_t gate;

static void *run(void *unused)
{
    for (int i = 0; i < BLOCKS; i++) {
        block[i] = malloc(BYTES);
        fill(block[i], BYTES, (unsigned)i);
    }
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    return unused;
}

/* Frees all that the other thread allocated and takes as much again, three times. */
static int child(void *unused)
{
    long before = status_value("VmRSS:");

    hide(unused);
    for (int i = 0; i < BLOCKS; i++)
        if (i % 100 == 0 && !holds(block[i], BYTES, (unsigned)i))
            return 2;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BLOCKS; i++)
            free(block[i]);
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = malloc(BYTES);
            fill(block[i], BYTES, (unsigned)i);
        }
    }
    return status_value("VmRSS:") - before < 16384 ? 0 : 1;
}

int main(void)
{
    pthread_t thread;
    int       status;

    pthread_barrier_init(&gate, NULL, 2);
    pthread_create(&thread, NULL, run, NULL);
    pthread_barrier_wait(&gate);
    status = in_child(child, NULL);
    check(WIFEXITED(status) && WEXITSTATUS(status) != 2,
        "the child sees the blocks of a thread it has not");
    check(status == 0, "and uses their memory again when it has freed them");
    pthread_barrier_wait(&gate);
    pthread_join(thread, NULL);
    return done();
}
