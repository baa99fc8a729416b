/* main.c - run one workload and say what it took.
 * Use         work [-s PERMILLE] [-i IDLE_MS] NAME; `work` alone lists the names
 * Job         One line on stdout, KEY=VALUE: seconds on the clock around the workload alone,
 *             blocks allocated, peak resident KiB of this process, the sum, and for workloads
 *             about memory what rests at their end.
 */
#include "work.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct work *const tables[] = {
    block_works, structure_works, number_works, logic_works, ray_works, thread_works, memory_works,
};

void work_fail(const char *sentence)
{
    fprintf(stderr, "work: %s\n", sentence);
    _exit(3);
}

/* -- memory ------------------------------------------------------------------------------------ */

static long field_kib(const char *path, const char *field)
{
    char text[8192];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (length < 0)
        work_fail("a file in /proc/self cannot be read");
    close(file);
    text[length] = '\0';
    const char *line = strstr(text, field);
    if (line == NULL)
        work_fail("a file in /proc/self lacks a line");
    return strtol(line + strlen(field), NULL, 10);
}

long memory_rollup_kib(const char *field)
{
    return field_kib("/proc/self/smaps_rollup", field);
}

long memory_status_kib(const char *field)
{
    return field_kib("/proc/self/status", field);
}

/* -- one run ----------------------------------------------------------------------------------- */

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct work *work_find(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct work *work = tables[t]; work->name; work++)
            if (strcmp(work->name, name) == 0)
                return work;
    return NULL;
}

/* The peak is VmHWM, not ru_maxrss: that one begins with what the process was before exec. */
static void work_run(const struct work *work, unsigned permille, unsigned idle_ms)
{
    struct job job = { .rounds = work->rounds * permille / 1000, .idle_ms = idle_ms };
    if (job.rounds == 0)
        job.rounds = 1;
    double start = now_seconds();
    work->run(&job);
    double taken = now_seconds() - start;
    printf("seconds=%.6f blocks=%llu peak_kib=%ld sum=%016llx", taken,
        (unsigned long long)job.blocks, memory_status_kib("VmHWM:"), (unsigned long long)job.sum);
    if (job.rest_kib != 0)
        printf(" rest_kib=%ld", job.rest_kib);
    printf("\n");
}

static int usage(void)
{
    fprintf(stderr, "usage: work [-s PERMILLE] [-i IDLE_MS] NAME\n");
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct work *work = tables[t]; work->name; work++)
            fprintf(stderr, "  %-16s %s\n", work->name, work->about);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned permille = 1000, idle_ms = 10000;
    for (int letter; (letter = getopt(argc, argv, "s:i:")) != -1;)
        switch (letter) {
        case 's': permille = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'i': idle_ms = (unsigned)strtoul(optarg, NULL, 10); break;
        default:  return usage();
        }
    const struct work *work = optind == argc - 1 ? work_find(argv[optind]) : NULL;
    if (work == NULL)
        return usage();
    work_run(work, permille, idle_ms);
    return 0;
}
