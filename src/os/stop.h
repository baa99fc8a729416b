/* stop.h - other threads of this process: who they are, how they are stopped, what lies in memory.
 * Job         What stopping the world asks of the system; who is to be stopped, and when, is the
 *             caller's business (gc/world.h).
 * Locking     one caller at a time stops threads; the rest is safe anywhere.
 */
#ifndef MIDDEN_OS_STOP_H
#define MIDDEN_OS_STOP_H

#include "os/os.h"

enum os_stop_state {
    STOP_ASKED,                                  /* the signal is on its way */
    STOP_BUSY,                                   /* it came at a bad moment: ask again */
    STOP_PARKED,
    STOP_GONE,                                   /* the thread has ended */
};

/* One thread's. Written by its handler, read by whoever stops it. */
struct os_stop {
    uint32_t state;
    uint32_t round;                              /* which stop this belongs to */
    int      thread;
    uint32_t asked;                              /* times */
    word     parked;                             /* where the handler's own stack begins */
    word     interrupted;  /* the same of what it interrupted, red zone included */
    word     block;                              /* os_thread_block */
};

/* One for the process; all threads that park wait on `round`. */
struct os_stopping {
    uint32_t round;                              /* changes when they may go on */
    uint32_t active;                             /* a stop is under way */
    uint32_t answers;                            /* a futex: one more for every answer */
    bool   (*may_park)(void);                    /* asked in the handler: is this a good moment? */
    const struct os_stop *first, *end;           /* all there are */
    int      signal;                             /* 0: none chosen yet */
};
extern struct os_stopping os_stopping;

/* A real-time signal nobody uses becomes ours, from the top down; or the one we had, if it still
 * leads to our handler. false: none is left. */
bool     os_stop_prepare(void);
bool     os_stop_ask(struct os_stop *stop);      /* sends it; false: no such thread */
/* Ended, or a zombie, which never will answer; or on a processor, or waiting for one. */
enum os_thread_state { THREAD_ENDED, THREAD_RUNS, THREAD_SLEEPS };
enum os_thread_state os_thread_state(int thread);
/* Of this process; 0: they cannot be listed, or not all of them. */
unsigned os_thread_list(int *threads, unsigned room);

/* Calls `run` with the registers a call preserves written out, and the address they begin at: from
 * there upwards lies all this thread holds. */
void     os_spill(void (*run)(word lowest, void *arg), void *arg);

struct os_range {
    word lo, hi;
    bool writable, private, stack;
    bool guarded;                                /* right below is a mapping nobody may read */
    bool backed;                                 /* by a file */
};
/* The calling thread's control block; and whether one still stands there. The C library keeps
 * stacks of threads that ended, control block and all, for the next ones. */
word   os_thread_block(void);
bool   os_is_thread_block(word at);

/* Every readable mapping of the process, in order of address; false: not all were seen. */
bool   os_ranges(void (*visit)(const struct os_range *range, void *arg), void *arg);
/* Reads memory that may not be there; bytes read from the start. */
size_t os_peek(void *out, word at, size_t bytes);

#endif
