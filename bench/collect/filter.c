/* filter.c - how fast each version of gc/scan.h passes over memory.
 * Use         filter [-m MIB] [-n ROUNDS]
 * Job         Reads MIB (512) of words, by turns with a plain sum of them, which is as fast as this
 *             machine reads: first without a pointer among them, then with 5 and 30 in a hundred.
 *             GB/s, the best of the rounds. Status 1 if the version the library would choose, with
 *             no pointers to find, is below 60 % of the plain read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "gc/scan.h"

enum { PIECE = 1024, BAR_PERCENT = 60, RATES = 3 };

static const unsigned rates[RATES] = { 0, 5, 30 };
static const word base = (word)1 << 42, reach = (word)1 << 38;

struct job {
    word  *at;
    size_t words;
    word   sum;                                  /* of all that was read or found, to be told */
};

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static word draw(void)
{
    static word state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void job_fill(struct job *job, unsigned percent)
{
    for (size_t i = 0; i < job->words; i++) {
        word drawn = draw();
        word inside = base + (drawn & (reach - 1));
        job->at[i] = (drawn >> 40) % 100 < percent ? inside : drawn | (word)1 << 62;
    }
}

/* Four sums at a time, each of a register's width: the compiler makes vectors of it. */
typedef word four_words __attribute__((vector_size(32), aligned(8), may_alias));

__attribute__((optimize("O3")))
static double pass_sum(struct job *job, scan_filter *unused)
{
    (void)unused;
    const four_words *at = (const four_words *)job->at;
    four_words a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    double start = now_seconds();
    for (size_t i = 0; i + 4 <= job->words / 4; i += 4) {
        a += at[i];
        b += at[i + 1];
        c += at[i + 2];
        d += at[i + 3];
    }
    a += b + c + d;
    job->sum += a[0] + a[1] + a[2] + a[3];
    return now_seconds() - start;
}

static double pass_filter(struct job *job, scan_filter *filter)
{
    static word out[PIECE + SCAN_ROOM];
    double start = now_seconds();
    for (size_t i = 0; i < job->words; i += PIECE)
        job->sum += filter(job->at + i, PIECE, base, reach, out);
    return now_seconds() - start;
}

typedef double pass(struct job *job, scan_filter *filter);

struct row {
    const char  *name;
    pass        *pass;
    scan_filter *filter;
    double       best[RATES];                    /* GB/s */
};

static size_t rows_make(struct row rows[SCAN_VERSIONS + 1])
{
    struct scan_version versions[SCAN_VERSIONS];
    size_t count = scan_versions(versions);
    rows[0] = (struct row){ .name = "sum", .pass = pass_sum };
    for (size_t v = 0; v < count; v++)
        rows[v + 1] = (struct row){ versions[v].name, pass_filter, versions[v].filter, { 0 } };
    return count + 1;
}

static void rows_time(struct row *rows, size_t count, struct job *job, unsigned rate)
{
    for (size_t r = 0; r < count; r++) {
        double speed = (double)job->words * sizeof(word) / rows[r].pass(job, rows[r].filter) / 1e9;
        if (speed > rows[r].best[rate])
            rows[r].best[rate] = speed;
    }
}

static void rows_tell(const struct row *rows, size_t count, const struct job *job)
{
    printf("%-8s", "GB/s");
    for (unsigned rate = 0; rate < RATES; rate++)
        printf("%7u %%", rates[rate]);
    printf("  of sum   (pointers among the words; %zu MiB)\n", job->words * sizeof(word) >> 20);
    for (size_t r = 0; r < count; r++) {
        printf("%-8s", rows[r].name);
        for (unsigned rate = 0; rate < RATES; rate++)
            printf("%9.1f", rows[r].best[rate]);
        printf("%6.0f %%\n", 100 * rows[r].best[0] / rows[0].best[0]);
    }
}

int main(int argc, char **argv)
{
    size_t mib = 512;
    unsigned rounds = 5;
    for (int letter; (letter = getopt(argc, argv, "m:n:")) != -1;)
        switch (letter) {
        case 'm': mib = strtoul(optarg, NULL, 10); break;
        case 'n': rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        default:  fprintf(stderr, "usage: filter [-m MIB] [-n ROUNDS]\n"); return 2;
        }
    struct job job = { .words = MIB(mib) / sizeof(word) };
    job.at = mmap(NULL, MIB(mib), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mib == 0 || rounds == 0 || job.at == MAP_FAILED) {
        fprintf(stderr, "filter: no %zu MiB to read\n", mib);
        return 2;
    }
    struct row rows[SCAN_VERSIONS + 1];
    size_t count = rows_make(rows);
    for (unsigned rate = 0; rate < RATES; rate++) {
        job_fill(&job, rates[rate]);
        for (unsigned round = 0; round < rounds; round++)
            rows_time(rows, count, &job, rate);
    }
    rows_tell(rows, count, &job);
    bool passes = rows[count - 1].best[0] * 100 >= rows[0].best[0] * BAR_PERCENT;
    printf("bar     %s at least %d %% of sum: %s (check %llx)\n", rows[count - 1].name, BAR_PERCENT,
           passes ? "yes" : "NO", (unsigned long long)job.sum);
    return passes ? 0 : 1;
}
