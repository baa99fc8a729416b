/* start.c - start a command under an allocator, and say what it took.
 * Use         start RESULT LIBRARY COMMAND...; LIBRARY is "-" for none
 * Job         Writes one line to the file RESULT: seconds on the clock, seconds of processor (the
 *             command and all it has waited for), peak resident KiB of the largest of them, exit
 *             status (128 and more: a signal). A process inherits the peak of the one that became
 *             it by exec; so the one that forks must be small, and that is this one. The allocator
 *             is preloaded into the command alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static pid_t command_start(const char *library, char **command)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    if (library[0] != '-')
        setenv("LD_PRELOAD", library, 1);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: start RESULT LIBRARY COMMAND...\n");
        return 2;
    }
    double start = now_seconds();
    pid_t child = command_start(argv[2], argv + 3);
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("start");
        return 1;
    }
    double taken = now_seconds() - start;
    FILE *result = fopen(argv[1], "w");
    if (result == NULL) {
        perror(argv[1]);
        return 1;
    }
    fprintf(result, "seconds=%.6f cpu=%.6f peak_kib=%ld status=%d\n", taken,
        seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(result) == 0 ? 0 : 1;
}
