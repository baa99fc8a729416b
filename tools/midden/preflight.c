/* preflight.c - see preflight.h. */
#include "preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPTS_MAX = 5 };                        /* as many #! lines as the kernel follows */

static const struct {
    int         code;
    const char *cause, *cure;
} obstacles[] = {
    [OBSTACLE_NONE] = { EXIT_DONE, "can be preloaded", "" },
#define OBSTACLE(name, code, cause, cure) [OBSTACLE_##name] = { code, cause, cure },
#include "obstacle.def"
#undef OBSTACLE
};

static bool stop(struct preflight *flight, enum obstacle obstacle, const char *format, ...)
    PRINTF(3, 4);

/* Always false, so that a finding ends the search in one line. */
static bool stop(struct preflight *flight, enum obstacle obstacle, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(flight->evidence, sizeof flight->evidence, format, arguments);
    va_end(arguments);
    flight->obstacle = obstacle;
    return false;
}

/* -- finding the file -------------------------------------------------------------------------- */

static bool is_program_file(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

static bool check_path(const char *path, struct preflight *flight)
{
    struct stat about;
    snprintf(flight->path, sizeof flight->path, "%s", path);
    if (stat(path, &about) != 0)
        return stop(flight, errno == EACCES ? OBSTACLE_NOT_EXECUTABLE : OBSTACLE_NOT_FOUND, "%s",
                    strerror(errno));
    if (!S_ISREG(about.st_mode))
        return stop(flight, OBSTACLE_NOT_EXECUTABLE, "it is %s",
                    S_ISDIR(about.st_mode) ? "a directory" : "no regular file");
    if (access(path, X_OK) != 0)
        return stop(flight, OBSTACLE_NOT_EXECUTABLE, "%s; its mode is %03o", strerror(errno),
                    about.st_mode & 07777);
    return true;
}

/* As execvp searches: the first executable file; a file without the right to execute it is
 * remembered, not taken. */
static bool search_path(const char *name, struct preflight *flight)
{
    const char *list = getenv("PATH");
    char refused[PATH_MAX] = "";
    list = list ? list : "/bin:/usr/bin";
    for (const char *at = list; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        int length = (int)strcspn(at, ":");
        int needed = snprintf(flight->path, sizeof flight->path, "%.*s%s%s", length, at,
                              length ? "/" : "", name);
        if (needed >= (int)sizeof flight->path)
            continue;
        if (is_program_file(flight->path))
            return true;
        if (access(flight->path, F_OK) == 0 && !*refused)
            memcpy(refused, flight->path, sizeof refused);
    }
    if (*refused)
        return check_path(refused, flight);
    snprintf(flight->path, sizeof flight->path, "%s", name);
    return stop(flight, OBSTACLE_NOT_FOUND, "no directory of PATH has it");
}

static bool find_command(const char *command, struct preflight *flight)
{
    char name[PATH_MAX];                         /* command may lie in flight->path */
    snprintf(name, sizeof name, "%s", command);
    if (!*name)
        return stop(flight, OBSTACLE_NOT_FOUND, "its name is empty");
    return strchr(name, '/') ? check_path(name, flight) : search_path(name, flight);
}

/* -- scripts ----------------------------------------------------------------------------------- */

struct script {
    char  line[PATH_MAX];
    char *interpreter;
    char *argument;                              /* the rest of the line, "" if there is none */
};

static void script_parse(struct script *script)
{
    script->line[strcspn(script->line, "\n")] = '\0';
    script->interpreter = script->line + 2 + strspn(script->line + 2, " \t");
    script->argument = script->interpreter + strcspn(script->interpreter, " \t");
    if (*script->argument)
        *script->argument++ = '\0';
    script->argument += strspn(script->argument, " \t");
}

/* A file that is neither a program nor begins with #! is given to sh by execvp, as by every
 * shell. */
static bool script_read(const char *path, struct script *script)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, script->line, sizeof script->line - 1);
    close(fd);
    if (length < 0 || (length >= 4 && memcmp(script->line, "\177ELF", 4) == 0))
        return false;
    script->line[length] = '\0';
    if (strncmp(script->line, "#!", 2) != 0)
        strcpy(script->line, "#!/bin/sh");
    script_parse(script);
    return true;
}

/* `#!/usr/bin/env python3`: env is only the porter; its first word that is neither a flag nor
 * NAME=VALUE is the command. */
static const char *script_command(struct script *script)
{
    const char *slash = strrchr(script->interpreter, '/');
    if (strcmp(slash ? slash + 1 : script->interpreter, "env") != 0)
        return script->interpreter;
    char *rest = NULL;
    for (char *token = strtok_r(script->argument, " \t", &rest); token;
         token = strtok_r(NULL, " \t", &rest))
        if (*token != '-' && !strchr(token, '='))
            return token;
    return script->interpreter;
}

