/* midden.h - everything: one include for the whole interface.
 *
 *     version.h   which midden
 *     heap.h      what is known of blocks: whose is this word, how many bytes, statistics, walks
 *     arena.h     blocks that go together
 *     gc.h        objects with handles, objects that are found unreachable, when to look
 *     leak.h      what nobody can reach any more
 *
 * Each of them may be included by itself. C99 and later, C++98 and later.
 *
 * Conventions of all of them
 *     sizes       bytes, unless the name ends in another unit (_ns, _blocks)
 *     errors      a function that returns int or long: -1 and errno. A function that returns
 *                 memory: NULL and errno, ENOMEM also where a size would wrap. errno is left alone
 *                 on success.
 *     structs     that may grow begin with `size`. The caller of a function that fills one sets it
 *                 to the sizeof it was compiled with; no more than that is written, so that an old
 *                 program and a new library agree. 0, or a size no release had, is EINVAL.
 *     threads     every function may be called from any thread, unless it says otherwise
 *     signals     none may be called from a signal handler, unless it says otherwise
 */
#ifndef MIDDEN_MIDDEN_H
#define MIDDEN_MIDDEN_H

#include <midden/version.h>
#include <midden/heap.h>
#include <midden/arena.h>
#include <midden/gc.h>
#include <midden/leak.h>

#endif
