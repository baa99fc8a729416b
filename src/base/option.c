/* option.c - reading options from text, and telling them.
 * Job         option.h. A piece points into what the caller handed in; what is copied is the value
 *             of an option that is a text.
 * Locking     none.
 */
#include "base/option.h"

#define CHOICES_OF_BOOL "off|on|no|yes|false|true|0|1"    /* at odd places: on */

enum {
    NEAREST_EDITS = 3,                           /* further apart, advice misleads */
    SHOWN_BYTES = 60,                            /* of a key or value in a complaint */
};

const struct option_row option_table[KEY_COUNT] = {
#define OPTION_CHOICE(name, initial, choices, text) \
    { #name, text, choices, OPTION_TYPE_CHOICE, initial, 0, 0, NULL, NULL, 0 },
#define OPTION_BOOL(name, initial, text) \
    { #name, text, NULL, OPTION_TYPE_BOOL, initial, 0, 1, NULL, NULL, 0 },
#define OPTION_SIZE(name, initial, min, max, text) \
    { #name, text, NULL, OPTION_TYPE_SIZE, initial, min, max, NULL, NULL, 0 },
#define OPTION_TIME(name, initial, min, max, text) \
    { #name, text, NULL, OPTION_TYPE_TIME, initial, min, max, NULL, NULL, 0 },
#define OPTION_COUNT(name, initial, min, max, text) \
    { #name, text, NULL, OPTION_TYPE_COUNT, initial, min, max, NULL, NULL, 0 },
#define OPTION_TEXT(name, initial, takes, text) \
    { #name, text, NULL, OPTION_TYPE_TEXT, sizeof initial - 1, 0, OPTION_TEXT_BYTES - 1, initial, \
      takes, SLOT_##name },
#include "base/option.def"
};

const struct options option_initial = {
    .value = {
#define OPTION_CHOICE(name, initial, choices, text)   initial,
#define OPTION_BOOL(name, initial, text)              initial,
#define OPTION_SIZE(name, initial, min, max, text)    initial,
#define OPTION_TIME(name, initial, min, max, text)    initial,
#define OPTION_COUNT(name, initial, min, max, text)   initial,
#define OPTION_TEXT(name, initial, takes, text)       sizeof initial - 1,
#include "base/option.def"
    },
    .text = {
#define OPTION_TEXT(name, initial, takes, text)       initial,
#include "base/option.def"
    },
};

struct unit {
    char     name[3];
    uint64_t factor;
};

/* Ascending; of two names for one factor the last is the one that is printed. */
static const struct unit size_units[] = {
    { "", 1 }, { "K", KIB(1) }, { "k", KIB(1) }, { "m", MIB(1) }, { "M", MIB(1) },
    { "g", GIB(1) }, { "G", GIB(1) }, { "t", TIB(1) }, { "T", TIB(1) },
};
static const struct unit time_units[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 },
};
static const struct unit count_units[] = { { "", 1 } };

struct units {
    const struct unit *unit;
    size_t             count;
};

struct reader {                                  /* one text being read */
    struct options             *options;
    const struct option_source *source;
    unsigned                    line;            /* 0: not a file */
    unsigned                    complaints;
};

/* -- pieces ------------------------------------------------------------------------------------ */

static struct piece piece_of(const char *string)
{
    return (struct piece){ string, text_length(string) };
}

static struct piece piece_head(struct piece piece, size_t bytes)
{
    return (struct piece){ piece.at, bytes };
}

static struct piece piece_tail(struct piece piece, size_t from)
{
    if (from > piece.bytes)
        from = piece.bytes;
    return (struct piece){ piece.at + from, piece.bytes - from };
}

static size_t piece_find(struct piece piece, char c)       /* piece.bytes: not there */
{
    size_t i = 0;
    while (i < piece.bytes && piece.at[i] != c)
        i++;
    return i;
}

static bool piece_is(struct piece piece, const char *string)
{
    size_t i = 0;
    while (i < piece.bytes && string[i] == piece.at[i] && string[i] != '\0')
        i++;
    return i == piece.bytes && string[i] == '\0';
}

static bool piece_same(struct piece a, struct piece b)
{
    size_t i = 0;
    while (i < a.bytes && i < b.bytes && a.at[i] == b.at[i])
        i++;
    return i == a.bytes && i == b.bytes;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct piece trimmed(struct piece piece)
{
    while (piece.bytes > 0 && is_blank(piece.at[0]))
        piece = piece_tail(piece, 1);
    while (piece.bytes > 0 && is_blank(piece.at[piece.bytes - 1]))
        piece.bytes--;
    return piece;
}

static struct piece unquoted(struct piece piece)
{
    if (piece.bytes >= 2 && piece.at[0] == '"' && piece.at[piece.bytes - 1] == '"')
        return (struct piece){ piece.at + 1, piece.bytes - 2 };
    return piece;
}

static struct piece piece_cut(struct piece *rest, char separator)    /* the first part, off rest */
{
    size_t bytes = piece_find(*rest, separator);
    struct piece first = piece_head(*rest, bytes);
    *rest = piece_tail(*rest, bytes + 1);
    return first;
}

/* -- one value --------------------------------------------------------------------------------- */

static bool choice_find(const char *choices, struct piece value, uint64_t *index)
{
    struct piece rest = piece_of(choices);
    for (*index = 0; rest.bytes > 0; (*index)++)
        if (piece_same(piece_cut(&rest, '|'), value))
            return true;
    return false;
}

static struct units units_of(enum option_type type)
{
    switch (type) {
    case OPTION_TYPE_SIZE: return (struct units){ size_units, COUNT_OF(size_units) };
    case OPTION_TYPE_TIME: return (struct units){ time_units, COUNT_OF(time_units) };
    default:               return (struct units){ count_units, COUNT_OF(count_units) };
    }
}

static const struct unit *unit_find(struct units units, struct piece name)
{
    for (size_t i = 0; i < units.count; i++)
        if (piece_is(name, units.unit[i].name))
            return &units.unit[i];
    return NULL;
}

static enum option_trouble number_read(const struct option_row *row, struct piece value,
                                       uint64_t *out)
{
    uint64_t number = 0;
    size_t digits = 0;
    bool wraps = false;
    for (; digits < value.bytes && value.at[digits] >= '0' && value.at[digits] <= '9'; digits++) {
        wraps |= __builtin_mul_overflow(number, 10, &number);
        wraps |= __builtin_add_overflow(number, (uint64_t)(value.at[digits] - '0'), &number);
    }
    struct piece suffix = piece_tail(value, digits);
    const struct unit *unit = unit_find(units_of(row->type), suffix);
    uint64_t factor = unit != NULL ? unit->factor : 1;
    bool zero = number == 0 && suffix.bytes == 0 && !wraps;
    if (digits == 0 || (unit == NULL && !zero))
        return OPTION_BAD_VALUE;
    wraps |= __builtin_mul_overflow(number, factor, &number);
    if (wraps || number < row->min || number > row->max)
        return OPTION_OUT_OF_RANGE;
    *out = number;
    return OPTION_FINE;
}

static enum option_trouble text_read(const struct option_row *row, struct piece value,
                                     uint64_t *out)
{
    if (value.bytes > row->max)
        return OPTION_OUT_OF_RANGE;
    *out = value.bytes;
    return OPTION_FINE;
}

enum option_trouble option_read(const struct option_row *row, struct piece value, uint64_t *out)
{
    if (row->type == OPTION_TYPE_TEXT)
        return text_read(row, value, out);
    bool is_choice = row->type == OPTION_TYPE_CHOICE;
    uint64_t index;
    if (!is_choice && row->type != OPTION_TYPE_BOOL)
        return number_read(row, value, out);
    if (!choice_find(is_choice ? row->choices : CHOICES_OF_BOOL, value, &index))
        return OPTION_BAD_VALUE;
    *out = is_choice ? index : index % 2;
    return OPTION_FINE;
}

/* -- advice ------------------------------------------------------------------------------------ */

static void terminated(char *out, size_t room, struct piece piece)
{
    struct text text;
    text_init(&text, out, room);
    text_span(&text, piece.at, piece.bytes);
}

/* A name of n letters may be n/2 edits away, at most NEAREST_EDITS: "mdoe" is mode, "x" nothing. */
static void consider(struct piece candidate, struct piece wrong, struct piece *nearest,
                     unsigned *edits)
{
    char a[34], b[34];                           /* one more than text_distance compares */
    terminated(a, sizeof a, candidate);
    terminated(b, sizeof b, wrong);
    unsigned distance = text_distance(a, b);
    if (distance < *edits && distance <= candidate.bytes / 2) {
        *edits = distance;
        *nearest = candidate;
    }
}

static struct piece nearest_key(struct piece wrong)
{
    struct piece nearest = { NULL, 0 };
    unsigned edits = NEAREST_EDITS + 1;
    for (size_t i = 0; i < KEY_COUNT; i++)
        consider(piece_of(option_table[i].name), wrong, &nearest, &edits);
    return nearest;
}

struct piece option_nearest(const char *choices, struct piece wrong)
{
    struct piece nearest = { NULL, 0 };
    unsigned edits = NEAREST_EDITS + 1;
    struct piece rest = piece_of(choices);
    while (rest.bytes > 0)
        consider(piece_cut(&rest, '|'), wrong, &nearest, &edits);
    return nearest;
}

/* -- lists ------------------------------------------------------------------------------------- */

static const struct option_row *row_find(struct piece key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (piece_is(key, option_table[i].name))
            return &option_table[i];
    return NULL;
}

static void complain(struct reader *reader, struct option_complaint complaint)
{
    complaint.origin = reader->source->origin;
    complaint.line = reader->line;
    reader->complaints++;
    if (reader->source->complain != NULL)
        reader->source->complain(&complaint, reader->source->arg);
}

/* What the table can say of a value, then what only who reads it can. */
static void value_judge(struct reader *reader, struct option_complaint *complaint, uint64_t *number)
{
    const struct option_row *row = complaint->row;
    complaint->trouble = option_read(row, complaint->value, number);
    if (row->choices != NULL)
        complaint->nearest = option_nearest(row->choices, complaint->value);
    if (complaint->trouble == OPTION_FINE && row->type == OPTION_TYPE_TEXT &&
        reader->source->judge != NULL)
        complaint->trouble = reader->source->judge(complaint);
}

static void value_keep(struct reader *reader, const struct option_row *row, struct piece value,
                       uint64_t number)
{
    size_t key = (size_t)(row - option_table);
    reader->options->value[key] = number;
    reader->options->origin[key] = reader->source->origin;
    if (row->type == OPTION_TYPE_TEXT) {
        char *text = reader->options->text[row->slot];
        __builtin_memset(text, 0, OPTION_TEXT_BYTES);
        __builtin_memcpy(text, value.at, value.bytes);
    }
}

static void item_read(struct reader *reader, struct piece item)
{
    size_t equals = piece_find(item, '=');
    struct piece key = trimmed(piece_head(item, equals));
    struct piece value = unquoted(trimmed(piece_tail(item, equals + 1)));
    const struct option_row *row = row_find(key);
    struct option_complaint complaint = { .key = key, .value = value, .row = row };
    uint64_t number;
    if (row == NULL) {
        complaint.trouble = OPTION_UNKNOWN;
        complaint.nearest = nearest_key(key);
    } else if (equals == item.bytes) {
        complaint.trouble = OPTION_NO_VALUE;
    } else {
        value_judge(reader, &complaint, &number);
    }
    if (complaint.trouble != OPTION_FINE)
        complain(reader, complaint);
    else
        value_keep(reader, row, value, number);
}

/* The first item of rest: up to a comma outside quotes, or a newline: it ends a quote left open. */
static struct piece item_cut(struct piece *rest)
{
    size_t i = 0;
    for (bool quoted = false; i < rest->bytes && rest->at[i] != '\n'; i++) {
        if (rest->at[i] == '"')
            quoted = !quoted;
        if (rest->at[i] == ',' && !quoted)
            break;
    }
    struct piece first = piece_head(*rest, i);
    *rest = piece_tail(*rest, i + 1);
    return first;
}

static void list_read(struct reader *reader, struct piece rest)
{
    while (rest.bytes > 0) {
        struct piece item = trimmed(item_cut(&rest));
        if (item.bytes > 0)
            item_read(reader, item);
    }
}

void option_defaults(struct options *options)
{
    *options = option_initial;
}

unsigned option_parse(struct options *options, const char *text, const struct option_source *source)
{
    struct reader reader = { .options = options, .source = source };
    list_read(&reader, piece_of(text));
    return reader.complaints;
}

/* -- files ------------------------------------------------------------------------------------- */

static struct piece uncommented(struct piece line)
{
    bool quoted = false;
    for (size_t i = 0; i < line.bytes; i++) {
        if (line.at[i] == '"')
            quoted = !quoted;
        if (line.at[i] == '#' && !quoted && (i == 0 || is_blank(line.at[i - 1])))
            return piece_head(line, i);
    }
    return line;
}

/* Each `*` first takes nothing; at a mismatch the last one takes one byte more. An earlier one need
 * never be tried again: what it left to the last could only start later. */
static bool pattern_matches(struct piece pattern, struct piece name)
{
    size_t p = 0, n = 0, star = pattern.bytes, from = 0;
    while (n < name.bytes) {
        if (p < pattern.bytes && pattern.at[p] == '*') {
            star = p++;
            from = n;
        } else if (p < pattern.bytes && pattern.at[p] == name.at[n]) {
            p++;
            n++;
        } else if (star < pattern.bytes) {
            p = star + 1;
            n = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.bytes && pattern.at[p] == '*')
        p++;
    return p == pattern.bytes;
}

static bool program_matches(struct piece pattern, const char *program_path)
{
    struct piece name = piece_of(program_path);
    bool path = piece_find(pattern, '/') < pattern.bytes;
    for (size_t slash; !path && (slash = piece_find(name, '/')) < name.bytes;)
        name = piece_tail(name, slash + 1);
    return pattern_matches(pattern, name);
}

/* False, and a complaint, if the line is no section; what follows it then applies to nobody. */
static bool section_read(struct reader *reader, struct piece line, const char *program_path)
{
    struct piece inner = piece_head(piece_tail(line, 1), line.bytes - 1);
    if (line.at[line.bytes - 1] == ']')
        inner.bytes--;
    struct piece rest = inner;
    struct piece key = trimmed(piece_cut(&rest, '='));
    struct piece program = unquoted(trimmed(rest));
    if (line.at[line.bytes - 1] != ']' || !piece_is(key, "exe") || program.bytes == 0) {
        complain(reader, (struct option_complaint){ .trouble = OPTION_BAD_SECTION, .key = line });
        return false;
    }
    return program_matches(program, program_path);
}

unsigned option_parse_file(struct options *options, const char *text, const char *program_path,
                           const struct option_source *source)
{
    struct reader reader = { .options = options, .source = source };
    struct piece rest = piece_of(text);
    bool applies = true;
    while (rest.bytes > 0) {
        reader.line++;
        struct piece line = trimmed(uncommented(piece_cut(&rest, '\n')));
        if (line.bytes > 0 && line.at[0] == '[')
            applies = section_read(&reader, line, program_path);
        else if (applies)
            list_read(&reader, line);
    }
    return reader.complaints;
}

/* -- telling ----------------------------------------------------------------------------------- */

static void choice_text(struct text *text, const char *choices, uint64_t index)
{
    struct piece rest = piece_of(choices), choice = { NULL, 0 };
    for (uint64_t i = 0; i <= index && rest.bytes > 0; i++)
        choice = piece_cut(&rest, '|');
    text_span(text, choice.at, choice.bytes);
}

static void number_text(struct text *text, struct units units, uint64_t value)
{
    size_t i = units.count - 1;
    while (i > 0 && (value == 0 || value % units.unit[i].factor != 0))
        i--;
    text_decimal(text, value / units.unit[i].factor);
    if (value != 0)
        text_string(text, units.unit[i].name);
}

void option_value_text(struct text *text, const struct option_row *row, uint64_t value)
{
    if (row->type == OPTION_TYPE_TEXT)
        text_string(text, row->initial_text);
    else if (row->type == OPTION_TYPE_CHOICE || row->type == OPTION_TYPE_BOOL)
        choice_text(text, row->choices != NULL ? row->choices : CHOICES_OF_BOOL, value);
    else
        number_text(text, units_of(row->type), value);
}

static void choices_text(struct text *text, struct piece rest)
{
    bool first = true;
    while (rest.bytes > 0) {
        struct piece choice = piece_cut(&rest, '|');
        if (!first)
            text_string(text, rest.bytes > 0 ? ", " : " or ");
        text_span(text, choice.at, choice.bytes);
        first = false;
    }
}

void option_takes_text(struct text *text, const struct option_row *row)
{
    static const char *const what[] = {
        [OPTION_TYPE_SIZE] = "a size, such as 64k, 16M or 2G",
        [OPTION_TYPE_TIME] = "a time, such as 500ms, 10s or 1m",
        [OPTION_TYPE_COUNT] = "a number",
    };
    if (row->type == OPTION_TYPE_CHOICE || row->type == OPTION_TYPE_BOOL) {
        choices_text(text, piece_of(row->choices != NULL ? row->choices : "on|off"));
        return;
    }
    if (row->type == OPTION_TYPE_TEXT) {
        text_string(text, row->takes);
        return;
    }
    text_string(text, what[row->type]);
    text_string(text, ", from ");
    option_value_text(text, row, row->min);
    text_string(text, " to ");
    option_value_text(text, row, row->max);
}

static void quoted_text(struct text *text, struct piece piece)
{
    size_t shown = piece.bytes <= SHOWN_BYTES ? piece.bytes : SHOWN_BYTES;
    text_char(text, '`');
    text_plain(text, piece.at, shown);
    text_string(text, shown < piece.bytes ? "...`" : "`");
}

static void trouble_text(struct text *text, const struct option_complaint *complaint)
{
    static const char *const what[] = {
        [OPTION_FINE] = "",
        [OPTION_UNKNOWN] = "unknown option ",
        [OPTION_NO_VALUE] = "no value for option ",
        [OPTION_BAD_VALUE] = "bad value ",
        [OPTION_OUT_OF_RANGE] = "out of range: value ",
        [OPTION_BAD_SECTION] = "not a section: ",
    };
    text_string(text, what[complaint->trouble]);
    if (complaint->trouble == OPTION_BAD_VALUE || complaint->trouble == OPTION_OUT_OF_RANGE) {
        quoted_text(text, complaint->value);
        text_string(text, " of option ");
    }
    quoted_text(text, complaint->key);
    text_string(text, " in ");
    text_string(text, complaint->origin);
    if (complaint->line > 0) {
        text_string(text, ", line ");
        text_decimal(text, complaint->line);
    }
}

static void advice_text(struct text *text, const struct option_complaint *complaint)
{
    if (complaint->nearest.bytes > 0) {
        text_string(text, "; did you mean ");
        quoted_text(text, complaint->nearest);
        text_char(text, '?');
    } else if (complaint->trouble == OPTION_BAD_SECTION) {
        text_string(text, "; write [exe=PROGRAM] or [exe=/PATH/TO/PROGRAM]; * is any text");
    } else if (complaint->takes != NULL) {
        text_format(text, "; it takes %s", complaint->takes);
    } else if (complaint->row != NULL) {
        text_string(text, "; it takes ");
        option_takes_text(text, complaint->row);
    } else {
        text_string(text, "; there are");
        for (size_t i = 0; i < KEY_COUNT; i++)
            text_format(text, "%s %s", i > 0 ? "," : "", option_table[i].name);
    }
}

void option_complaint_text(struct text *text, const struct option_complaint *complaint)
{
    trouble_text(text, complaint);
    advice_text(text, complaint);
}

void option_describe(struct text *text, const struct options *options, enum option_key key)
{
    const char *origin = options->origin[key];
    const struct option_row *row = &option_table[key];
    text_format(text, "%s=", row->name);
    if (row->type == OPTION_TYPE_TEXT)
        text_plain(text, options->text[row->slot], options->value[key]);
    else
        option_value_text(text, row, options->value[key]);
    text_string(text, origin != NULL ? " from " : " by default");
    if (origin != NULL)
        text_string(text, origin);
}
