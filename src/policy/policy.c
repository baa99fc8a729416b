/* policy.c - when to collect.
 * Job         policy.h. One table says what each trigger takes; the reader and the writer both go
 *             by it.
 * Sources     the thresholds, and the quarter that must have been promoted before all of an old
 *             heap is looked through: CPython's gc module. Growth relative to what lived: Boehm's
 *             collector, and Go's.
 */
#include "policy/policy.h"
#include "base/bits.h"

#include <limits.h>

enum { QUARTER = 4 };
#define GROWTH_LEAST_BYTES MIB(8)

const struct policy policy_initial = {
    .triggers = 1u << POLICY_OBJECTS | 1u << POLICY_GROWTH,
    .growth_percent = 100,
    .threshold = { 700, 10, 10 },
};

/* -- the table --------------------------------------------------------------------------------- */

struct unit {
    char     name[3];
    uint64_t factor;
};

/* Ascending, ended by a factor of 0; of two names for one factor the last is the one written. */
static const struct unit time_units[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 0 },
};
static const struct unit size_units[] = {
    { "", 1 }, { "K", KIB(1) }, { "k", KIB(1) }, { "m", MIB(1) }, { "M", MIB(1) },
    { "g", GIB(1) }, { "G", GIB(1) }, { "t", TIB(1) }, { "T", TIB(1) }, { "", 0 },
};
static const struct unit percent_units[] = { { "%", 1 }, { "", 0 } };

/* A trigger takes a number with a unit, which goes to the field at `offset`; or something of its
 * own; or nothing. */
struct row {
    const char        *name;
    const struct unit *units;
    size_t             offset;
    uint64_t           min, max;
    const char        *takes;
};

#define MONTH_MS ((uint64_t)30 * 24 * 3600000)
#define FIELD(name) offsetof(struct policy, name)

static const struct row rows[POLICY_TRIGGERS] = {
    [POLICY_INTERVAL] = { "interval", time_units, FIELD(interval_ms), 1, MONTH_MS,
                          "interval:TIME, such as interval:5s, from 1ms to 720h" },
    [POLICY_OBJECTS] = { "objects", NULL, 0, 0, INT_MAX,
                         "objects:A/B/C, such as objects:700/10/10, each up to 2147483647" },
    [POLICY_BYTES] = { "bytes", size_units, FIELD(bytes), 1, TIB(128),
                       "bytes:SIZE, such as bytes:64M, from 1 to 128T" },
    [POLICY_GROWTH] = { "growth", percent_units, FIELD(growth_percent), 1, 1000000,
                        "growth:N%, such as growth:100%, from 1% to 1000000%" },
    [POLICY_EXIT] = { "exit", NULL, 0, 0, 0, "exit, with nothing behind it" },
    [POLICY_IDLE] = { "idle", time_units, FIELD(idle_ms), 1, MONTH_MS,
                      "idle:TIME, such as idle:200ms, from 1ms to 720h" },
    [POLICY_PRESSURE] = { "pressure", NULL, 0, 0, 0, "pressure, with nothing behind it" },
    [POLICY_EXHAUSTION] = { "exhaustion", NULL, 0, 0, 0, "exhaustion, with nothing behind it" },
    [POLICY_SIGNAL] = { "signal", NULL, 0, 0, 0,
                        "signal:NAME, such as signal:USR1, of a signal that can be waited for" },
    [POLICY_USER] = { "user", NULL, 0, 0, 0, "user, with nothing behind it" },
};

/* Numbers as on x86-64 and aarch64. Not here: what cannot be handled, and what a thread brings upon
 * itself, which would come again. */
