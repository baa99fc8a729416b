/* bench.c - midden bench: one command, every allocator of this machine, the same conditions.
 * Job         Round after round each allocator runs the command once; the order rotates, so that a
 *             machine that slows down or a cache that warms up favours nobody.
 */
#include "bench.h"

#include "args.h"
#include "library.h"
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLAG_WARMUP = FLAG_LONG, FLAG_JSON, FLAG_CSV, FLAG_OUTPUT, FLAG_INPUT, ROUNDS_MAX = 1000 };

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static const struct flag flags[] = {
    { 'a', "allocator", "NAME[=PATH]", "this rival, not all; NAME=PATH: one more" },
    { 'n', "rounds", "N", "measured runs of each (5)" },
    { FLAG_WARMUP, "warmup", "N", "runs of each before, not measured (1)" },
    { FLAG_JSON, "json", "FILE", "write every run as JSON; - is the standard output" },
    { FLAG_CSV, "csv", "FILE", "write every run as CSV; - is the standard output" },
    { FLAG_OUTPUT, "output", "FILE", "append what CMD prints to FILE (/dev/null)" },
    { FLAG_INPUT, "input", "FILE", "what CMD reads, opened anew for each run (/dev/null)" },
    { 0 }
};

/* Looked for when none is named. A name stands for the first of its libraries that is found. */
static const struct {
    const char *name, *soname;
} rivals[] = {
    { "jemalloc", "libjemalloc.so.2" },
    { "mimalloc", "libmimalloc.so.3" },
    { "mimalloc", "libmimalloc.so.2" },
    { "tcmalloc", "libtcmalloc.so.4" },
    { "tcmalloc-minimal", "libtcmalloc_minimal.so.4" },
};

struct request {
    const char *named[CONTENDERS_MAX];           /* -a NAME */
    unsigned    named_count;
    const char *json, *csv, *output, *input;
};

/* -- who takes part ---------------------------------------------------------------------------- */

static bool has_contender(const struct bench *bench, const char *name)
{
    for (unsigned i = 0; i < bench->count; i++)
        if (strcmp(bench->contenders[i].name, name) == 0)
            return true;
    return false;
}

static bool add_contender(const struct verb *verb, struct bench *bench, const char *name,
                          const char *path)
{
    struct contender *new = &bench->contenders[bench->count];
    if (has_contender(bench, name)) {
        complain(verb, "the allocator \"%s\" was named twice; give one of them another name", name);
        return false;
    }
    if (bench->count == CONTENDERS_MAX) {
        complain(verb, "more than %d allocators were named", CONTENDERS_MAX);
        return false;
    }
    snprintf(new->name, sizeof new->name, "%s", name);
    snprintf(new->path, sizeof new->path, "%s", path);
    bench->count++;
    return true;
}

/* -a NAME=PATH: a library nobody knows. One that ld.so refuses would be measured as glibc. */
static bool add_library(const struct verb *verb, struct bench *bench, const char *pair)
{
    char name[32], path[PATH_MAX];
    const char *equals = strchr(pair, '=');
    struct binary_facts facts;
    snprintf(name, sizeof name, "%.*s", (int)(equals - pair), pair);
    if (!*name || name[strspn(name, NAME_LETTERS)]) {
        complain(verb, "-a %s: a name is made of letters, digits, dots and dashes", pair);
        return false;
    }
    if (!realpath(equals + 1, path)) {
        complain(verb, "-a %s names no library that is there (%s)", pair, strerror(errno));
        return false;
    }
    if (binary_read(path, &facts) != BINARY_READ || facts.machine != binary_machine_here()
        || strpbrk(path, ": ")) {
        complain(verb, "%s cannot be preloaded (%s)", path,
                 strpbrk(path, ": ") ? "LD_PRELOAD splits at spaces and colons"
                                     : "it is no library for this processor");
        return false;
    }
    return add_contender(verb, bench, name, path);
}

static bool is_wanted(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->named_count; i++)
        if (strcmp(request->named[i], name) == 0)
            return true;
    return request->named_count == 0;
}

static bool add_known(const struct verb *verb, struct bench *bench, const struct request *request)
{
    char path[PATH_MAX];
    if (is_wanted(request, "glibc") && !add_contender(verb, bench, "glibc", ""))
        return false;
    for (size_t i = 0; i < COUNT_OF(rivals); i++) {
        const char *name = rivals[i].name;
        if (!is_wanted(request, name) || has_contender(bench, name))
            continue;
        if (library_resolve(rivals[i].soname, path, sizeof path)
            && !add_contender(verb, bench, name, path))
            return false;
    }
    return true;
}

static bool name_known(const struct verb *verb, const char *name)
{
    struct nearest nearest;
    nearest_start(&nearest, name);
    nearest_offer(&nearest, "glibc");
    nearest_offer(&nearest, "midden");
    for (size_t i = 0; i < COUNT_OF(rivals); i++)
        nearest_offer(&nearest, rivals[i].name);
    if (nearest.best && strcmp(nearest.best, name) == 0)
        return true;
    complain(verb, "no allocator is called \"%s\"%s%s%s; -a NAME=PATH takes any library", name,
             nearest.best ? "; did you mean \"" : "", nearest.best ? nearest.best : "",
             nearest.best ? "\"?" : "");
    return false;
}

