/* doctor.c - midden doctor: is midden there, would it be, and if not, why. */
#include "args.h"
#include "finding.h"
#include "library.h"
#include "preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Commands that start others somewhere LD_PRELOAD does not mean what one hopes. */
static const struct {
    const char *prefix, *evidence, *cure;
} porters[] = {
    { "valgrind", "valgrind puts its own malloc in front of every other",
      "run the program without it; they look for the same faults" },
    { "qemu-",    "qemu itself would be preloaded, not the program it emulates",
      "use qemu's -E LD_PRELOAD=... with a library built for that processor" },
    { "docker",   "the container is started by a daemon and does not inherit LD_PRELOAD",
      "put the library and ENV LD_PRELOAD=... into the image" },
    { "podman",   "the container does not inherit LD_PRELOAD, nor see the library",
      "put the library and ENV LD_PRELOAD=... into the image" },
    { "flatpak",  "the sandbox has its own files and does not see the library",
      "flatpak cannot use a malloc of the host" },
    { "systemctl", "units are started by the service manager and do not inherit LD_PRELOAD",
      "add Environment=LD_PRELOAD=... to the unit" },
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void examine_porter(const char *command)
{
    for (size_t i = 0; i < COUNT_OF(porters); i++)
        if (strncmp(base_name(command), porters[i].prefix, strlen(porters[i].prefix)) == 0)
            finding(GRADE_NOTE, "starts others", porters[i].cure, "%s", porters[i].evidence);
}

static void examine_program(const struct preflight *flight)
{
    if (flight->scripts)
        finding(GRADE_OK, "script", NULL, "%u #! line%s followed", flight->scripts,
                flight->scripts == 1 ? "" : "s");
    finding(GRADE_OK, "program", NULL, "%s", flight->path);
    if (!flight->inspected)
        finding(GRADE_NOTE, "headers", "ask as a user who may read it",
                "the file may be executed but not read");
    if (flight->facts.go)
        finding(GRADE_NOTE, "language", NULL,
                "a Go program: its own heap does not use malloc, only the C code it calls does");
    if (flight->facts.loader[0])
        finding(GRADE_OK, "loader", NULL, "%s", flight->facts.loader);
}

static void examine_command(const char *command)
{
    struct library library;
    struct preflight flight;
    char why[PATH_MAX + 256];
    preflight_command(command, &flight);
    if (flight.obstacle == OBSTACLE_NONE)
        examine_program(&flight);
    else
        finding(GRADE_BAD, "program", preflight_cure(flight.obstacle), "%s %s (%s)", flight.path,
                preflight_cause(flight.obstacle), flight.evidence);
    examine_porter(command);
    if (library_find(&library, why, sizeof why))
        finding(GRADE_OK, "library", NULL, "%s", library.path);
    else
        finding(GRADE_BAD, "library", NULL, "%s", why);
}

static bool is_process(const char *token, int *process)
{
    char *end;
    long number = strtol(token, &end, 10);
    *process = (int)number;
    return *token >= '0' && *token <= '9' && !*end && number > 0 && number < 1 << 30;
}

static int act(const struct verb *verb, char **argv)
{
    struct args args;
    int process;
    args_start(&args, verb, argv);
    int flag = args_next(&args);
    if (flag != ARGS_END)
        return args_exit_code(flag);
    if (!*args.at)
        machine_examine(verb);
    else if (is_process(*args.at, &process))
        process_examine(process);
    else
        examine_command(*args.at);
    return findings_bad() ? EXIT_FINDING : EXIT_DONE;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .operands = "[PID | CMD [ARGUMENT...]]",
    .summary = "say whether midden is loaded, would be, and if not, why",
    .details =
        "Without an argument: the machine. The library, a proof that it starts, kernel, pages, "
        "limits, sandbox, environment. With a PID: is the library in that process, and if not, "
        "why. With a CMD: could it be preloaded into it; CMD is not run.\n"
        "Each line is `ok`, `note` or `bad`, what was looked at, the evidence, and behind an "
        "arrow what to do. Exits with 1 if a line is bad.",
    .act = act,
};