static const struct {
    char name[7];
    int  number;
} signals[] = {
    { "HUP", 1 },   { "INT", 2 },   { "QUIT", 3 },  { "USR1", 10 },   { "USR2", 12 },
    { "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 }, { "CHLD", 17 },   { "CONT", 18 },
    { "TSTP", 20 }, { "TTIN", 21 }, { "TTOU", 22 }, { "URG", 23 },    { "XCPU", 24 },
    { "XFSZ", 25 }, { "VTALRM", 26 }, { "PROF", 27 }, { "WINCH", 28 }, { "IO", 29 },
    { "PWR", 30 },
};

const char *policy_name(enum policy_trigger trigger)
{
    return rows[trigger].name;
}

const char *policy_takes(enum policy_trigger trigger)
{
    return rows[trigger].takes;
}

static bool same(const char *name, const char *at, size_t bytes)
{
    return text_length(name) == bytes && __builtin_memcmp(name, at, bytes) == 0;
}

enum policy_trigger policy_named(const char *name, size_t bytes)
{
    unsigned i = 0;
    while (i < POLICY_TRIGGERS && !same(rows[i].name, name, bytes))
        i++;
    return (enum policy_trigger)i;
}

/* -- reading ----------------------------------------------------------------------------------- */

struct reader {
    const char       *at;
    enum policy_error error;                     /* the first one; `at` stays where it is then */
};

static void fail(struct reader *reader, const char *at, enum policy_error error)
{
    if (reader->error != POLICY_OK)
        return;
    reader->error = error;
    reader->at = at;
}

static void expect(struct reader *reader, char c)
{
    if (*reader->at == c)
        reader->at += reader->error == POLICY_OK;
    else
        fail(reader, reader->at, POLICY_UNPARSED);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters and digits from here on. */
static size_t word_bytes(const char *at)
{
    size_t bytes = 0;
    while (is_letter(at[bytes]) || is_digit(at[bytes]))
        bytes++;
    return bytes;
}

static uint64_t read_digits(struct reader *reader, bool *wraps)
{
    uint64_t number = 0;
    if (!is_digit(*reader->at))
        fail(reader, reader->at, POLICY_UNPARSED);
    for (*wraps = false; reader->error == POLICY_OK && is_digit(*reader->at); reader->at++) {
        *wraps |= __builtin_mul_overflow(number, 10, &number);
        *wraps |= __builtin_add_overflow(number, (uint64_t)(*reader->at - '0'), &number);
    }
    return number;
}

static uint64_t read_unit(struct reader *reader, const struct unit *unit)
{
    size_t bytes = *reader->at == '%' ? 1 : word_bytes(reader->at);
    while (unit->factor != 0 && !same(unit->name, reader->at, bytes))
        unit++;
    if (unit->factor == 0)
        fail(reader, reader->at, POLICY_UNPARSED);
    if (reader->error == POLICY_OK)
        reader->at += bytes;
    return unit->factor;
}

static uint64_t read_number(struct reader *reader, const struct row *row)
{
    const char *start = reader->at;
    bool wraps;
    uint64_t number = read_digits(reader, &wraps);
    uint64_t factor = row->units != NULL ? read_unit(reader, row->units) : 1;
    wraps |= __builtin_mul_overflow(number, factor, &number);
    if (wraps || number < row->min || number > row->max)
        fail(reader, start, POLICY_OUT_OF_RANGE);
    return number;
}

static void read_thresholds(struct reader *reader, int threshold[POLICY_GENERATIONS])
{
    for (unsigned i = 0; i < POLICY_GENERATIONS; i++) {
        if (i > 0)
            expect(reader, '/');
        threshold[i] = (int)read_number(reader, &rows[POLICY_OBJECTS]);
    }
}

static int read_signal(struct reader *reader)
{
    const char *name = text_starts(reader->at, "SIG") ? reader->at + 3 : reader->at;
    size_t bytes = word_bytes(name);
    for (size_t i = 0; i < COUNT_OF(signals) && reader->error == POLICY_OK; i++)
        if (same(signals[i].name, name, bytes)) {
            reader->at = name + bytes;
            return signals[i].number;
        }
    fail(reader, reader->at, POLICY_UNPARSED);
    return 0;
}

static void read_value(struct reader *reader, enum policy_trigger trigger, struct policy *out)
{
    const struct row *row = &rows[trigger];
    if (row->units == NULL && trigger != POLICY_OBJECTS && trigger != POLICY_SIGNAL)
        return;
    expect(reader, ':');
    if (trigger == POLICY_OBJECTS)
        read_thresholds(reader, out->threshold);
    else if (trigger == POLICY_SIGNAL)
        out->signal = read_signal(reader);
    else
        *(uint64_t *)((char *)out + row->offset) = read_number(reader, row);
}

static void read_trigger(struct reader *reader, struct policy *out)
{
    size_t bytes = word_bytes(reader->at);
    enum policy_trigger trigger = policy_named(reader->at, bytes);
    if (reader->error != POLICY_OK)
        return;
    if (trigger == POLICY_TRIGGERS || policy_has(out, trigger)) {
        fail(reader, reader->at, POLICY_UNPARSED);
        return;
    }
    reader->at += bytes;
    out->triggers |= 1u << trigger;
    read_value(reader, trigger, out);
}

enum policy_error policy_parse(const char *text, struct policy *out, size_t *where)
{
    struct reader reader = { text, POLICY_OK };
    struct policy policy = { .triggers = 0 };
    if (*text != '\0')
        read_trigger(&reader, &policy);
    while (*reader.at != '\0' && reader.error == POLICY_OK) {
        expect(&reader, '+');
        read_trigger(&reader, &policy);
    }
    *where = (size_t)(reader.at - text);
    if (reader.error == POLICY_OK)
        *out = policy;
    return reader.error;
}

/* -- judging an option ------------------------------------------------------------------------- */

/* The one trigger that holds the byte at `where`; all of them where that is none. */
static struct piece trigger_at(struct piece set, size_t where)
{
    size_t lo = where, hi = where;
    while (lo > 0 && set.at[lo - 1] != '+')
        lo--;
    while (hi < set.bytes && set.at[hi] != '+')
        hi++;
    return lo < hi ? (struct piece){ set.at + lo, hi - lo } : set;
}

/* A trigger is told by itself: with names that are near its own, or with what it takes. */
static void trigger_advise(struct option_complaint *complaint, size_t where)
{
    struct piece whole = complaint->value, wrong = trigger_at(whole, where);
    size_t name = 0;
    while (name < wrong.bytes && wrong.at[name] != ':')
        name++;
    enum policy_trigger trigger = policy_named(wrong.at, name);
    complaint->value = wrong;
    if (trigger == POLICY_TRIGGERS)
        complaint->nearest = option_nearest(POLICY_NAMES, (struct piece){ wrong.at, name });
    else if (wrong.at == whole.at + where)
        complaint->takes = "each trigger once";
    else
        complaint->takes = policy_takes(trigger);
}

/* There is one option that is a text, and so one judge of texts. */
_Static_assert(SLOT_COUNT == 1, "a second text wants a judge of its own");

enum option_trouble policy_judge(struct option_complaint *complaint)
{
    char set[OPTION_TEXT_BYTES];
    struct text text;
    struct policy policy;
    size_t where;
    text_init(&text, set, sizeof set);
    text_span(&text, complaint->value.at, complaint->value.bytes);
    enum policy_error error = policy_parse(set, &policy, &where);
    if (error == POLICY_OK)
        return OPTION_FINE;
    trigger_advise(complaint, where);
    return error == POLICY_OUT_OF_RANGE ? OPTION_OUT_OF_RANGE : OPTION_BAD_VALUE;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* In the largest unit that leaves no fraction. */
static void number_text(struct text *out, const struct unit *units, uint64_t number)
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->factor != 0; unit++)
        if (number % unit->factor == 0)
            best = unit;
    text_decimal(out, number / best->factor);
    text_string(out, best->name);
}

static const char *signal_name(int number)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(signals) && signals[i].number != number)
        i++;
    return signals[i].name;
}

