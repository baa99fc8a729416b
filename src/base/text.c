/* text.c - text into a buffer, without malloc, stdio or locale.
 * Job         text.h. Every byte passes through text_char, the one place that decides what fits.
 * Invariants  T1  base[length] is NUL whenever bytes > 0
 *             T2  length < bytes whenever bytes > 0; length is 0 where bytes is 0
 *             T3  needed - length bytes were cut; `cut` is set iff that is more than none
 * Locking     none.
 */
#include "base/text.h"

#include <stdarg.h>

enum { DISTANCE_BYTES = 32 };                    /* longest word text_distance compares */

/* -- bytes ------------------------------------------------------------------------------------- */

void text_init(struct text *text, char *base, size_t bytes)
{
    *text = (struct text){ .base = base, .bytes = bytes };
    if (bytes > 0)
        base[0] = '\0';
}

void text_char(struct text *text, char c)
{
    text->needed++;
    if (text->length + 1 >= text->bytes) {
        text->cut = true;
        return;
    }
    text->base[text->length++] = c;
    text->base[text->length] = '\0';
}

void text_span(struct text *text, const char *string, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        text_char(text, string[i]);
}

void text_string(struct text *text, const char *string)
{
    if (string == NULL)
        string = "(null)";
    for (; *string != '\0'; string++)
        text_char(text, *string);
}

void text_plain(struct text *text, const char *string, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        unsigned char c = (unsigned char)string[i];
        text_char(text, c < 0x20 || c == 0x7f ? '?' : string[i]);
    }
}

/* -- numbers ----------------------------------------------------------------------------------- */

static void number(struct text *text, uint64_t value, unsigned radix)
{
    char digits[20];                             /* 2^64 has twenty decimal digits */
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % radix];
        value /= radix;
    } while (value != 0);
    while (count > 0)
        text_char(text, digits[--count]);
}

static void signed_decimal(struct text *text, int64_t value)
{
    if (value < 0)
        text_char(text, '-');
    number(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void text_decimal(struct text *text, uint64_t value)
{
    number(text, value, 10);
}

void text_hex(struct text *text, uint64_t value)
{
    text_string(text, "0x");
    number(text, value, 16);
}

/* Tenths are rounded to nearest. What rounds to 1024.0 of a unit is told as 1.0 of the next, so
 * that no figure has more than four digits before its point. */
void text_bytes(struct text *text, uint64_t bytes)
{
    static const char unit[][4] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    unsigned step = 0;
    uint64_t tenths = 0;
    while (step + 1 < COUNT_OF(unit) && (step == 0 ? bytes >= 1024 : tenths >= 10240)) {
        step++;
        uint64_t one = (uint64_t)1 << (10 * step);
        tenths = bytes / one * 10 + (bytes % one * 10 + one / 2) / one;
    }
    number(text, step == 0 ? bytes : tenths / 10, 10);
    if (step > 0) {
        text_char(text, '.');
        text_char(text, (char)('0' + tenths % 10));
    }
    text_char(text, ' ');
    text_string(text, unit[step]);
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at `at`, 0: none that JSON may hold (stray, overlong, surrogate,
 * beyond U+10FFFF). A NUL is no continuation byte: nothing behind the end of the string is read. */
static size_t utf8_bytes(const unsigned char *at)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t bytes = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    unsigned char lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < lowest || at[1] > highest)
        return 0;
    for (size_t i = 2; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return bytes;
}

static void json_escape(struct text *text, unsigned char c)
{
    text_string(text, "\\u00");
    text_char(text, "0123456789abcdef"[c >> 4]);
    text_char(text, "0123456789abcdef"[c & 15]);
}

void text_json(struct text *text, const char *string)
{
    if (string == NULL) {
        text_string(text, "null");
        return;
    }
    text_char(text, '"');
    while (*string != '\0') {
        size_t bytes = utf8_bytes((const unsigned char *)string);
        if (bytes == 0)
            text_string(text, "\\ufffd");
        else if (*string == '"' || *string == '\\') {
            text_char(text, '\\');
            text_char(text, *string);
        } else if ((unsigned char)*string < 0x20 || *string == 0x7f)
            json_escape(text, (unsigned char)*string);
        else
            text_span(text, string, bytes);
        string += bytes > 0 ? bytes : 1;
    }
    text_char(text, '"');
}

/* -- format ------------------------------------------------------------------------------------ */

enum width { WIDTH_INT, WIDTH_LONG, WIDTH_SIZE };

static uint64_t unsigned_argument(va_list *list, enum width width)
{
    if (width == WIDTH_INT)
        return va_arg(*list, unsigned);
    return width == WIDTH_LONG ? va_arg(*list, unsigned long) : va_arg(*list, size_t);
}

static int64_t signed_argument(va_list *list, enum width width)
{
    if (width == WIDTH_INT)
        return va_arg(*list, int);
    return width == WIDTH_LONG ? va_arg(*list, long) : va_arg(*list, ptrdiff_t);
}

static void format_one(struct text *text, char conversion, enum width width, va_list *list)
{
    switch (conversion) {
    case 's': text_string(text, va_arg(*list, const char *)); break;
    case 'c': text_char(text, (char)va_arg(*list, int)); break;
    case 'd': signed_decimal(text, signed_argument(list, width)); break;
    case 'u': number(text, unsigned_argument(list, width), 10); break;
    case 'x': number(text, unsigned_argument(list, width), 16); break;
    case 'p': text_hex(text, (word)va_arg(*list, void *)); break;
    case '%': text_char(text, '%'); break;
    default:                                     /* shown as it stands */
        text_char(text, '%');
        text_char(text, conversion);
    }
}

void text_format(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (; *format != '\0'; format++) {
        enum width width = WIDTH_INT;
        if (*format != '%') {
            text_char(text, *format);
            continue;
        }
        format++;
        if (*format == 'l' || *format == 'z')
            width = *format++ == 'l' ? WIDTH_LONG : WIDTH_SIZE;
        if (*format == '\0')
            break;
        format_one(text, *format, width, &list);
    }
    va_end(list);
}

/* -- comparing --------------------------------------------------------------------------------- */

bool text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool text_starts(const char *string, const char *prefix)
{
    while (*prefix != '\0' && *string == *prefix) {
        string++;
        prefix++;
    }
    return *prefix == '\0';
}

bool text_contains(const char *string, const char *part)
{
    for (; *string != '\0'; string++)
        if (text_starts(string, part))
            return true;
    return *part == '\0';
}

size_t text_length(const char *string)
{
    size_t length = 0;
    while (string[length] != '\0')
        length++;
    return length;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned low = a < b ? a : b;
    return low < c ? low : c;
}

/* Levenshtein's distance by Wagner and Fischer's table (1974), of which one row is kept: row[j] is
 * the distance of the first i bytes of a from the first j bytes of b. */
unsigned text_distance(const char *a, const char *b)
{
    size_t a_bytes = text_length(a), b_bytes = text_length(b);
    uint8_t row[DISTANCE_BYTES + 1];
    if (a_bytes > DISTANCE_BYTES || b_bytes > DISTANCE_BYTES)
        return (unsigned)(a_bytes > b_bytes ? a_bytes : b_bytes);
    for (size_t j = 0; j <= b_bytes; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; i <= a_bytes; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b_bytes; j++) {
            uint8_t above = row[j];
            row[j] = (uint8_t)least(above + 1u, row[j - 1] + 1u, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_bytes];
}
