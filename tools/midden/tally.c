/* tally.c - medians, the table, JSON and CSV of a comparison; see bench.h. */
#include "bench.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What one number of a run is: all columns are made alike from these. */
typedef uint64_t figure(const struct child_end *run);

static uint64_t wall_ns(const struct child_end *run)    { return run->wall_ns; }
static uint64_t cpu_ns(const struct child_end *run)     { return run->user_ns + run->system_ns; }
static uint64_t peak_bytes(const struct child_end *run) { return run->peak_bytes; }

struct spread {
    uint64_t lowest, median, highest;
};

/* -- statistics -------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static struct spread spread_of(const struct bench *bench, const struct contender *contender,
                               figure *read)
{
    uint64_t sorted[bench->rounds];
    for (unsigned i = 0; i < bench->rounds; i++)
        sorted[i] = read(&contender->runs[i]);
    qsort(sorted, bench->rounds, sizeof *sorted, by_size);
    unsigned middle = bench->rounds / 2;
    uint64_t below = sorted[bench->rounds % 2 ? middle : middle - 1];
    return (struct spread){ sorted[0], below + (sorted[middle] - below) / 2,
                            sorted[bench->rounds - 1] };
}

static const struct contender *find(const struct bench *bench, const char *name)
{
    for (unsigned i = 0; i < bench->count; i++)
        if (strcmp(bench->contenders[i].name, name) == 0)
            return &bench->contenders[i];
    return NULL;
}

/* jemalloc if it takes part, else glibc, else whoever is there beside midden; midden itself if it
 * is alone. */
static const struct contender *yardstick(const struct bench *bench)
{
    const struct contender *found = find(bench, "jemalloc");
    found = found ? found : find(bench, "glibc");
    for (unsigned i = 0; !found && i < bench->count; i++)
        if (strcmp(bench->contenders[i].name, "midden") != 0)
            found = &bench->contenders[i];
    return found ? found : &bench->contenders[0];
}

static double ratio(uint64_t of, uint64_t to)
{
    return to ? (double)of / (double)to : 0;
}

/* -- the table --------------------------------------------------------------------------------- */

enum { CELL_BYTES = 24 };

