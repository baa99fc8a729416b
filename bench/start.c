/* start.c - start a command under an allocator, and say what it took.
 * Use         start MIB RESULT LIBRARY COMMAND...; LIBRARY is "-" for none
 * Job         Writes one line to the file RESULT: seconds on the clock, seconds of processor (the
 *             command and all it has waited for), peak resident KiB of the largest of them, exit
 *             status (128 and more: a signal). A process inherits the peak of the one that became
 *             it by exec; so the one that forks must be small, and that is this one. The allocator
 *             is preloaded into the command alone. Before it, a child touches MIB of memory and
 *             ends: a machine that hands free memory to its host finds it at hand then, and what
 *             the first touch costs does not depend on who ran before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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

/* In huge pages where they may be had: what a small page needs is found in their remains, too. */
static void memory_touch(size_t bytes)
{
    enum { PAGE = 4096 };
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return;
    madvise(memory, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes; i += PAGE)
        memory[i] = 1;
}

static void machine_warm(size_t mib)
{
    pid_t child = mib != 0 ? fork() : -1;
    if (child == 0) {
        memory_touch(mib << 20);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
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
    if (argc < 5) {
        fprintf(stderr, "usage: start MIB RESULT LIBRARY COMMAND...\n");
        return 2;
    }
    machine_warm(strtoul(argv[1], NULL, 10));
    double start = now_seconds();
    pid_t child = command_start(argv[3], argv + 4);
    int status;
    struct rusage usage;
    if (child < 0 || wait4(child, &status, 0, &usage) != child) {
        perror("start");
        return 1;
    }
    double taken = now_seconds() - start;
    FILE *result = fopen(argv[2], "w");
    if (result == NULL) {
        perror(argv[2]);
        return 1;
    }
    fprintf(result, "seconds=%.6f cpu=%.6f peak_kib=%ld status=%d\n", taken,
        seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(result) == 0 ? 0 : 1;
}
