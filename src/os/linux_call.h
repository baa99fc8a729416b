/* linux_call.h - one system call, without libc.
 * Job  `call(number, ...)` returns what the kernel returns: a negative errno on failure. errno
 *      stays untouched, and no library that wraps mmap or open (and may allocate inside) is
 *      entered.
 */
#ifndef MIDDEN_OS_LINUX_CALL_H
#define MIDDEN_OS_LINUX_CALL_H

#include "base/base.h"
#include <sys/syscall.h>

#if defined(__x86_64__)

INLINE long call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

INLINE long call6(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error "midden knows the system calls of x86-64 and aarch64 only"
#endif

#define call0(n)             call6((n), 0, 0, 0, 0, 0, 0)
#define call1(n, a)          call6((n), (long)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b)       call6((n), (long)(a), (long)(b), 0, 0, 0, 0)
#define call3(n, a, b, c)    call6((n), (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call4(n, a, b, c, d) call6((n), (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define call5(n, a, b, c, d, e) call6((n), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

INLINE bool call_failed(long result)
{
    return (unsigned long)result > -4096ul;
}

#endif
