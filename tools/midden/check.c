/* check.c - midden check: fail when a corruption was caught, and when nobody looked. */
#include "args.h"
#include "child.h"
#include "gate.h"
#include "library.h"
#include "preflight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct flag flags[] = {
    { 'o', "options", "K=V,...", "add to MIDDEN_OPTIONS; `midden help options` lists the keys" },
    { 0 }
};

static int tell_corruption(const struct verb *verb, const struct gate_news *news)
{
    char count[64] = "";
    if (news->faults > 1)
        snprintf(count, sizeof count, "; %u were caught, this is the last", news->faults);
    complain(verb, "heap corruption in process %d: %s%s", news->last_process,
             news->sentence[0] ? news->sentence : "the process ended before it could describe it",
             count);
    return EXIT_CORRUPTION;
}

/* The library did not start in any process, or started and was passed over: a gate must not be
 * green for that reason. */
static int tell_not_instrumented(const struct verb *verb, const char *command)
{
    struct preflight flight;
    preflight_command(command, &flight);
    if (flight.obstacle != OBSTACLE_NONE)
        preflight_complain(verb, &flight);
    else
        complain(verb, "%s was not instrumented (the library never started in it; nothing in the "
                 "file says why: a sandbox, a cleared environment, midden=off?). Run `midden "
                 "doctor %s`", command, command);
    return EXIT_OURS;
}

static bool brings_own_malloc(const char *command)
{
    struct preflight flight;
    preflight_command(command, &flight);
    return flight.obstacle == OBSTACLE_OWN_MALLOC || flight.obstacle == OBSTACLE_SANITIZER;
}

static int verdict(const struct verb *verb, const char *command, const struct child_end *end,
                   const struct gate_news *news)
{
    if (end->exec_error) {
        complain(verb, "%s cannot be executed (%s)", command, strerror(end->exec_error));
        return child_exit_code(end);
    }
    if (news->faults)
        return tell_corruption(verb, news);
    if (news->attached == 0 || brings_own_malloc(command))
        return tell_not_instrumented(verb, command);
    return child_exit_code(end);
}

static int check_command(const struct verb *verb, char **argv)
{
    struct gate gate;
    struct gate_news news;
    struct child_end end;
    if (!library_enter(verb))
        return EXIT_OURS;
    if (!gate_open(&gate)) {
        complain(verb, "the page for the handshake could not be made (%s). Does a sandbox forbid "
                 "memfd_create?", strerror(errno));
        return EXIT_OURS;
    }
    struct child child = { .argv = argv, .input = -1, .output = -1 };
    bool started = child_run(&child, &end);
    int error = errno;
    gate_read(&gate, &news);
    gate_close(&gate);
    if (!started) {
        complain(verb, "no process could be made for %s (%s)", argv[0], strerror(error));
        return EXIT_OURS;
    }
    return verdict(verb, argv[0], &end, &news);
}

static int act(const struct verb *verb, char **argv)
{
    struct args args;
    int flag;
    args_start(&args, verb, argv);
    while ((flag = args_next(&args)) > 0) {
        if (!preload_options_valid(verb, args.value, "--options"))
            return EXIT_USAGE;
        preload_options_add(args.value);
    }
    if (flag != ARGS_END)
        return args_exit_code(flag);
    if (args_operand_missing(&args, "the command"))
        return EXIT_USAGE;
    return check_command(verb, args.at);
}

const struct verb verb_check = {
    .name = "check",
    .operands = "[OPTIONS] [--] CMD [ARGUMENT...]",
    .summary = "run a command and fail if its heap was corrupted",
    .details =
        "A gate for automated tests. Runs CMD under midden, passes signals on to it, waits for "
        "it, and decides afterwards, when CMD has flushed its output and gone: 24 if a double or "
        "invalid free was caught in CMD or in any process below it, 125 if the library never "
        "started in CMD (with the reason), else CMD's own exit status, 128 + N if signal N ended "
        "it.\n"
        "The library proves over a shared page that it was there, so a static, setuid or foreign "
        "CMD cannot pass by not being looked at. Processes that outlive CMD are not waited for.",
    .flags = flags,
    .act = act,
};
