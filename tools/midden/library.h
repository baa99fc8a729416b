/* library.h - the library that is preloaded: where it lies, and how it gets into a command.
 * Job         Find libmidden.so.0, ask the dynamic loader which file a name means, and compose
 *             LD_PRELOAD and MIDDEN_OPTIONS.
 */
#ifndef MIDDEN_TOOL_LIBRARY_H
#define MIDDEN_TOOL_LIBRARY_H

#include "midden.h"

#include <limits.h>

#define LIBRARY_SONAME "libmidden.so.0"

struct library {
    char        path[PATH_MAX];                  /* absolute */
    const char *found_by;                        /* "MIDDEN_LIBRARY", "beside the command", ... */
};

/* Where: $MIDDEN_LIBRARY, beside the command (build tree and relocated trees), the configured
 * library directory, the loader's own search. False: `why` holds cause, evidence and cure. */
bool library_find(struct library *library, char *why, size_t why_bytes);

/* Find and put first in this process's LD_PRELOAD, for what is executed from here. False: told. */
bool library_enter(const struct verb *verb);

/* The file the dynamic loader takes for `name` in LD_PRELOAD; false: it takes none. Runs the
 * loader, not the library. */
bool library_resolve(const char *name, char *path, size_t bytes);

void preload_prepend(const char *path);          /* LD_PRELOAD=path:what was there */
void preload_options_add(const char *pairs);     /* behind what is there: the last one wins */
/* False: a key or value the library would not take, told with the nearest one. */
bool preload_options_valid(const struct verb *verb, const char *pairs, const char *origin);
void preload_options_list(void);                 /* each option, from the library's own table */

#endif
