/* quiet.c - what managed objects and collections leave behind in the process: nothing but memory,
 *      and a handler for one real-time signal.
 */
#include "check.h"

#include <dirent.h>

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    int  count = 0;

    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

/* Without the two the C library keeps for itself, and takes at its first thread. */
static uint64_t signals(const char *key)
{
    char     line[200];
    FILE    *file = fopen("/proc/self/status", "r");
    uint64_t set = 0;

    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key)))
            set = strtoull(line + strlen(key), NULL, 16);
    if (file)
        fclose(file);
    return set & ~((uint64_t)3 << 31);
}

static NOINLINE void work(void)
{
    for (int i = 0; i < (every_count() ? 5 : 200); i++) {
        midden_release(ring(100));
        *(void **)midden_alloc(10000) = midden_alloc_leaf(100);
        midden_weak_drop(midden_weak_get(NULL));
        midden_intern(&i, sizeof i);
        midden_collect(i % 3);
    }
}

static void *body(void *unused)
{
    work();
    return NULL;
}

int main(void)
{
    int      files = entries("/proc/self/fd"), threads;
    uint64_t blocked = signals("SigBlk:"), ignored = signals("SigIgn:"), caught;
    long     before, after;

    caught = signals("SigCgt:");
    check(caught == 0 && status_value("Threads:") == 1, "before the first object: %#lx, no thread",
        (unsigned long)caught);
    work();
    pthread_join(start(body, NULL), NULL);
    threads = (int)status_value("Threads:");
    caught = signals("SigCgt:");
    check(threads == 1, "collections leave no thread: %d", threads);
    check(entries("/proc/self/fd") == files, "and no descriptor");
    check((caught & (caught - 1)) == 0 && (caught & 0xffffffff) == 0,
        "and catch one real-time signal at most: %#lx", (unsigned long)caught);
    check(signals("SigBlk:") == blocked && signals("SigIgn:") == ignored,
        "and leave masks and dispositions alone: %#lx %#lx, before %#lx %#lx",
        (unsigned long)signals("SigBlk:"), (unsigned long)signals("SigIgn:"),
        (unsigned long)blocked, (unsigned long)ignored);
    before = status_value("VmRSS:");
    for (int i = 0; i < 20; i++)
        work();
    after = status_value("VmRSS:");
    check(after - before < 8192, "and grow by nothing: %ld KiB", after - before);
    return done();
}
