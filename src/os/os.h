/* os.h - the ground: everything midden asks of the system, in one contract.
 *
 * Job         Pages, locks, time, files and the end of the process, by raw system calls: no errno
 *             is touched, no libc wrapper another library could have replaced is called, nothing is
 *             allocated.
 * Contract    `true` or non-zero means done; false or 0 means refused, nothing changed. Addresses
 *             and sizes of page calls are multiples of the page size. All calls are
 *             async-signal-safe.
 * Files       linux.c pages and facts; lock.c; thread.c; linux_call.h system calls per processor.
 *             The simulator links tests/sim/os_fake.c in their place.
 */
#ifndef MIDDEN_OS_OS_H
#define MIDDEN_OS_OS_H

#include "base/base.h"

/* -- facts, read once -------------------------------------------------------------------------- */

struct os_facts {
    size_t page_bytes;                           /* 4096, 16384, 65536 */
    size_t huge_bytes;                           /* of a transparent huge page; 0: there are none */
    size_t ram_bytes;
    size_t space_limit_bytes;                    /* RLIMIT_AS; SIZE_MAX: unlimited */
    bool   secure;  /* AT_SECURE: a setuid or setcap program; ignore the environment */
};
void os_facts_read(struct os_facts *facts);

/* -- address space and pages ------------------------------------------------------------------- */

/* fresh range, no access, no commit charge; 0: refused */
word os_reserve(size_t bytes, size_t align);
void os_unreserve(word at, size_t bytes);        /* give address space back */
bool os_commit(word at, size_t bytes);  /* a reserved range becomes readable, writable, zero */
/* an unmapped range becomes readable, writable, zero; false if anything is there */
bool os_claim(word at, size_t bytes);
/* an address range where nothing is mapped now; maps nothing; 0: none found */
word os_vacant(size_t bytes);
/* drop the pages; true only if they read as zero from now on */
bool os_purge(word at, size_t bytes);
/* replace the mapping by fresh zero pages; heals what os_move_pages split */
bool os_renew(word at, size_t bytes);
bool os_huge(word at, size_t bytes);             /* ask for huge pages from now on */
/* pages change address, no byte is copied; `from` reads as zero after */
enum os_moved {
    OS_MOVED,
    OS_REFUSED,                                  /* what was at `to` may have become zero */
    OS_LOST,  /* refused, `to` unmapped on the way, and refused again: it is ours no more */
};
enum os_moved os_move_pages(word from, word to, size_t bytes);
bool os_wipe_on_fork(word at, size_t bytes);     /* a forked child sees zeros here */

/* -- locks ------------------------------------------------------------------------------------- */

/* A futex lock that knows its holder, so that a signal handler that interrupted the holder is told
 * instead of hanging. All-zero is a free lock. Not fair. */
struct lock {
    uint32_t state;  /* 0: free; else the holder's tag, lowest bit: somebody sleeps */
};
/* false: this thread holds it already (a signal interrupted the holder) */
bool lock_take(struct lock *lock);
bool lock_try(struct lock *lock);
bool lock_is_mine(const struct lock *lock);      /* this thread holds it */
void lock_give(struct lock *lock);
void lock_reset(struct lock *lock);              /* in a forked child: free, whoever held it */
void os_pause(void);                             /* the processor may rest for a moment */
void os_yield(void);

/* -- helper threads, sleep and wake (thread.c) ------------------------------------------------- */

/* A detached thread of midden's own, with 256 KiB of stack, that no signal for the program reaches;
 * it is known as ours on return. May allocate: call it outside the heap. false: refused */
bool     os_thread_start(void (*run)(void *), void *arg);
/* Is it such a thread, and not shown? One that stops the world leaves it alone. */
bool     os_thread_is_ours(int tid);
/* This helper is about to do as the program does (run finalizers, allocate): from now on it is one
 * of the program's threads, and open to `signal` (0: to none) by which they are stopped. */
void     os_thread_show(int signal);
void     os_thread_hide(void);                   /* and back; both while nobody stops the world */
void     os_threads_forget(void);                /* in a forked child: they were not forked */
unsigned os_processors(void);                    /* this thread may run on; 1 or more */

/* Sleeps while *at is `seen`, at most so long (0: no limit); may return at any time. */
void     os_wait(const uint32_t *at, uint32_t seen, uint32_t ms);
void     os_wake(uint32_t *at, unsigned count);
uint64_t os_now_ns(void);                        /* monotonic */

/* Tasks of this machine wait for memory: a twentieth of the time, over two seconds. */
struct os_pressure {
    int      fd;                                 /* of a trigger; -1: the sums are read */
    uint64_t inode;                              /* of what it should be */
    uint64_t since_ms, stalled_us;               /* as last read */
};
bool os_pressure_open(struct os_pressure *pressure);       /* false: the kernel does not tell */
bool os_pressure_rises(struct os_pressure *pressure);      /* has it, since last asked? at once */
void os_pressure_close(struct os_pressure *pressure);

/* -- time, text, the end ----------------------------------------------------------------------- */

uint64_t    os_now_ms(void);                     /* monotonic, coarse */
/* of the same open file, above 99, closed by exec; -1: refused */
int         os_duplicate(int fd);
/* written; retries EINTR; gives up on any other error */
size_t      os_write(int fd, const char *bytes, size_t count);
/* bytes read, 0: no such file; at most room - 1, NUL behind */
size_t      os_read_file(const char *path, char *out, size_t room);
/* value or NULL; reads environ, never under AT_SECURE */
const char *os_environment(const char *name);
/* an existing file, read and write; NULL: refused */
void       *os_map_shared(const char *path, size_t bytes);
/* path of the executable; bytes written, NUL behind */
size_t      os_program(char *out, size_t room);
int         os_process_id(void);
int         os_thread_id(void);
unsigned    os_threads(void);                    /* of this process; 0: unknown */
_Noreturn void os_abort(void);  /* SIGABRT to this thread, default action if a handler returns */
_Noreturn void os_exit(int status);              /* at once, no handlers */

enum os_place { OS_UNMAPPED, OS_STACK, OS_FILE, OS_BRK, OS_ANONYMOUS };
struct os_region {
    enum os_place place;
    word          lo, hi;                        /* the mapping */
    bool          readable;
    char          name[128];                     /* of the file, cut where it is longer */
};
/* what lies there, from /proc/self/maps */
void os_region_of(word address, struct os_region *region);

#endif