static bool interpreter_refused(struct preflight *flight, const char *script, const char *command)
{
    if (flight->obstacle != OBSTACLE_NOT_FOUND)
        return false;
    const char *windows = strchr(command, '\r') ? ", followed by a carriage return" : "";
    snprintf(flight->path, sizeof flight->path, "%s", script);
    return stop(flight, OBSTACLE_LOADER_MISSING, "its first line names %.*s%s",
                (int)strcspn(command, "\r"), command, windows);
}

static bool follow_scripts(struct preflight *flight)
{
    struct script script;
    while (script_read(flight->path, &script)) {
        char from[PATH_MAX];
        memcpy(from, flight->path, sizeof from);
        if (++flight->scripts > SCRIPTS_MAX)
            return stop(flight, OBSTACLE_SCRIPT_LOOP, "%d #! lines were followed", SCRIPTS_MAX);
        const char *command = script_command(&script);
        if (!find_command(command, flight))
            return interpreter_refused(flight, from, command);
    }
    return true;
}

/* -- the program ------------------------------------------------------------------------------- */

static bool check_headers(struct preflight *flight)
{
    const struct binary_facts *facts = &flight->facts;
    enum binary_answer answer = binary_read(flight->path, &flight->facts);
    if (answer == BINARY_DAMAGED)
        return stop(flight, OBSTACLE_DAMAGED, "its ELF headers point outside the file");
    flight->inspected = answer == BINARY_READ;
    if (!flight->inspected)
        return true;
    unsigned here = binary_machine_here(), bits = 8 * sizeof(void *);
    if (facts->class_bits != bits || facts->machine != here || !facts->native)
        return stop(flight, facts->class_bits != bits ? OBSTACLE_CLASS : OBSTACLE_MACHINE,
                    "it is for %u-bit %s, the library for %u-bit %s", facts->class_bits,
                    binary_machine_name(facts->machine), bits, binary_machine_name(here));
    if (!facts->dynamic)
        return stop(flight, OBSTACLE_STATIC, "%sits ELF header names no loader",
                    facts->go ? "a Go program, and " : "");
    if (strstr(facts->loader, "ld-musl"))
        return stop(flight, OBSTACLE_MUSL, "its loader is %s", facts->loader);
    if (facts->loader[0] && access(facts->loader, F_OK) != 0)
        return stop(flight, OBSTACLE_LOADER_MISSING, "its ELF header names %s", facts->loader);
    if (facts->sanitizer)
        return stop(flight, OBSTACLE_SANITIZER, "%s, by %s", facts->sanitizer,
                    facts->sanitizer_evidence);
    if (facts->own_malloc)
        return stop(flight, OBSTACLE_OWN_MALLOC, "it exports a malloc");
    return true;
}

/* The kernel marks such a start as secure (AT_SECURE), unless the rights change nothing or may not
 * be gained at all. */
static bool check_rights(struct preflight *flight)
{
    struct stat about;
    struct statvfs system;
    bool unknown = stat(flight->path, &about) != 0 || statvfs(flight->path, &system) != 0;
    if (unknown || (system.f_flag & ST_NOSUID) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return true;
    if ((about.st_mode & S_ISUID) && about.st_uid != getuid())
        return stop(flight, OBSTACLE_SETID, "it is setuid to user %u, started by user %u",
                    about.st_uid, getuid());
    if ((about.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && about.st_gid != getgid())
        return stop(flight, OBSTACLE_SETID, "it is setgid to group %u, started by group %u",
                    about.st_gid, getgid());
    if (getuid() != 0 && getxattr(flight->path, "security.capability", NULL, 0) > 0)
        return stop(flight, OBSTACLE_CAPABLE, "it has the attribute security.capability");
    return true;
}

static void check_program(struct preflight *flight)
{
    (void)(check_headers(flight) && check_rights(flight));
}

/* -- the door ---------------------------------------------------------------------------------- */

void preflight_command(const char *command, struct preflight *flight)
{
    memset(flight, 0, sizeof *flight);
    if (find_command(command, flight) && follow_scripts(flight))
        check_program(flight);
}

void preflight_file(const char *path, struct preflight *flight)
{
    memset(flight, 0, sizeof *flight);
    snprintf(flight->path, sizeof flight->path, "%s", path);
    check_program(flight);
}

int preflight_exit_code(const struct preflight *flight)
{
    return obstacles[flight->obstacle].code;
}

const char *preflight_cause(enum obstacle obstacle)
{
    return obstacles[obstacle].cause;
}

const char *preflight_cure(enum obstacle obstacle)
{
    return obstacles[obstacle].cure;
}

void preflight_complain(const struct verb *verb, const struct preflight *flight)
{
    complain(verb, "%s %s (%s). %s", flight->path, preflight_cause(flight->obstacle),
             flight->evidence, preflight_cure(flight->obstacle));
}
