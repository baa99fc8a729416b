/* child.h - start a command, pass signals on to it, wait, and say what it used.
 * Job         fork, exec, wait4. While it runs, signals sent to midden go to the command; those the
 *             terminal sends reach it anyway, as it stays in the same process group. One command at
 *             a time.
 */
#ifndef MIDDEN_TOOL_CHILD_H
#define MIDDEN_TOOL_CHILD_H

#include "base/base.h"

#include <sys/types.h>

struct child {
    char **argv;
    int    input, output;                        /* descriptors for it; -1: keep ours */
};

struct child_end {
    pid_t    pid;
    int      exec_error;                         /* errno of an exec that failed; 0: it ran */
    int      status;                             /* as wait(2) gives it */
    int      asked_to_stop;                      /* SIGINT, TERM, HUP or QUIT came; 0: none */
    uint64_t wall_ns;                            /* from before the fork to the end of the wait */
    uint64_t user_ns, system_ns;                 /* of the command and the children it waited for */
    uint64_t peak_bytes;                         /* resident, of the largest of them */
};

/* False: no process could be made; errno says why. */
bool child_run(const struct child *child, struct child_end *end);
int  child_exit_code(const struct child_end *end);   /* its own, 128 + N for signal N, 126, 127 */
int  child_exec_code(int exec_error);                /* 127: no such command; 126: not executable */

#endif
