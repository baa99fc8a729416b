/* options.h - the options of this process.
 * Job      Where options come from and what becomes of complaints: defaults, then the configuration
 *          file, then MIDDEN_OPTIONS. How they are read is option.h's.
 * Locking  none: the first call does the work, see options_load.
 */
#ifndef MIDDEN_FRONT_OPTIONS_H
#define MIDDEN_FRONT_OPTIONS_H

#include "base/option.h"
#include "policy/policy.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define OPTIONS_FILE     SYSCONFDIR "/midden.conf"
#define OPTIONS_VARIABLE "MIDDEN_OPTIONS"

enum { OPTIONS_FILE_BYTES = 64 * 1024 };         /* a longer file is told of and read this far */

struct options_source {
    const char *file;                            /* path; need not exist; kept by reference */
    const char *environment;                     /* value of MIDDEN_OPTIONS; NULL: none */
    const char *program;                         /* path of the executable, for sections */
    bool        secure;                          /* AT_SECURE: do not trust whoever started this */
};

/* The options of this process, the same ones at every call. The first call reads them, warns on
 * stderr of what it cannot make sense of, ends the program with status 125 after that if strict=on,
 * and lists them if confirm=on. It allocates nothing and needs nothing: before main, before
 * constructors, inside the first malloc. A call that comes while the first is under way (a signal
 * handler, another thread) is given the defaults. Never NULL. */
const struct options *options_load(void);

/* The reading by itself: fills *options, warns on stderr; returns how many warnings that were.
 * Under `secure` nothing but `midden=off` in the file counts, and nothing is written: file
 * descriptor 2 may be a file that the caller of a setuid program wants spoilt. */
unsigned options_read(struct options *options, const struct options_source *source);

/* The policy that `collect` asks for. A text that is none was warned of when it was read, and never
 * taken; false, and the initial policy: somebody else put it there. */
bool options_policy(const struct options *options, struct policy *out);

void options_confirm(const struct options *options);       /* a line on stderr for each option */

#endif
