/* fault.c - the sentences of fault.def, filled.
 * Job      fault.h. What is not known is told as "(unknown)". Names come from outside (a file, an
 *          arena) and are printed without control characters: a fault stays one line.
 * Locking  none.
 */
#include "report/fault.h"
#include "base/text.h"
#include "os/os.h"

static const char *const sentences[FAULT_COUNT] = {
    [FAULT_NONE] = "no fault",
#define FAULT(name, sentence) [FAULT_##name] = sentence,
#include "base/fault.def"
#undef FAULT
};

static void name_text(struct text *text, const char *name)
{
    if (name == NULL || name[0] == '\0')
        name = "(unknown)";
    text_plain(text, name, text_length(name));
}

/* Writes what the placeholder at `at` stands for; returns what is behind it, NULL if it is none. */
static const char *placeholder(struct text *text, const char *at, const struct fault *fault)
{
    if (text_starts(at, "{call}")) {
        name_text(text, fault->call);
        return at + 6;
    }
    if (text_starts(at, "{given}")) {
        text_decimal(text, fault->given);
        return at + 7;
    }
    if (text_starts(at, "{name}")) {
        name_text(text, fault->name);
        return at + 6;
    }
    if (text_starts(at, "{by}")) {
        text_string(text, fault->by != NULL ? fault->by : "");
        return at + 4;
    }
    if (at[1] == '\0' || at[2] != '}')
        return NULL;
    switch (at[1]) {
    case 'p': text_hex(text, fault->pointer); break;
    case 's': text_hex(text, fault->start); break;
    case 'n': text_decimal(text, fault->block_bytes); break;
    case 'k': text_decimal(text, fault->pointer - fault->start); break;
    default:  return NULL;
    }
    return at + 3;
}

static void sentence_text(struct text *text, const struct fault *fault)
{
    const char *at = "a fault of no known kind";
    if (fault->kind < FAULT_COUNT)
        at = sentences[fault->kind];
    while (*at != '\0') {
        const char *behind = *at == '{' ? placeholder(text, at, fault) : NULL;
        if (behind == NULL)
            text_char(text, *at++);
        else
            at = behind;
    }
}

size_t fault_sentence(const struct fault *fault, char *out, size_t bytes)
{
    struct text text;
    text_init(&text, out, bytes);
    sentence_text(&text, fault);
    return text.needed;
}

void fault_tell(const struct fault *fault)
{
    char line[FAULT_SENTENCE_BYTES + 16];
    struct text text;
    text_init(&text, line, sizeof line - 1);     /* the newline keeps its place in a cut line */
    text_string(&text, "midden: ");
    sentence_text(&text, fault);
    line[text.length] = '\n';
    os_write(2, line, text.length + 1);
}
