/* finding.c - see finding.h. */
#include "finding.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    unsigned bad;
} findings;

static const struct {
    const char *token, *colour;
} grades[] = {
    [GRADE_OK]   = { "ok",   "\033[32m" },
    [GRADE_NOTE] = { "note", "\033[33m" },
    [GRADE_BAD]  = { "bad",  "\033[1;31m" },
};

void finding(enum grade grade, const char *what, const char *cure, const char *evidence, ...)
{
    bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    va_list arguments;
    findings.bad += grade == GRADE_BAD;
    printf("%s%-4s%s  %-16s  ", colour ? grades[grade].colour : "", grades[grade].token,
           colour ? "\033[0m" : "", what);
    va_start(arguments, evidence);
    vprintf(evidence, arguments);
    va_end(arguments);
    if (cure)
        printf("  -> %s", cure);
    printf("\n");
}

unsigned findings_bad(void)
{
    return findings.bad;
}

bool file_read(const char *path, char *out, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t length = 0;
    ssize_t got;
    while (length < bytes - 1 && (got = read(fd, out + length, bytes - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    out[length] = '\0';
    return true;
}
