/* args.c - see args.h. */
#include "args.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* -- the nearest word -------------------------------------------------------------------------- */

/* A third of the word may be wrong: beyond that the advice would be a guess. */
void nearest_start(struct nearest *nearest, const char *token)
{
    nearest->token = token;
    nearest->best = NULL;
    nearest->distance = (unsigned)strlen(token) / 3 + 2;
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t typed = strlen(nearest->token);
    bool shortened = typed >= 2 && strncmp(candidate, nearest->token, typed) == 0;
    unsigned distance = shortened ? 0 : text_distance(nearest->token, candidate);
    if (distance >= nearest->distance)
        return;
    nearest->best = candidate;
    nearest->distance = distance;
}

/* -- flags ------------------------------------------------------------------------------------- */

static const struct flag *flag_by_letter(const struct verb *verb, char letter)
{
    for (const struct flag *flag = verb->flags; flag && flag->name; flag++)
        if (flag->id == letter)
            return flag;
    return NULL;
}

static const struct flag *flag_by_name(const struct verb *verb, const char *name, size_t length)
{
    for (const struct flag *flag = verb->flags; flag && flag->name; flag++)
        if (strlen(flag->name) == length && memcmp(flag->name, name, length) == 0)
            return flag;
    return NULL;
}

static int flag_unknown(const struct args *args, const char *name, size_t length)
{
    char token[64];
    size_t kept = length < sizeof token - 1 ? length : sizeof token - 1;
    memcpy(token, name, kept);
    token[kept] = '\0';

    struct nearest nearest;
    nearest_start(&nearest, token);
    for (const struct flag *flag = args->verb->flags; flag && flag->name; flag++)
        nearest_offer(&nearest, flag->name);
    const char *verb = args->verb->name;
    if (nearest.best)
        complain(args->verb, "unknown option --%s; did you mean --%s? `midden help %s` lists them",
                 token, nearest.best, verb);
    else
        complain(args->verb, "unknown option --%s; `midden help %s` lists them, and `--` ends them",
                 token, verb);
    return ARGS_BAD;
}

static int flag_take_value(struct args *args, const struct flag *flag, const char *attached)
{
    args->value = attached ? attached : *args->at;
    if (!args->value) {
        complain(args->verb, "option --%s needs %s behind it", flag->name, flag->argument);
        return ARGS_BAD;
    }
    if (!attached)
        args->at++;
    return flag->id;
}

static int args_long(struct args *args, const char *name)
{
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *flag = flag_by_name(args->verb, name, length);
    if (!flag)
        return flag_unknown(args, name, length);
    if (flag->argument)
        return flag_take_value(args, flag, equals ? equals + 1 : NULL);
    if (equals) {
        complain(args->verb, "option --%s takes no value, but was given \"%s\"", flag->name,
                 equals + 1);
        return ARGS_BAD;
    }
    return flag->id;
}

static int args_short(struct args *args, const char *token)
{
    const struct flag *flag = flag_by_letter(args->verb, token[1]);
    if (flag && flag->argument)
        return flag_take_value(args, flag, token[2] ? token + 2 : NULL);
    if (flag && !token[2])
        return flag->id;
    complain(args->verb, "unknown option %s; `midden help %s` lists them, and `--` ends them",
             token, args->verb->name);
    return ARGS_BAD;
}

void args_start(struct args *args, const struct verb *verb, char **argv)
{
    args->verb = verb;
    args->at = argv;
    args->value = NULL;
}

int args_next(struct args *args)
{
    const char *token = *args->at;
    args->value = NULL;
    if (!token || token[0] != '-' || !token[1])
        return ARGS_END;
    args->at++;
    if (strcmp(token, "--") == 0)
        return ARGS_END;
    if (strcmp(token, "--help") == 0 || strcmp(token, "-h") == 0) {
        help_verb(args->verb);
        return ARGS_HELP;
    }
    return token[1] == '-' ? args_long(args, token + 2) : args_short(args, token);
}

int args_exit_code(int answer)
{
    return answer == ARGS_HELP ? EXIT_DONE : EXIT_USAGE;
}

bool args_operand_missing(const struct args *args, const char *what)
{
    if (*args->at)
        return false;
    complain(args->verb, "%s is missing; usage: midden %s %s", what, args->verb->name,
             args->verb->operands);
    return true;
}

bool args_count(const struct args *args, unsigned lo, unsigned hi, unsigned *out)
{
    char *end;
    unsigned long number = strtoul(args->value, &end, 10);
    bool digits = args->value[0] >= '0' && args->value[0] <= '9' && *end == '\0';
    if (!digits || number < lo || number > hi) {
        complain(args->verb, "\"%s\" is not a number from %u to %u", args->value, lo, hi);
        return false;
    }
    *out = (unsigned)number;
    return true;
}
