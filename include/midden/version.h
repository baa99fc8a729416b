/* version.h - which midden. The conventions of every entry are in midden.h. */
#ifndef MIDDEN_VERSION_H
#define MIDDEN_VERSION_H

/* Of the headers a program is compiled with. A program and a library agree while MAJOR is the
 * same; before 1.0.0, while MAJOR and MINOR are. */
#define MIDDEN_VERSION_MAJOR 0
#define MIDDEN_VERSION_MINOR 1
#define MIDDEN_VERSION_PATCH 0
#define MIDDEN_VERSION       "0.1.0"

/* For #if: MIDDEN_VERSION_NUMBER >= 102 is 0.1.2 and later. */
#define MIDDEN_VERSION_NUMBER \
    (MIDDEN_VERSION_MAJOR * 10000 + MIDDEN_VERSION_MINOR * 100 + MIDDEN_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library the program runs with, "0.1.0". Static, never freed. Async-signal-safe;
 * O(1). */
const char *midden_version(void);

#ifdef __cplusplus
}
#endif
#endif