/* What was asked for by name must be there; what was merely looked for may be missing. */
static int named_missing(const struct verb *verb, const struct bench *bench,
                         const struct request *request)
{
    for (unsigned i = 0; i < request->named_count; i++) {
        const char *name = request->named[i];
        if (has_contender(bench, name))
            continue;
        if (!name_known(verb, name))
            return EXIT_USAGE;
        complain(verb, "%s is not installed (the loader finds none of its libraries). Install it, "
                 "or use -a %s=PATH", name, name);
        return EXIT_OURS;
    }
    return EXIT_DONE;
}

static int gather(const struct verb *verb, struct bench *bench, const struct request *request)
{
    struct library library;
    char why[PATH_MAX + 256];
    if (!library_find(&library, why, sizeof why)) {
        complain(verb, "%s", why);
        return EXIT_OURS;
    }
    if (!add_contender(verb, bench, "midden", library.path) || !add_known(verb, bench, request))
        return EXIT_USAGE;
    return named_missing(verb, bench, request);
}

/* -- the environment of a run ------------------------------------------------------------------ */

static bool is_allocator(const char *entry, size_t length)
{
    static const char *const words[] = { "midden", "jemalloc", "mimalloc", "tcmalloc" };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (memmem(entry, length, words[i], strlen(words[i])))
            return true;
    return false;
}

/* What the user preloads stays, except allocators: with one of them, "glibc" is not glibc. */
static char *preloads_kept(void)
{
    const char *list = getenv("LD_PRELOAD");
    char *kept = calloc(1, list ? strlen(list) + 2 : 1);
    size_t length = 0;
    for (const char *at = list; kept && at && *at; at += length, at += *at != '\0') {
        length = strcspn(at, ": ");
        if (length && !is_allocator(at, length))
            strncat(strcat(kept, *kept ? ":" : ""), at, length);
    }
    return kept;
}

static void preload_only(const char *kept, const char *path)
{
    if (*kept)
        setenv("LD_PRELOAD", kept, 1);
    else
        unsetenv("LD_PRELOAD");
    if (*path)
        preload_prepend(path);
}

/* -- the runs ---------------------------------------------------------------------------------- */

static void show_progress(const struct bench *bench, unsigned round,
                          const struct contender *contender)
{
    if (!isatty(STDERR_FILENO))
        return;
    bool warmup = round < bench->warmups;
    fprintf(stderr, "\r\033[K%s %u/%u  %s", warmup ? "warm-up" : "round",
            warmup ? round + 1 : round + 1 - bench->warmups,
            warmup ? bench->warmups : bench->rounds, contender->name);
}

