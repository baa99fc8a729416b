/* record.c - a survey as JSON, and back.
 * Job  Schema midden.stat/1: numbers are integers, bytes unless their name says otherwise; names
 *      are never renamed, only added. What is read may come from anywhere: unknown names are
 *      skipped, what is no JSON or does not sum is refused.
 */
#include "survey.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "midden.stat/1"
enum { FILE_MAX_BYTES = 1 << 22, NAME_BYTES = 64 };
#define NUMBER_BOUND ((int64_t)1 << 54)          /* none is so large, and no sum overflows */

/* -- what is in it ----------------------------------------------------------------------------- */

struct field {
    const char *group, *name;                    /* group "": at the top */
    size_t      at;                              /* of an int64_t, or of a text */
    size_t      text_bytes;                      /* 0: a number */
};
#define NUMBER(group, name, member) { group, name, offsetof(struct survey, member), 0 }
#define STRING(name, member) \
    { "", name, offsetof(struct survey, member), sizeof(((struct survey *)0)->member) }

static const struct field fields[] = {
    NUMBER("", "pid", pid), NUMBER("", "time", time),
    STRING("command", command), STRING("version", version), STRING("library", library),
    STRING("pages", pages),
    NUMBER("", "threads", threads),
    NUMBER("", "rss", rss), NUMBER("", "statm", statm), NUMBER("", "swap", swap),
#define ROW(name, label, words) NUMBER("rows", #name, row[ROW_##name]),
#include "row.def"
#undef ROW
    NUMBER("blocks", "live", live_blocks), NUMBER("blocks", "live_bytes", live_bytes),
    NUMBER("blocks", "large", large_blocks), NUMBER("blocks", "large_bytes", large_bytes),
    NUMBER("blocks", "arena", arena_blocks), NUMBER("blocks", "arena_bytes", arena_bytes),
    NUMBER("heap", "reserved", reserved), NUMBER("heap", "committed", committed),
    NUMBER("heap", "swap", heap_swap), NUMBER("heap", "trimmable", trimmable),
#define COUNT(name, text) NUMBER("counts", #name, counts.name),
#include "base/count.def"
#undef COUNT
};

#define OF_CLASS(name) { "classes", #name, offsetof(struct survey_class, name), 0 }
static const struct field class_fields[] = {
    OF_CLASS(size), OF_CLASS(slabs), OF_CLASS(blocks), OF_CLASS(capacity),
    OF_CLASS(live), OF_CLASS(free), OF_CLASS(pinned),
};

/* -- writing ----------------------------------------------------------------------------------- */

static void write_field(FILE *out, const struct field *field, const void *base)
{
    char quoted[2048];
    struct text text;
    const char *at = (const char *)base + field->at;
    if (field->text_bytes == 0) {
        fprintf(out, "\"%s\":%lld", field->name, (long long)*(const int64_t *)at);
        return;
    }
    text_init(&text, quoted, sizeof quoted);
    text_json(&text, at);
    fprintf(out, "\"%s\":%s", field->name, quoted);
}

static void write_classes(FILE *out, const struct survey *survey)
{
    fprintf(out, "\"classes\":[");
    for (size_t i = 0; i < survey->class_count; i++) {
        fprintf(out, "%s\n {", i ? "," : "");
        for (size_t k = 0; k < COUNT_OF(class_fields); k++) {
            fprintf(out, "%s", k ? "," : "");
            write_field(out, &class_fields[k], &survey->classes[i]);
        }
        fprintf(out, "}");
    }
    fprintf(out, "]}\n");
}

void survey_json(FILE *out, const struct survey *survey)
{
    const char *group = "";
    fprintf(out, "{\"schema\":\"" SCHEMA "\"");
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct field *field = &fields[i];
        bool same = strcmp(field->group, group) == 0;
        fprintf(out, "%s", same || !*group ? "," : "},");
        if (!same)
            fprintf(out, "\n\"%s\":{", field->group);
        group = field->group;
        write_field(out, field, survey);
    }
    fprintf(out, "},\n");
    write_classes(out, survey);
}

/* -- reading ----------------------------------------------------------------------------------- */

struct reader {
    const char    *at;
    bool           sound;
    char           schema[NAME_BYTES];
    struct survey *survey;
};

static void skip_blanks(struct reader *reader)
{
    reader->at += strspn(reader->at, " \t\r\n");
}

static bool accept(struct reader *reader, char c)
{
    skip_blanks(reader);
    if (*reader->at != c)
        return false;
    reader->at++;
    return true;
}

static void expect(struct reader *reader, char c)
{
    reader->sound = accept(reader, c) && reader->sound;
}

static char unescaped(struct reader *reader)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    char c = *reader->at++;
    const char *found = c ? strchr(from, c) : NULL;
    if (c == 'u' && strlen(reader->at) >= 4) {
        char digits[5] = { reader->at[0], reader->at[1], reader->at[2], reader->at[3], '\0' };
        unsigned long code = strtoul(digits, NULL, 16);
        reader->at += 4;
        return code > 0 && code < 128 ? (char)code : '?';
    }
    return found ? to[found - from] : c;
}

/* A text, cut to the room there is. */
static void read_text(struct reader *reader, char *out, size_t bytes)
{
    size_t length = 0;
    expect(reader, '"');
    while (reader->sound && *reader->at != '"') {
        char c = *reader->at ? *reader->at++ : '\0';
        if (c == '\\')
            c = unescaped(reader);
        reader->sound = c != '\0';
        if (length + 1 < bytes)
            out[length++] = c;
    }
    out[length] = '\0';
    if (reader->sound)
        reader->at++;
}

