/* main.c - the command: a table of verbs, and the way to one of them. */
#include "args.h"
#include "library.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VERB(name) extern const struct verb verb_##name;
#include "verb.def"
#undef VERB

const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "verb.def"
#undef VERB
    NULL
};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verbs[i]; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

/* One write, so that lines of several processes do not mix. */
void complain(const struct verb *verb, const char *format, ...)
{
    char line[8192];
    int length =
        snprintf(line, sizeof line, "midden%s%s: ", verb ? " " : "", verb ? verb->name : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "%s\n", line);
}

/* -- midden version ---------------------------------------------------------------------------- */

/* The library's own word, if this process runs with it. */
static void print_loaded(void)
{
    const char *(*version)(void);
    *(void **)&version = dlsym(RTLD_DEFAULT, "midden_version");
    if (version)
        printf(VERSION_LOADED "%s\n", version());
}

static int version_act(const struct verb *verb, char **argv)
{
    struct args args;
    struct library library;
    char why[PATH_MAX + 256];
    args_start(&args, verb, argv);
    int flag = args_next(&args);
    if (flag != ARGS_END)
        return args_exit_code(flag);
    printf("midden %s\n", PACKAGE_VERSION);
    if (library_find(&library, why, sizeof why))
        printf("library %s (found by: %s)\n", library.path, library.found_by);
    else
        printf("library not found; `midden doctor` says more\n");
    print_loaded();
    return EXIT_DONE;
}

const struct verb verb_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version and the library that would be preloaded",
    .details =
        "Prints the version of this command, and the path of the library that `midden run` "
        "would preload; started under midden, the version of the library it runs with.",
    .act = version_act,
};

/* -- the way in -------------------------------------------------------------------------------- */

static int unknown(const char *token)
{
    struct nearest nearest;
    nearest_start(&nearest, token);
    for (size_t i = 0; verbs[i]; i++)
        nearest_offer(&nearest, verbs[i]->name);
    if (nearest.best)
        complain(NULL, "unknown verb \"%s\"; did you mean \"midden %s\"? `midden help` lists them",
                 token, nearest.best);
    else
        complain(NULL, "unknown verb \"%s\"; `midden help` lists them, `midden run -- %s` starts "
                 "a command", token, token);
    return EXIT_USAGE;
}

static const char *verb_name(const char *token)
{
    if (strcmp(token, "--help") == 0 || strcmp(token, "-h") == 0)
        return "help";
    return strcmp(token, "--version") == 0 || strcmp(token, "-V") == 0 ? "version" : token;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        help_summary();
        return EXIT_DONE;
    }
    const struct verb *verb = verb_find(verb_name(argv[1]));
    if (!verb)
        return unknown(argv[1]);
    int code = verb->act(verb, argv + 2);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain(verb, "the output could not be written. Is the disk full, or the pipe closed?");
        return code == EXIT_DONE ? EXIT_OURS : code;
    }
    return code;
}