static void cell_time(char *out, uint64_t ns)
{
    if (ns < 1000000)
        snprintf(out, CELL_BYTES, "%" PRIu64 " us", ns / 1000);
    else if (ns < 1000000000)
        snprintf(out, CELL_BYTES, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(out, CELL_BYTES, "%.3f s", (double)ns / 1e9);
}

static void cell_size(char *out, uint64_t bytes)
{
    struct text text;
    text_init(&text, out, CELL_BYTES);
    text_bytes(&text, bytes);
}

static void print_title(const struct bench *bench, FILE *out)
{
    fprintf(out, "midden bench:");
    for (char **token = bench->argv; *token; token++)
        fprintf(out, " %s", *token);
    fprintf(out, "\n%u round%s after %u warm-up%s, the order rotating; medians\n\n", bench->rounds,
            bench->rounds == 1 ? "" : "s", bench->warmups, bench->warmups == 1 ? "" : "s");
}

static void print_row(const struct bench *bench, const struct contender *contender,
                      const struct contender *measure, FILE *out)
{
    char median[CELL_BYTES], lowest[CELL_BYTES], highest[CELL_BYTES], cpu[CELL_BYTES],
        peak[CELL_BYTES];
    struct spread wall = spread_of(bench, contender, wall_ns);
    struct spread memory = spread_of(bench, contender, peak_bytes);
    cell_time(median, wall.median);
    cell_time(lowest, wall.lowest);
    cell_time(highest, wall.highest);
    cell_time(cpu, spread_of(bench, contender, cpu_ns).median);
    cell_size(peak, memory.median);
    fprintf(out, "%-18s %10s   %10s .. %-10s %10s   %11s   %6.2f   %6.2f", contender->name, median,
            lowest, highest, cpu, peak,
            ratio(wall.median, spread_of(bench, measure, wall_ns).median),
            ratio(memory.median, spread_of(bench, measure, peak_bytes).median));
}

static void print_rows(const struct bench *bench, const struct contender *measure, FILE *out,
                       bool colour)
{
    char heading[48];
    snprintf(heading, sizeof heading, "to %s", measure->name);
    fprintf(out, "%82s%s\n", "", heading);
    fprintf(out, "%-18s %10s   %10s .. %-10s %10s   %11s   %6s   %6s\n", "allocator", "wall time",
            "min", "max", "cpu time", "peak RSS", "time", "memory");
    for (unsigned i = 0; i < bench->count; i++) {
        const struct contender *contender = &bench->contenders[i];
        bool bold = colour && strcmp(contender->name, "midden") == 0;
        fputs(bold ? "\033[1m" : "", out);
        print_row(bench, contender, measure, out);
        fputs(bold ? "\033[0m" : "", out);
        if (contender->failures)
            fprintf(out, "   %s%u failed (exit status %d)%s", colour ? "\033[31m" : "",
                    contender->failures, contender->failure_code, colour ? "\033[0m" : "");
        fprintf(out, "\n");
    }
}

static void print_share(FILE *out, double of, const char *less, const char *more)
{
    if (of < 1)
        fprintf(out, "%.0f %% %s", 100 * (1 - of), less);
    else
        fprintf(out, "%.0f %% %s", 100 * (of - 1), more);
}

/* Ranges that overlap say nothing about who is faster, however far apart the medians are. */
static void print_verdict(const struct bench *bench, const struct contender *measure, FILE *out)
{
    const struct contender *midden = find(bench, "midden");
    if (midden == measure)
        return;
    struct spread ours = spread_of(bench, midden, wall_ns),
                  theirs = spread_of(bench, measure, wall_ns);
    bool apart = ours.highest < theirs.lowest || theirs.highest < ours.lowest;
    fprintf(out, "\nmidden takes ");
    print_share(out, ratio(ours.median, theirs.median), "less time", "more time");
    fprintf(out, " and ");
    print_share(out,
                ratio(spread_of(bench, midden, peak_bytes).median,
                      spread_of(bench, measure, peak_bytes).median),
                "less memory", "more memory");
    fprintf(
        out, " than %s%s\n", measure->name,
        bench->rounds < 3 ? "; too few rounds to believe the time (-n 5)"
        : apart
            ? ""
            : "; the ranges of time overlap: believe the time only if more rounds (-n) repeat it");
}

void tally_table(const struct bench *bench, FILE *out, bool colour)
{
    const struct contender *measure = yardstick(bench);
    print_title(bench, out);
    print_rows(bench, measure, out, colour);
    print_verdict(bench, measure, out);
    if (!find(bench, "jemalloc"))
        fprintf(
            out,
            "jemalloc took no part (not installed, or not asked for), so the ratios are to %s\n",
            measure->name);
    fprintf(out, "peak RSS is that of the largest single process of the command, not their sum\n");
}

/* -- machine formats --------------------------------------------------------------------------- */

static void json_string(FILE *out, const char *string)
{
    size_t room = 6 * strlen(string) + 3;        /* the longest escape is \u00xx */
    char *quoted = malloc(room);
    struct text text;
    if (!quoted)
        return;
    text_init(&text, quoted, room);
    text_json(&text, string);
    fputs(quoted, out);
    free(quoted);
}

static void json_spread(FILE *out, const char *name, struct spread spread)
{
    fprintf(out, "\"%s\":{\"min\":%" PRIu64 ",\"median\":%" PRIu64 ",\"max\":%" PRIu64 "},", name,
            spread.lowest, spread.median, spread.highest);
}

static void json_run(FILE *out, const struct child_end *run)
{
    fprintf(out,
            "{\"wall_ns\":%" PRIu64 ",\"user_ns\":%" PRIu64 ",\"system_ns\":%" PRIu64
            ",\"peak_rss_bytes\":%" PRIu64 ",\"exit_code\":%d}",
            run->wall_ns, run->user_ns, run->system_ns, run->peak_bytes, child_exit_code(run));
}

static void json_contender(const struct bench *bench, const struct contender *contender, FILE *out)
{
    fprintf(out, "{\"name\":");
    json_string(out, contender->name);
    fprintf(out, ",\"library\":");
    if (*contender->path)
        json_string(out, contender->path);
    else
        fprintf(out, "null");
    fprintf(out, ",\"failures\":%u,", contender->failures);
    json_spread(out, "wall_ns", spread_of(bench, contender, wall_ns));
    json_spread(out, "cpu_ns", spread_of(bench, contender, cpu_ns));
    json_spread(out, "peak_rss_bytes", spread_of(bench, contender, peak_bytes));
    fprintf(out, "\"runs\":[");
    for (unsigned i = 0; i < bench->rounds; i++) {
        fputs(i ? "," : "", out);
        json_run(out, &contender->runs[i]);
    }
    fprintf(out, "]}");
}

void tally_json(const struct bench *bench, FILE *out)
{
    fprintf(out, "{\"schema\":\"midden.bench/1\",\"command\":[");
    for (char **token = bench->argv; *token; token++) {
        fputs(token == bench->argv ? "" : ",", out);
        json_string(out, *token);
    }
    fprintf(out, "],\"rounds\":%u,\"warmups\":%u,\"ratios_to\":", bench->rounds, bench->warmups);
    json_string(out, yardstick(bench)->name);
    fprintf(out, ",\"allocators\":[");
    for (unsigned i = 0; i < bench->count; i++) {
        fputs(i ? "," : "", out);
        json_contender(bench, &bench->contenders[i], out);
    }
    fprintf(out, "]}\n");
}

void tally_csv(const struct bench *bench, FILE *out)
{
    fprintf(out, "round,allocator,wall_ns,user_ns,system_ns,peak_rss_bytes,exit_code\n");
    for (unsigned round = 0; round < bench->rounds; round++)
        for (unsigned i = 0; i < bench->count; i++) {
            const struct child_end *run = &bench->contenders[i].runs[round];
            fprintf(out, "%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d\n", round + 1,
                    bench->contenders[i].name, run->wall_ns, run->user_ns, run->system_ns,
                    run->peak_bytes, child_exit_code(run));
        }
}
