/* text.h - text into a buffer, without malloc, stdio or locale.
 * Job         Build one line or one document in memory the caller owns. What does not fit is cut,
 *             and `cut` says so; `needed` counts what a large enough buffer would have taken, as
 *             snprintf does. Always NUL-terminated.
 * Locking     none: a text belongs to its caller. Async-signal-safe.
 */
#ifndef MIDDEN_BASE_TEXT_H
#define MIDDEN_BASE_TEXT_H

#include "base/base.h"

struct text {
    char  *base;
    size_t bytes;                                /* room in base, the NUL included */
    size_t length;                               /* bytes written so far */
    size_t needed;                               /* bytes wanted so far */
    bool   cut;
};

void text_init(struct text *text, char *base, size_t bytes);
void text_char(struct text *text, char c);
void text_string(struct text *text, const char *string);          /* NULL: "(null)" */
void text_span(struct text *text, const char *string, size_t bytes);
void text_plain(struct text *text, const char *string, size_t bytes);     /* control bytes as '?' */
void text_decimal(struct text *text, uint64_t value);
void text_hex(struct text *text, uint64_t value);                 /* with 0x */
void text_bytes(struct text *text, uint64_t bytes);               /* 1536 -> "1.5 KiB" */
void text_json(struct text *text, const char *string);            /* quoted and escaped */
/* %s %c %p %%, and %d %u %x with an l or a z before them where wanted; no flag, width, precision.
 * */
void text_format(struct text *text, const char *format, ...) PRINTF(2, 3);

bool   text_equal(const char *a, const char *b);
bool   text_contains(const char *string, const char *part);
bool   text_starts(const char *string, const char *prefix);
size_t text_length(const char *string);
/* Edit distance, for nearest-match advice. Beyond 32 bytes: the length of the longer one. */
unsigned text_distance(const char *a, const char *b);

#endif
