/* stat.c - midden stat: where the memory of a process is. */
#include "args.h"
#include "survey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLAG_JSON = FLAG_LONG, FLAG_WORDS };

static const struct flag flags[] = {
    { 'c', "classes", NULL, "list the size classes too" },
    { 'w', "words", NULL, "say what each row means" },
    { FLAG_JSON, "json", NULL, "print everything as JSON (schema midden.stat/1)" },
    { 'o', "output", "FILE", "write to FILE, readable by its owner alone" },
    { 0 }
};

struct wish {
    bool        classes, words, json;
    const char *output;                          /* NULL: stdout */
};

static int read_flags(struct args *args, struct wish *wish)
{
    int flag;
    while ((flag = args_next(args)) > ARGS_END) {
        wish->classes = wish->classes || flag == 'c';
        wish->words = wish->words || flag == 'w';
        wish->json = wish->json || flag == FLAG_JSON;
        if (flag == 'o')
            wish->output = args->value;
    }
    return flag;
}

/* Never through a link somebody else may have put there. */
static bool redirect(const struct verb *verb, const char *path)
{
    if (!path || strcmp(path, "-") == 0)
        return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        complain(verb, "%s cannot be written (%s)%s", path, strerror(errno),
                 errno == ELOOP ? ": it is a symbolic link" : "");
        return false;
    }
    dup2(fd, STDOUT_FILENO);
    close(fd);
    return true;
}

static bool is_number(const char *token)
{
    return *token && token[strspn(token, "0123456789")] == '\0';
}

static bool get(const struct verb *verb, const char *operand, struct survey *survey)
{
    if (!is_number(operand))
        return survey_load(verb, operand, survey);
    long number = strlen(operand) < 10 ? strtol(operand, NULL, 10) : 0;
    if (number > 0)
        return survey_take(verb, (int)number, survey);
    complain(verb, "%s is no number of a process; a file of that name is given as ./%s", operand,
             operand);
    return false;
}

static void show(const struct wish *wish, const struct survey *survey)
{
    if (wish->json) {
        survey_json(stdout, survey);
        return;
    }
    survey_table(survey, wish->words);
    if (wish->classes)
        survey_classes(survey);
    survey_verdict(survey);
}

static int act(const struct verb *verb, char **argv)
{
    static struct survey survey;
    struct args args;
    struct wish wish = { 0 };
    args_start(&args, verb, argv);
    int flag = read_flags(&args, &wish);
    if (flag < 0)
        return args_exit_code(flag);
    if (args_operand_missing(&args, "the number of a process, or a file"))
        return EXIT_USAGE;
    const char *operand = *args.at++;
    flag = read_flags(&args, &wish);
    if (flag < 0)
        return args_exit_code(flag);
    if (*args.at) {
        complain(verb, "one process or file at a time; usage: midden stat %s", verb->operands);
        return EXIT_USAGE;
    }
    if (!get(verb, operand, &survey) || !redirect(verb, wish.output))
        return EXIT_OURS;
    show(&wish, &survey);
    return EXIT_DONE;
}

const struct verb verb_stat = {
    .name = "stat",
    .operands = "[OPTIONS] PID | FILE",
    .summary = "where is the memory: a table that sums to RSS, with advice",
    .details =
        "Looks into a running process that has midden in it and accounts for every page the "
        "kernel counts as its resident memory: blocks in use, what midden keeps beside them and "
        "why, and what is not midden's. The last lines say what is worth doing, in bytes. FILE is "
        "what `midden stat --json -o FILE PID` wrote before.\n"
        "The process is neither stopped nor signalled: the command reads its memory and what "
        "/proc tells, and counts blocks in midden's own bitmaps. A process at rest is told "
        "exactly. One that runs moves while it is read; that remainder is a row of its own.\n"
        "Needs the right to trace the process: to be its user, or root where Yama says so.",
    .flags = flags,
    .act = act,
};
