/* binary.h - what a file says about itself before it runs.
 * Job         Read an executable's headers: for which processor, static or dynamic, which loader,
 *             who brings its malloc. Nothing is executed; every offset is checked against the file,
 *             so a damaged file is an answer, not a crash.
 */
#ifndef MIDDEN_TOOL_BINARY_H
#define MIDDEN_TOOL_BINARY_H

#include "base/base.h"

enum binary_answer { BINARY_READ, BINARY_UNREADABLE, BINARY_NOT_ELF, BINARY_DAMAGED };

struct binary_facts {
    unsigned    class_bits;                      /* 32 or 64 */
    unsigned    machine;                         /* EM_... */
    bool        native;                          /* as here; the fields below were read */
    bool        dynamic;                         /* names a loader, or is one */
    bool        go;                              /* made by the Go tool chain */
    bool        own_malloc;                      /* exported: comes before a preloaded one */
    const char *sanitizer;                       /* one that replaces malloc; NULL: none */
    const char *sanitizer_evidence;              /* the word that gave it away */
    char        loader[256];                     /* PT_INTERP; "": none */
    char        soname[128];                     /* DT_SONAME; "": none */
};

enum binary_answer binary_read(const char *path, struct binary_facts *facts);
const char *binary_machine_name(unsigned machine);  /* "x86-64"; "an unknown processor" */
unsigned binary_machine_here(void);                 /* EM_... of this program */

#endif