static void trigger_text(struct text *out, const struct policy *policy, enum policy_trigger trigger)
{
    const struct row *row = &rows[trigger];
    text_string(out, row->name);
    if (trigger == POLICY_OBJECTS) {
        text_format(out, ":%d/%d/%d", policy->threshold[0], policy->threshold[1],
                    policy->threshold[2]);
    } else if (trigger == POLICY_SIGNAL) {
        text_format(out, ":%s", signal_name(policy->signal));
    } else if (row->units != NULL) {
        text_char(out, ':');
        number_text(out, row->units, *(const uint64_t *)((const char *)policy + row->offset));
    }
}

void policy_text(const struct policy *policy, struct text *out)
{
    bool first = true;
    for (unsigned i = 0; i < POLICY_TRIGGERS; i++)
        if (policy_has(policy, (enum policy_trigger)i)) {
            if (!first)
                text_char(out, '+');
            trigger_text(out, policy, (enum policy_trigger)i);
            first = false;
        }
}

/* -- decisions --------------------------------------------------------------------------------- */

bool policy_needs_watch(const struct policy *policy)
{
    return policy_has(policy, POLICY_INTERVAL) || policy_has(policy, POLICY_IDLE) ||
           policy_has(policy, POLICY_PRESSURE) || policy_has(policy, POLICY_SIGNAL);
}

int policy_generation(const struct policy *policy, const int count[POLICY_GENERATIONS],
                      uint64_t promoted, uint64_t survived)
{
    const int *threshold = policy->threshold;
    if (!policy_has(policy, POLICY_OBJECTS) || threshold[0] == 0 || count[0] <= threshold[0])
        return -1;
    bool worth = promoted >= survived / QUARTER;
    if (count[2] > threshold[2] && worth)
        return 2;
    return count[1] > threshold[1] ? 1 : 0;
}

static uint64_t growth_debt(uint64_t percent, const struct policy_lived *lived)
{
    uint64_t low, high = multiply_wide(lived->bytes, &percent, &low);
    uint64_t debt = high != 0 ? UINT64_MAX - 1 : low / 100;
    debt -= debt < lived->added_bytes ? debt : lived->added_bytes;
    if (lived->minor)
        debt /= 2;
    return debt > GROWTH_LEAST_BYTES ? debt : GROWTH_LEAST_BYTES;
}

uint64_t policy_debt(const struct policy *policy, const struct policy_lived *lived)
{
    uint64_t debt = UINT64_MAX;
    if (policy_has(policy, POLICY_GROWTH))
        debt = growth_debt(policy->growth_percent, lived);
    if (policy_has(policy, POLICY_BYTES) && policy->bytes < debt)
        debt = policy->bytes;
    return debt;
}
