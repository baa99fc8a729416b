/* preflight.h - can a malloc be preloaded into this command, and if not, why.
 * Job         Find CMD as execvp would, follow scripts to the program that really runs, and look
 *             for what would make the loader ignore the library in silence. Says no only with
 *             evidence: what cannot be read is let through.
 */
#ifndef MIDDEN_TOOL_PREFLIGHT_H
#define MIDDEN_TOOL_PREFLIGHT_H

#include "binary.h"
#include "midden.h"

#include <limits.h>

enum obstacle {
    OBSTACLE_NONE,
#define OBSTACLE(name, code, cause, cure) OBSTACLE_##name,
#include "obstacle.def"
#undef OBSTACLE
};

struct preflight {
    enum obstacle       obstacle;
    char                path[PATH_MAX];          /* CMD, or the interpreter of its script */
    char                evidence[PATH_MAX + 128];
    bool                inspected;               /* `facts` holds */
    struct binary_facts facts;
    unsigned            scripts;                 /* #! lines followed on the way */
};

void preflight_command(const char *command, struct preflight *flight);
/* No search, no #!: the file of a program that runs. */
void preflight_file(const char *path, struct preflight *flight);
int  preflight_exit_code(const struct preflight *flight);          /* 0 if nothing is in the way */
const char *preflight_cause(enum obstacle obstacle);
const char *preflight_cure(enum obstacle obstacle);
void preflight_complain(const struct verb *verb, const struct preflight *flight);

#endif
