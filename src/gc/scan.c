/* scan.c - the version of any processor, and the choice. The others are in scan_x86.c. */
#include "gc/scan.h"

/* Each word is written; only one that counts moves the place the next one goes to. */
SCAN_ANYTHING
static size_t scan_plain(const word *at, size_t words, word base, word reach, word *out)
{
    size_t found = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < words; i++) {
        out[found] = at[i];
        found += at[i] - base < reach;
    }
    return found;
}

scan_filter *scan_filter_now = scan_plain;

size_t scan_versions(struct scan_version out[SCAN_VERSIONS])
{
    out[0] = (struct scan_version){ "plain", scan_plain };
    return 1 + scan_versions_x86(out + 1);
}

void scan_choose(void)
{
    struct scan_version versions[SCAN_VERSIONS];
    size_t count = scan_versions(versions);
    scan_filter_now = versions[count - 1].filter;
}