static void hide_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static bool open_ends(const struct verb *verb, const struct request *request, struct child *child)
{
    child->input = open(request->input, O_RDONLY | O_CLOEXEC);
    child->output = open(request->output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (child->input >= 0 && child->output >= 0)
        return true;
    const char *name = child->input < 0 ? request->input : request->output;
    complain(verb, "%s cannot be opened (%s)", name, strerror(errno));
    return false;
}

static void close_ends(const struct child *child)
{
    close(child->input);
    close(child->output);
}

/* One run of one contender. EXIT_DONE, or the exit code that ends the whole comparison. */
static int run_once(const struct verb *verb, const struct bench *bench,
                    const struct request *request, struct contender *contender,
                    struct child_end *end)
{
    struct child child = { .argv = bench->argv };
    if (!open_ends(verb, request, &child))
        return EXIT_OURS;
    bool started = child_run(&child, end);
    int error = started ? end->exec_error : errno;
    close_ends(&child);
    if (error) {
        complain(verb, "%s cannot be started (%s)", bench->argv[0], strerror(error));
        return started ? child_exec_code(error) : EXIT_OURS;
    }
    if (end->asked_to_stop)
        return EXIT_SIGNAL + end->asked_to_stop;
    int code = child_exit_code(end);
    if (code != 0) {
        contender->failures++;
        contender->failure_code = code;
    }
    return EXIT_DONE;
}

static int run_all(const struct verb *verb, struct bench *bench, const struct request *request,
                   const char *kept)
{
    struct child_end unmeasured;
    for (unsigned round = 0; round < bench->warmups + bench->rounds; round++) {
        for (unsigned turn = 0; turn < bench->count; turn++) {
            struct contender *contender = &bench->contenders[(round + turn) % bench->count];
            bool measured = round >= bench->warmups;
            show_progress(bench, round, contender);
            preload_only(kept, contender->path);
            int code = run_once(verb, bench, request, contender,
                                measured ? &contender->runs[round - bench->warmups] : &unmeasured);
            if (code != EXIT_DONE)
                return code;
        }
    }
    return EXIT_DONE;
}

/* -- what is told ------------------------------------------------------------------------------ */

static bool write_file(const struct verb *verb, const struct bench *bench, const char *path,
                       void (*write)(const struct bench *bench, FILE *out))
{
    bool standard = path && strcmp(path, "-") == 0;
    FILE *out = !path ? NULL : standard ? stdout : fopen(path, "we");
    if (out)
        write(bench, out);
    bool done = !path || (out && !ferror(out) && (standard ? fflush(out) : fclose(out)) == 0);
    if (!done)
        complain(verb, "%s could not be written (%s)", path, strerror(errno));
    return done;
}

static bool is_dash(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int tell(const struct verb *verb, const struct bench *bench, const struct request *request)
{
    bool taken = is_dash(request->json) || is_dash(request->csv);
    FILE *out = taken ? stderr : stdout;
    bool failed = false;
    tally_table(bench, out, isatty(fileno(out)) && !getenv("NO_COLOR"));
    if (!write_file(verb, bench, request->json, tally_json)
        || !write_file(verb, bench, request->csv, tally_csv))
        return EXIT_OURS;
    for (unsigned i = 0; i < bench->count; i++)
        failed = failed || bench->contenders[i].failures > 0;
    return failed ? EXIT_FINDING : EXIT_DONE;
}

/* -- the verb ---------------------------------------------------------------------------------- */

static bool take_flag(const struct verb *verb, struct args *args, int flag, struct bench *bench,
                      struct request *request)
{
    switch (flag) {
    case 'n':         return args_count(args, 1, ROUNDS_MAX, &bench->rounds);
    case FLAG_WARMUP: return args_count(args, 0, ROUNDS_MAX, &bench->warmups);
    case FLAG_JSON:   request->json = args->value; return true;
    case FLAG_CSV:    request->csv = args->value; return true;
    case FLAG_OUTPUT: request->output = args->value; return true;
    case FLAG_INPUT:  request->input = args->value; return true;
    }
    if (strchr(args->value, '='))
        return add_library(verb, bench, args->value);
    if (request->named_count == CONTENDERS_MAX) {
        complain(verb, "more than %d allocators were named", CONTENDERS_MAX);
        return false;
    }
    request->named[request->named_count++] = args->value;
    return true;
}

static bool runs_make(struct bench *bench)
{
    for (unsigned i = 0; i < bench->count; i++) {
        bench->contenders[i].runs = calloc(bench->rounds, sizeof *bench->contenders[i].runs);
        if (!bench->contenders[i].runs)
            return false;
    }
    return true;
}

static int bench_command(const struct verb *verb, struct bench *bench,
                         const struct request *request)
{
    struct preflight flight;
    preflight_command(bench->argv[0], &flight);
    if (flight.obstacle != OBSTACLE_NONE) {
        preflight_complain(verb, &flight);
        return preflight_exit_code(&flight);
    }
    int code = gather(verb, bench, request);
    if (code != EXIT_DONE)
        return code;
    char *kept = preloads_kept();
    if (!kept || !runs_make(bench)) {
        complain(verb, "there is no memory for %u runs", bench->rounds * bench->count);
        free(kept);
        return EXIT_OURS;
    }
    code = run_all(verb, bench, request, kept);
    hide_progress();
    free(kept);
    return code == EXIT_DONE ? tell(verb, bench, request) : code;
}

static int act(const struct verb *verb, char **argv)
{
    static struct bench bench;
    struct request request = { .output = "/dev/null", .input = "/dev/null" };
    struct args args;
    int flag;
    bench.rounds = 5;
    bench.warmups = 1;
    args_start(&args, verb, argv);
    while ((flag = args_next(&args)) > 0)
        if (!take_flag(verb, &args, flag, &bench, &request))
            return EXIT_USAGE;
    if (flag != ARGS_END)
        return args_exit_code(flag);
    if (args_operand_missing(&args, "the command"))
        return EXIT_USAGE;
    if (is_dash(request.json) && is_dash(request.csv)) {
        complain(verb, "JSON and CSV cannot share the standard output; give one of them a file");
        return EXIT_USAGE;
    }
    bench.argv = args.at;
    return bench_command(verb, &bench, &request);
}

const struct verb verb_bench = {
    .name = "bench",
    .operands = "[OPTIONS] [--] CMD [ARGUMENT...]",
    .summary = "compare the allocators of this machine on a command of yours",
    .details =
        "Runs the same CMD under midden, under glibc and under each of jemalloc, mimalloc and "
        "tcmalloc that is installed, one after the other, round after round, in an order that "
        "rotates. Tells the median and the range of the wall time, the median of the processor "
        "time and of the peak resident memory, and the ratios to jemalloc (to glibc where "
        "jemalloc is missing).\n"
        "Time and processor time cover CMD and the children it waits for. Peak memory is that of "
        "the largest single process among them, not their sum: so the kernel counts. It is never "
        "below what midden bench itself uses.\n"
        "Exits with 1 if a run did not exit with 0; the table says whose.",
    .flags = flags,
    .act = act,
};
