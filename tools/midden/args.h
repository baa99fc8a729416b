/* args.h - flags in front of operands, and the nearest word to one nobody knows.
 * Job         Read -x, -x VALUE, -xVALUE, --name, --name VALUE and --name=VALUE up to the first
 *             operand or `--`. What lies behind belongs to CMD and is never looked at. Mistakes are
 *             told here, with the nearest flag.
 */
#ifndef MIDDEN_TOOL_ARGS_H
#define MIDDEN_TOOL_ARGS_H

#include "midden.h"

struct args {
    const struct verb *verb;
    char             **at;                       /* next word; at the end the first operand */
    const char        *value;                    /* of the flag last returned, or NULL */
};
enum { ARGS_END = 0, ARGS_BAD = -1, ARGS_HELP = -2 };

void args_start(struct args *args, const struct verb *verb, char **argv);
int  args_next(struct args *args);               /* a flag's id; BAD was told, HELP was shown */
int  args_exit_code(int answer);                 /* for ARGS_BAD and ARGS_HELP */
bool args_operand_missing(const struct args *args, const char *what);   /* true: told */
/* The value as a number from lo to hi. False: told. */
bool args_count(const struct args *args, unsigned lo, unsigned hi, unsigned *out);

/* Of the words offered, the one that was probably meant. */
struct nearest {
    const char *token;
    const char *best;                            /* NULL: nothing near enough */
    unsigned    distance;
};
void nearest_start(struct nearest *nearest, const char *token);
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
