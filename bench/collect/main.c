/* main.c - run one program, collect explicitly, and say what it took.
 * Use         collect [-s PERMILLE] [-c COLLECTIONS] NAME; `collect` alone lists the names
 * Job         One line on stdout, KEY=VALUE: seconds on the clock and of processor around the
 *             program alone, the sum, ms of each explicit full collection that follows (the
 *             program's data still lives), and of the collections during the program how long the
 *             world stood and how long the caller waited, each, in microseconds.
 */
#include "collect.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct program *const tables[] = {
    tree_programs, graph_programs, chain_programs, flat_programs,
};

void collect_fail(const char *sentence)
{
    fprintf(stderr, "collect: %s\n", sentence);
    _exit(3);
}

static double processor_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static const struct program *program_find(const char *name)
{
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct program *program = tables[t]; program->name; program++)
            if (strcmp(program->name, name) == 0)
                return program;
    return NULL;
}

static void tell_pauses(void)
{
    const struct pause *pauses;
    size_t count = collector_pauses(&pauses);
    printf(" stopped_us=");
    for (size_t i = 0; i < count; i++)
        printf("%s%.1f", i == 0 ? "" : ",", (double)pauses[i].stopped_ns / 1e3);
    printf(" waited_us=");
    for (size_t i = 0; i < count; i++)
        printf("%s%.1f", i == 0 ? "" : ",", (double)pauses[i].whole_ns / 1e3);
}

static void tell_full(unsigned collections)
{
    printf(" full_ms=");
    for (unsigned i = 0; i < collections; i++) {
        uint64_t start = now_ns();
        collector_full();
        printf("%s%.3f", i == 0 ? "" : ",", (double)(now_ns() - start) / 1e6);
    }
}

static void program_run(const struct program *program, unsigned permille, unsigned collections)
{
    static struct job job;                       /* B2 */
    job.size = program->size * permille / 1000 + 1;
    uint64_t start = now_ns();
    program->run(&job);
    double taken = (double)(now_ns() - start) / 1e9;
    printf("seconds=%.6f cpu=%.6f sum=%016llx", taken, processor_seconds(),
           (unsigned long long)job.sum);
    tell_pauses();
    tell_full(collections);
    printf("\n");
}

static int usage(void)
{
    fprintf(stderr, "usage: collect [-s PERMILLE] [-c COLLECTIONS] NAME\n");
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct program *program = tables[t]; program->name; program++)
            fprintf(stderr, "  %-10s %s\n", program->name, program->about);
    return 2;
}

int main(int argc, char **argv)
{
    unsigned permille = 1000, collections = 3;
    for (int letter; (letter = getopt(argc, argv, "s:c:")) != -1;)
        switch (letter) {
        case 's': permille = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'c': collections = (unsigned)strtoul(optarg, NULL, 10); break;
        default:  return usage();
        }
    const struct program *program = optind == argc - 1 ? program_find(argv[optind]) : NULL;
    if (program == NULL)
        return usage();
    collector_start();
    program_run(program, permille, collections);
    return 0;
}
