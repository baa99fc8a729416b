/* check.h - our own mistakes, checked in debug builds.
 * Job  ASSERT guards what midden itself may get wrong; what a program may get wrong is a fault
 *      (fault.def), told by the front. VALIDATE runs the O(n) validators where --enable-validate
 *      asks for them.
 */
#ifndef MIDDEN_BASE_CHECK_H
#define MIDDEN_BASE_CHECK_H

#include "base/base.h"

_Noreturn COLD void assert_failed(const char *file, int line, const char *what);     /* in os/ */

#ifdef MIDDEN_DEBUG
#define ASSERT(cond) (LIKELY(cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))
#define DEBUG_BUILD 1
#else
#define ASSERT(cond) ((void)sizeof(!(cond)))
#define DEBUG_BUILD 0
#endif

#ifdef __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif

#ifdef __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

#ifdef MIDDEN_VALIDATE
#define VALIDATE(call) ((void)(call))
#define VALIDATE_BUILD 1
#else
#define VALIDATE(call) ((void)0)
#define VALIDATE_BUILD 0
#endif

#endif
