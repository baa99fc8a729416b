/* base.h - the words every room shares.
 * Job  Integer types, branch hints and attributes. Knows nothing of memory or of the system.
 */
#ifndef MIDDEN_BASE_BASE_H
#define MIDDEN_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t word;                          /* any machine word, perhaps a pointer */

#define LIKELY(cond)     __builtin_expect(!!(cond), 1)
#define UNLIKELY(cond)   __builtin_expect(!!(cond), 0)
#define INLINE           static inline __attribute__((always_inline))
#define COLD             __attribute__((cold, noinline))
#define NOINLINE         __attribute__((noinline))
#define EXPORT           __attribute__((visibility("default")))
/* For what the fast paths read: a mere declaration may be another library's, says the compiler, and
 * loads its address first. */
#define HIDDEN           __attribute__((visibility("hidden")))
#define ALIGNED(bytes)   __attribute__((aligned(bytes)))
#define PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define COUNT_OF(array)  (sizeof(array) / sizeof(array)[0])

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define GIB(n) ((size_t)(n) << 30)
#define TIB(n) ((size_t)(n) << 40)

#endif
