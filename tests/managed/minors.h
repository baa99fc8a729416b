/* minors.h - what the programs share that want minor collections.
 * Job  Does this kernel tell what was written; garbage until a minor collection came.
 */
#ifndef MIDDEN_TESTS_MANAGED_MINORS_H
#define MIDDEN_TESTS_MANAGED_MINORS_H

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* -- does this kernel track? ------------------------------------------------------------------- */

static inline int is_filtered(void)
{
    char  line[200];
    FILE *file = fopen("/proc/self/status", "r");
    int   filtered = 0;

    while (file && fgets(line, sizeof line, file))
        filtered |= !strncmp(line, "Seccomp:", 8) && atoi(line + 8) != 0;
    if (file)
        fclose(file);
    return filtered;
}

/* Asynchronous write protection (bit 15), for user mode only (flag 1), and with it PAGEMAP_SCAN.
 * Before Linux 6.13 a page that was moved might keep its protection: there the library looks, and
 * is believed. */
static inline int kernel_tracks(int believed)
{
    struct uffdio_api api = { UFFD_API, (uint64_t)1 << 15 | (uint64_t)1 << 13 };
    struct utsname    name;
    int               fd, tracks, major = 0, minor = 0;

    if (is_filtered() || access("/proc/self/pagemap", R_OK))
        return 0;
    fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
    tracks = fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0;
    close(fd);
    uname(&name);
    sscanf(name.release, "%d.%d", &major, &minor);
    return tracks && (major > 6 || (major == 6 && minor >= 13)) ? 1 : tracks && believed;
}

/* Descriptors of this process that watch pages. */
static inline int watches(void)
{
    char           target[100];
    int            count = 0;
    DIR           *all = opendir("/proc/self/fd");
    struct dirent *one;

    while (all && (one = readdir(all)) != NULL) {
        ssize_t bytes = readlinkat(dirfd(all), one->d_name, target, sizeof target - 1);

        target[bytes > 0 ? bytes : 0] = 0;
        count += strstr(target, "userfaultfd") != NULL;
    }
    if (all)
        closedir(all);
    return count;
}

/* -- garbage ----------------------------------------------------------------------------------- */

static inline long minors(void)
{
    struct midden_gc_stats stats = { .size = sizeof stats };

    return midden_get_stats(1, &stats) ? -1 : (long)stats.minor;
}

static NOINLINE void litter(void)            /* some MiB that die at once */
{
    for (long i = 0; i < scaled(40000); i++) {
        void **object = midden_alloc(48);

        *object = object;
    }
}

/* Until so many minor collections more were made, or so much was allocated that they should. */
static inline int until_minor(long more)
{
    long wanted = minors() + more;

    for (int i = 0; minors() < wanted && i < (every_count() ? 3 : 400); i++)
        litter();
    wipe();
    return minors() >= wanted;
}

#endif