static int64_t read_number(struct reader *reader)
{
    char *end;
    skip_blanks(reader);
    errno = 0;
    long long number = strtoll(reader->at, &end, 10);
    bool sane = number < NUMBER_BOUND && number > -NUMBER_BOUND;
    reader->sound = reader->sound && end != reader->at && errno == 0 && sane;
    reader->at = end;
    return number;
}

/* A value nobody here asks for: up to the comma or bracket that is not its own. */
static void skip_value(struct reader *reader)
{
    char text[1];
    size_t depth = 0;
    skip_blanks(reader);
    while (reader->sound && *reader->at && (depth > 0 || !strchr(",]}", *reader->at))) {
        if (*reader->at == '"') {
            read_text(reader, text, sizeof text);
            continue;
        }
        depth += strchr("[{", *reader->at) != NULL;
        depth -= strchr("]}", *reader->at) != NULL;
        reader->at++;
    }
}

static const struct field *field_find(const struct field *table, size_t count, const char *group,
                                      const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].group, group) == 0 && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static void read_value(struct reader *reader, const struct field *field, void *base)
{
    char *at = field ? (char *)base + field->at : NULL;
    if (!field)
        skip_value(reader);
    else if (field->text_bytes)
        read_text(reader, at, field->text_bytes);
    else
        *(int64_t *)at = read_number(reader);
}

static void read_name(struct reader *reader, char *name)
{
    read_text(reader, name, NAME_BYTES);
    expect(reader, ':');
}

static void read_group(struct reader *reader, const char *group)
{
    char name[NAME_BYTES];
    bool classes = strcmp(group, "classes") == 0;
    const struct field *table = classes ? class_fields : fields;
    size_t count = classes ? COUNT_OF(class_fields) : COUNT_OF(fields);
    struct survey *survey = reader->survey;
    void *base = classes ? (void *)&survey->classes[survey->class_count] : (void *)survey;
    if (accept(reader, '}'))
        return;
    do {
        read_name(reader, name);
        read_value(reader, field_find(table, count, group, name), base);
    } while (reader->sound && accept(reader, ','));
    expect(reader, '}');
}

static void read_classes(struct reader *reader)
{
    if (accept(reader, ']'))
        return;
    do {
        if (reader->survey->class_count == CLASS_COUNT)
            reader->sound = false;
        expect(reader, '{');
        if (reader->sound)
            read_group(reader, "classes");
        reader->survey->class_count++;
    } while (reader->sound && accept(reader, ','));
    expect(reader, ']');
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (*fields[i].group && strcmp(fields[i].group, name) == 0)
            return true;
    return false;
}

static void read_member(struct reader *reader)
{
    char name[NAME_BYTES];
    read_name(reader, name);
    if (strcmp(name, "schema") == 0)
        read_text(reader, reader->schema, sizeof reader->schema);
    else if (strcmp(name, "classes") == 0 && accept(reader, '['))
        read_classes(reader);
    else if (is_group(name) && accept(reader, '{'))
        read_group(reader, name);
    else
        read_value(reader, field_find(fields, COUNT_OF(fields), "", name), reader->survey);
}

static bool read_all(struct reader *reader)
{
    expect(reader, '{');
    do
        read_member(reader);
    while (reader->sound && accept(reader, ','));
    expect(reader, '}');
    skip_blanks(reader);
    return reader->sound && *reader->at == '\0';
}

/* -- from a file ------------------------------------------------------------------------------- */

static bool sums(const struct survey *survey)                                      /* V1 */
{
    int64_t sum = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        sum = (int64_t)((uint64_t)sum + (uint64_t)survey->row[i]);
    return sum == survey->rss;
}

static bool judge(const struct verb *verb, const char *path, struct reader *reader,
                  const char *text)
{
    bool whole = read_all(reader);
    if (*reader->schema && strcmp(reader->schema, SCHEMA) != 0)
        complain(verb, "%s is of schema \"%s\", and this command reads " SCHEMA ". Use the "
                 "command that wrote it", path, reader->schema);
    else if (!whole || !*reader->schema)
        complain(verb, "%s is not what `midden stat --json` writes (it stops making sense at byte "
                 "%zu)", path, (size_t)(reader->at - text));
    else if (!sums(reader->survey))
        complain(verb, "%s is damaged: its rows do not sum to its RSS", path);
    else
        return true;
    return false;
}

static bool slurp(const char *path, char *text, size_t bytes)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(text, 1, bytes - 1, file);
    bool sound = !ferror(file);
    text[length] = '\0';
    fclose(file);
    return sound;
}

bool survey_load(const struct verb *verb, const char *path, struct survey *survey)
{
    char *text = malloc(FILE_MAX_BYTES);
    struct reader reader = { .at = text, .sound = true, .survey = survey };
    bool loaded = false;
    memset(survey, 0, sizeof *survey);
    if (!text || !slurp(path, text, FILE_MAX_BYTES))
        complain(verb, "%s cannot be read (%s). A process is given by its number, a file by its "
                 "path", path, strerror(errno));
    else
        loaded = judge(verb, path, &reader, text);
    free(text);
    return loaded;
}
