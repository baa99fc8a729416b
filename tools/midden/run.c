/* run.c - midden run: preload the library and become the command. */
#include "args.h"
#include "child.h"
#include "library.h"
#include "preflight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct flag flags[] = {
    { 's', "stats", NULL, "print the heap's statistics on stderr when a program ends" },
    { 'o', "options", "K=V,...", "add to MIDDEN_OPTIONS; `midden help options` lists the keys" },
    { 0 }
};

static int act(const struct verb *verb, char **argv)
{
    struct args args;
    int flag;
    args_start(&args, verb, argv);
    while ((flag = args_next(&args)) > 0) {
        if (flag == 'o' && !preload_options_valid(verb, args.value, "--options"))
            return EXIT_USAGE;
        preload_options_add(flag == 's' ? "stats=exit" : args.value);
    }
    if (flag != ARGS_END)
        return args_exit_code(flag);
    if (args_operand_missing(&args, "the command"))
        return EXIT_USAGE;

    struct preflight flight;
    preflight_command(args.at[0], &flight);
    if (flight.obstacle != OBSTACLE_NONE) {
        preflight_complain(verb, &flight);
        return preflight_exit_code(&flight);
    }
    if (!library_enter(verb))
        return EXIT_OURS;
    execvp(args.at[0], args.at);
    complain(verb, "%s cannot be executed (%s)", args.at[0], strerror(errno));
    return child_exec_code(errno);
}

const struct verb verb_run = {
    .name = "run",
    .operands = "[OPTIONS] [--] CMD [ARGUMENT...]",
    .summary = "start a command with midden as its malloc",
    .details =
        "Looks first whether a library can be preloaded into CMD at all: a static, setuid or "
        "foreign program would run without it and say nothing. Then puts the library first in "
        "LD_PRELOAD, keeps what is there, and becomes CMD: same process, same input and output, "
        "its exit status is the exit status.\n"
        "Programs that CMD starts inherit the library; those it cannot be preloaded into run "
        "without it.",
    .flags = flags,
    .act = act,
};
