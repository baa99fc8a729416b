/* mapper.c - a library in front that wraps the calls an allocator makes of the C library, and
 *      allocates inside each.
 * part: yes
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int mapped_calls;
static __thread int depth;

static void allocate(void)
{
    if (depth++ == 0) {
        char *volatile p = malloc(3000);

        mapped_calls++;
        p[0] = 1;
        free(p);
        free(calloc(1, 100000));
    }
    depth--;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void *mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset)
{
    allocate();
    return NEXT(mmap)(at, bytes, protection, flags, file, offset);
}

int munmap(void *at, size_t bytes)
{
    allocate();
    return NEXT(munmap)(at, bytes);
}

int madvise(void *at, size_t bytes, int advice)
{
    allocate();
    return NEXT(madvise)(at, bytes, advice);
}

int mprotect(void *at, size_t bytes, int protection)
{
    allocate();
    return NEXT(mprotect)(at, bytes, protection);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    int     mode;

    va_start(more, flags);
    mode = va_arg(more, int);
    va_end(more);
    allocate();
    return NEXT(open)(path, flags, mode);
}

ssize_t read(int file, void *to, size_t bytes)
{
    allocate();
    return NEXT(read)(file, to, bytes);
}

char *getenv(const char *name)
{
    allocate();
    return NEXT(getenv)(name);
}

char *secure_getenv(const char *name)
{
    allocate();
    return NEXT(secure_getenv)(name);
}

long sysconf(int name)
{
    allocate();
    return NEXT(sysconf)(name);
}
