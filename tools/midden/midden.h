/* midden.h - what every verb of the command shares.
 * Job  Exit codes, the shape of a verb and of its flags, and how errors are told: cause, evidence,
 *      cure, on one line.
 */
#ifndef MIDDEN_TOOL_MIDDEN_H
#define MIDDEN_TOOL_MIDDEN_H

#include "base/base.h"

enum exit_code {
    EXIT_DONE          = 0,
    EXIT_FINDING       = 1,                      /* the verb worked and found something bad */
    EXIT_USAGE         = 2,
    EXIT_CORRUPTION    = 24,                     /* a heap corruption was caught in CMD or below */
    EXIT_OURS          = 125,                    /* midden failed, or CMD was not instrumented */
    EXIT_NOT_STARTED   = 126,                    /* CMD exists but cannot be executed, as env(1) */
    EXIT_NOT_FOUND     = 127,                    /* CMD does not exist, as env(1) */
    EXIT_SIGNAL        = 128                     /* plus the number of the signal that ended CMD */
};

struct flag {
    int         id;                              /* its letter, or from FLAG_LONG up */
    const char *name;                            /* long name, without dashes */
    const char *argument;                        /* NULL: takes none */
    const char *text;
};
enum { FLAG_LONG = 256 };

struct verb {
    const char        *name;
    const char        *operands;                 /* as the synopsis shows them */
    const char        *summary;                  /* one line, no full stop */
    const char        *details;                  /* paragraphs: help and man page */
    const struct flag *flags;                    /* ended by an entry without a name; NULL: none */
    int (*act)(const struct verb *verb, char **argv);   /* what follows the verb -> exit code */
};

/* The table made from verb.def, in its order, ended by NULL. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);  /* NULL: there is none */

/* The sentence follows "midden VERB: " on stderr and ends the line; `verb` NULL: only "midden:
 * ". */
void complain(const struct verb *verb, const char *format, ...) PRINTF(2, 3);

/* What `midden version` prints before the version of a library that is loaded. */
#define VERSION_LOADED "loaded midden "

/* What help.c writes. */
void help_summary(void);                         /* the screen of `midden` alone */
void help_verb(const struct verb *verb);

#endif
