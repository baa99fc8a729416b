/* finding.h - one line of a diagnosis: grade, what, evidence, cure.
 * Job  Print lines that align, and remember whether any was bad.
 */
#ifndef MIDDEN_TOOL_FINDING_H
#define MIDDEN_TOOL_FINDING_H

#include "midden.h"

enum grade { GRADE_OK, GRADE_NOTE, GRADE_BAD };

/* `cure` NULL: nothing is to be done. The evidence is formatted from what follows it. */
void finding(enum grade grade, const char *what, const char *cure, const char *evidence, ...)
    PRINTF(4, 5);
unsigned findings_bad(void);

/* What doctor looks at, a file each. */
void machine_examine(const struct verb *verb);   /* machine.c */
void process_examine(int process);               /* process.c */

/* The whole of a small file, as /proc and /sys have them. False: not readable; errno says why. */
bool file_read(const char *path, char *out, size_t bytes);

#endif
