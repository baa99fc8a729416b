/* child.c - see child.h. */
#include "child.h"

#include "midden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Job control stays with the kernel (stopping midden alone would not help the command), and what
 * midden does wrong itself is no business of the command. */
static const int not_forwarded[] = {
    SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGPIPE,
    SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS
};

struct signals {
    sigset_t         watched;                    /* blocked meanwhile, taken one by one */
    sigset_t         before;
    struct sigaction chld_before;
};

/* SIGCHLD may have been inherited ignored: then wait4 would find nobody. */
static void signals_watch(struct signals *signals)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigfillset(&signals->watched);
    for (size_t i = 0; i < COUNT_OF(not_forwarded); i++)
        sigdelset(&signals->watched, not_forwarded[i]);
    sigaction(SIGCHLD, &plain, &signals->chld_before);
    sigprocmask(SIG_BLOCK, &signals->watched, &signals->before);
}

static void signals_restore(const struct signals *signals)
{
    sigaction(SIGCHLD, &signals->chld_before, NULL);
    sigprocmask(SIG_SETMASK, &signals->before, NULL);
}

/* What arrived together with the end of the command must not end midden before it has told the
 * verdict. */
static void signals_drain(const struct signals *signals)
{
    struct timespec now = { 0, 0 };
    while (sigtimedwait(&signals->watched, NULL, &now) > 0)
        ;
}

_Noreturn static void become(const struct child *child, const struct signals *signals, int report)
{
    if (child->input >= 0)
        dup2(child->input, STDIN_FILENO);
    if (child->output >= 0) {
        dup2(child->output, STDOUT_FILENO);
        dup2(child->output, STDERR_FILENO);
    }
    signals_restore(signals);
    execvp(child->argv[0], child->argv);
    int error = errno;
    ssize_t told = write(report, &error, sizeof error);
    _exit(told == sizeof error ? EXIT_NOT_FOUND : EXIT_OURS);
}

/* The terminal's own signals reach the whole process group: a second copy would count as a second
 * ^C. */
static void pass_on(const siginfo_t *signal, pid_t pid, struct child_end *end)
{
    int number = signal->si_signo;
    if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT)
        end->asked_to_stop = number;
    if (number != SIGCHLD && signal->si_code != SI_KERNEL)
        kill(pid, number);
}

static void wait_for(pid_t pid, const struct signals *signals, struct rusage *usage,
                     struct child_end *end)
{
    siginfo_t signal;
    while (wait4(pid, &end->status, WNOHANG, usage) != pid)
        if (sigwaitinfo(&signals->watched, &signal) > 0)
            pass_on(&signal, pid, end);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t timeval_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

/* The descriptor closes on a successful exec: then there is nothing to read. */
static int exec_error(int report)
{
    int error = 0;
    ssize_t got;
    do
        got = read(report, &error, sizeof error);
    while (got < 0 && errno == EINTR);
    return got == sizeof error ? error : 0;
}

bool child_run(const struct child *child, struct child_end *end)
{
    struct signals signals;
    struct rusage usage = { 0 };
    int report[2];
    *end = (struct child_end){ 0 };
    if (pipe2(report, O_CLOEXEC) != 0)
        return false;
    signals_watch(&signals);
    uint64_t start_ns = now_ns();
    end->pid = fork();
    int fork_error = errno;
    if (end->pid == 0)
        become(child, &signals, report[1]);
    close(report[1]);
    if (end->pid > 0) {
        end->exec_error = exec_error(report[0]);
        wait_for(end->pid, &signals, &usage, end);
    }
    end->wall_ns = now_ns() - start_ns;
    close(report[0]);
    signals_drain(&signals);
    signals_restore(&signals);
    end->user_ns = timeval_ns(usage.ru_utime);
    end->system_ns = timeval_ns(usage.ru_stime);
    end->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    errno = fork_error;
    return end->pid > 0;
}

int child_exec_code(int error)
{
    return error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_STARTED;
}

int child_exit_code(const struct child_end *end)
{
    if (end->exec_error)
        return child_exec_code(end->exec_error);
    return WIFSIGNALED(end->status) ? EXIT_SIGNAL + WTERMSIG(end->status)
                                    : WEXITSTATUS(end->status);
}
