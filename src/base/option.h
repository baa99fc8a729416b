/* option.h - what can be chosen, and how a choice is read from text.
 * Job         option.def as a struct with its defaults; the reader of a list of options and of the
 *             configuration file; complaints with advice; the listing. Pure: it touches nothing but
 *             what the caller hands in.
 * Grammar     list   items separated by commas or newlines, each KEY=VALUE; blanks around both are
 *                    dropped; VALUE may stand between double quotes, where commas are its own.
 *                    A later item overrules an earlier one.
 *             file   lines of such lists; `#` at the start of a line or after a blank begins a
 *                    comment. A line [exe=PROGRAM] begins a section for that program only. PROGRAM
 *                    is a path if it has a slash, else the last part of one; `*` is any text.
 *             SIZE   bytes, or with one of k M G T (powers of 1024)    TIME   500ms 10s 1m 2h, or 0
 *             BOOL   on off, yes no, true false, 1 0    TEXT   127 bytes at most
 * Locking     none: a struct options belongs to its caller. Async-signal-safe.
 */
#ifndef MIDDEN_BASE_OPTION_H
#define MIDDEN_BASE_OPTION_H

#include "base/text.h"

enum option_key {
#define OPTION_CHOICE(name, initial, choices, text)   KEY_##name,
#define OPTION_BOOL(name, initial, text)              KEY_##name,
#define OPTION_SIZE(name, initial, min, max, text)    KEY_##name,
#define OPTION_TIME(name, initial, min, max, text)    KEY_##name,
#define OPTION_COUNT(name, initial, min, max, text)   KEY_##name,
#define OPTION_TEXT(name, initial, takes, text)       KEY_##name,
#include "base/option.def"
    KEY_COUNT
};

enum option_slot {                               /* places in options.text */
#define OPTION_TEXT(name, initial, takes, text)       SLOT_##name,
#include "base/option.def"
    SLOT_COUNT
};

/* The choices, in the order of option.def; a unit test compares the two. */
enum { MODE_FAST };
enum { CORRUPTION_ABORT, CORRUPTION_REPORT, CORRUPTION_IGNORE };
enum { STATS_OFF, STATS_EXIT };
enum { PURGE_AUTO, PURGE_NOW, PURGE_NEVER };
enum { HUGE_AUTO, HUGE_NEVER };
enum { MINOR_AUTO, MINOR_NEVER };
enum { REALLOC_ZERO_FREE, REALLOC_ZERO_ALLOC };

enum { OPTION_TEXT_BYTES = 128 };                /* of a text, its NUL included */

/* Every value is one integer: index of a choice, 0 or 1, bytes, milliseconds, a number, the length
 * of a text. It is read by name, options->limit, and walked by index. Texts lie beside them, zeros
 * behind: options->text[SLOT_collect]. */
struct options {
    union {
        struct {
#define OPTION_CHOICE(name, initial, choices, text)   uint64_t name;
#define OPTION_BOOL(name, initial, text)              uint64_t name;
#define OPTION_SIZE(name, initial, min, max, text)    uint64_t name;
#define OPTION_TIME(name, initial, min, max, text)    uint64_t name;
#define OPTION_COUNT(name, initial, min, max, text)   uint64_t name;
#define OPTION_TEXT(name, initial, takes, text)       uint64_t name;
#include "base/option.def"
        };
        uint64_t value[KEY_COUNT];
    };
    const char *origin[KEY_COUNT];               /* who set it, as handed in; NULL: the default */
    char        text[SLOT_COUNT][OPTION_TEXT_BYTES];
};

/* -- the table --------------------------------------------------------------------------------- */

enum option_type {
    OPTION_TYPE_CHOICE, OPTION_TYPE_BOOL, OPTION_TYPE_SIZE, OPTION_TYPE_TIME, OPTION_TYPE_COUNT,
    OPTION_TYPE_TEXT
};

struct option_row {
    const char      *name;
    const char      *text;                       /* what it does, one line */
    const char      *choices;                    /* "this|that"; NULL unless a choice */
    enum option_type type;
    uint64_t         initial, min, max;          /* min and max count; of a choice 0 and the last;
                                                    of a text lengths */
    const char      *initial_text, *takes;       /* NULL unless a text */
    unsigned         slot;                       /* of a text */
};
extern const struct option_row option_table[KEY_COUNT];
extern const struct options    option_initial;   /* every option at its default */

/* -- reading ----------------------------------------------------------------------------------- */

struct piece {                                   /* a part of a longer text, not NUL-terminated */
    const char *at;
    size_t      bytes;
};

enum option_trouble {
    OPTION_FINE,
    OPTION_UNKNOWN,                              /* no such key */
    OPTION_NO_VALUE,                             /* an item without `=` */
    OPTION_BAD_VALUE,                            /* not what the option takes */
    OPTION_OUT_OF_RANGE,
    OPTION_BAD_SECTION,                          /* a line begins with `[`, but is no section */
};

struct option_complaint {
    enum option_trouble      trouble;
    struct piece             key, value;         /* as written; of a bad section: the line, none */
    const struct option_row *row;                /* NULL: no such key */
    struct piece             nearest;            /* key or choice perhaps meant; no bytes: none */
    const char              *takes;              /* what would do; NULL: what the row says */
    const char              *origin;
    unsigned                 line;               /* of a file, from 1; 0: no file */
};

struct option_source {
    const char *origin;                          /* "MIDDEN_OPTIONS"; static: it is kept */
    void      (*complain)(const struct option_complaint *, void *arg);   /* NULL: silent */
    void       *arg;
    /* Asked of each text that is not too long: does it mean anything? complaint->value is the text;
     * if not, the answer may narrow it, and add what is nearest or what would do. NULL: it does. */
    enum option_trouble (*judge)(struct option_complaint *complaint);
};

void option_defaults(struct options *options);

/* Both return how many complaints there were. What is complained of changes nothing. */
unsigned option_parse(struct options *options, const char *text,
                      const struct option_source *source);
unsigned option_parse_file(struct options *options, const char *text, const char *program_path,
                           const struct option_source *source);

/* One value by itself: *out is set only if the answer is OPTION_FINE. */
enum option_trouble option_read(const struct option_row *row, struct piece value, uint64_t *out);
/* Which of "this|that|..." was perhaps meant? No bytes: none of them. */
struct piece option_nearest(const char *choices, struct piece wrong);

/* -- telling ----------------------------------------------------------------------------------- */

/* In turn: "16M" (of a text: its default); "abort, report or ignore"; one sentence; "limit=16M from
 * MIDDEN_OPTIONS". */
void option_value_text(struct text *text, const struct option_row *row, uint64_t value);
void option_takes_text(struct text *text, const struct option_row *row);
void option_complaint_text(struct text *text, const struct option_complaint *complaint);
void option_describe(struct text *text, const struct options *options, enum option_key key);

#endif
