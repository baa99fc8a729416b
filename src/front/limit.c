/* limit.c - limits on address space, set while the program runs.
 * Job         A process that lowers its own RLIMIT_AS has what was set aside and never reached
 *             charged against it, and could not even grow its stack. So that goes back; later
 *             growth claims what it needs, piece by piece.
 * Locking     the span and meta locks, inside trim_space.
 */
#include "front/front.h"
#include "heap/trim.h"
#include "os/linux_call.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/types.h>

/* A vfork child limits itself, but would cut the memory of its parent. */
static void make_room(size_t limit_bytes)
{
    if (heap_is_inside() || life_is_borrowed())
        return;
    heap_enter();
    trim_space(limit_bytes);
    heap_leave();
}

/* What was set is asked of the kernel: `next` may be an address that only it may be given. */
static int change(int process, int resource, const struct rlimit64 *next, struct rlimit64 *last)
{
    struct rlimit64 now;
    long status = call4(SYS_prlimit64, process, resource, next, last);
    if (call_failed(status)) {
        errno = (int)-status;
        return -1;
    }
    bool ours = process == 0 || process == os_process_id();
    if (next == NULL || !ours || resource != RLIMIT_AS)
        return 0;
    status = call4(SYS_prlimit64, 0, RLIMIT_AS, 0, &now);
    if (!call_failed(status) && now.rlim_cur != RLIM64_INFINITY)
        make_room(now.rlim_cur);
    return 0;
}

EXPORT int PUBLIC(prlimit64)(pid_t process, enum __rlimit_resource resource,
                             const struct rlimit64 *next, struct rlimit64 *last)
{
    return change(process, (int)resource, next, last);
}

EXPORT int PUBLIC(setrlimit64)(__rlimit_resource_t resource, const struct rlimit64 *next)
{
    return change(0, (int)resource, next, NULL);
}

_Static_assert(sizeof(rlim_t) == sizeof(rlim64_t), "one layout for both names");

EXPORT int PUBLIC(prlimit)(pid_t process, enum __rlimit_resource resource,
                           const struct rlimit *next, struct rlimit *last)
{
    return change(process, (int)resource, (const struct rlimit64 *)next, (struct rlimit64 *)last);
}

EXPORT int PUBLIC(setrlimit)(__rlimit_resource_t resource, const struct rlimit *next)
{
    return change(0, (int)resource, (const struct rlimit64 *)next, NULL);
}
