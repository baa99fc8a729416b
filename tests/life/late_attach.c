/* late_attach.c - threads that touch the heap for the first time in a destructor of thread-specific
 *      data, in any round but the last: what they took for it is there for the next thread.
 */
#include "../trap/tap.h"

enum { WARM = 200, THREADS = 4000, ROUNDS = 4, ROOM_KIB = 6144 };

static pthread_key_t key;
static int           allocate_in;                /* which round; 0: only free in the first */

struct item {
    int   round;
    void *block;
};

static void destroy(void *arg)
{
    struct item *item = arg;

    item->round++;
    if (allocate_in == 0)
        free(item->block);
    else if (item->round < allocate_in)
        pthread_setspecific(key, item);
    else
        free(hide(malloc(100)));
}

static void *run(void *item)
{
    pthread_setspecific(key, item);
    return NULL;
}

static void threads(int count)
{
    for (int i = 0; i < count; i++) {
        struct item item = { 0, allocate_in == 0 ? malloc(40) : NULL };
        pthread_t   thread;

        if (pthread_create(&thread, NULL, run, &item) == 0)
            pthread_join(thread, NULL);
    }
}

static void point(const char *what)
{
    long before;

    threads(WARM);
    before = status_value("VmRSS:");
    threads(THREADS);
    check(status_value("VmRSS:") - before < ROOM_KIB, "%d threads that %s: %ld KiB more", THREADS,
          what, status_value("VmRSS:") - before);
}

int main(void)
{
    pthread_key_create(&key, destroy);
    point("only free, in a destructor");
    for (allocate_in = 1; allocate_in < ROUNDS; allocate_in++)
        point("only allocate, in a destructor");
    return done();
}
