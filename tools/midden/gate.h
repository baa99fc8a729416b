/* gate.h - proof that the library was really in a command, and what it found there.
 * Job         Make the shared page of report/handshake.h, name it in MIDDEN_HANDSHAKE for what is
 *             started from here, read it when the command has ended. The page is an anonymous file:
 *             nothing to clean up, no name another user could take.
 */
#ifndef MIDDEN_TOOL_GATE_H
#define MIDDEN_TOOL_GATE_H

#include "base/base.h"

struct gate {
    int   fd;
    void *page;
};

struct gate_news {
    unsigned attached;                           /* processes the library started in */
    unsigned faults;                             /* double and invalid frees, in all of them */
    int      last_process;                       /* that told the last one */
    char     sentence[512];                      /* of the last one; "" if none was told */
};

bool gate_open(struct gate *gate);               /* false: errno says why */
void gate_read(const struct gate *gate, struct gate_news *news);
void gate_close(struct gate *gate);

#endif
