/* lisp_read.c - text -> values; see lisp.h. */
#include "lisp.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BYTES = 4096, DEEPEST_READ = 1000 };

static struct value *read_deep(FILE *in, int character, unsigned depth);

/* The next character that is neither blank nor in a comment. */
static int skip(FILE *in)
{
    bool comment = false;
    for (;;) {
        int character = getc(in);
        comment = character == ';' || (comment && character != '\n');
        if (character == EOF || (!comment && !isspace(character)))
            return character;
    }
}

static int skip_to_value(FILE *in)
{
    int character = skip(in);
    if (character == EOF)
        fail("the text ends inside a list");
    return character;
}

static bool is_delimiter(int character)
{
    return character == EOF || isspace(character) || strchr("()'\";", character) != NULL;
}

/* A number if all of it is one, else a symbol. */
static struct value *read_word(FILE *in, int character)
{
    char   word[TOKEN_BYTES], *end;
    size_t count = 0;

    for (; !is_delimiter(character); character = getc(in)) {
        if (count == sizeof word - 1)
            fail("a word is longer than %d bytes", TOKEN_BYTES - 1);
        word[count++] = (char)character;
    }
    ungetc(character, in);
    word[count] = '\0';
    if (strcmp(word, "#t") == 0)
        return yes;
    errno = 0;
    long found = strtol(word, &end, 10);
    if (*end != '\0')
        return symbol(word, count);
    if (errno == ERANGE)
        fail("%s is too large a number", word);
    return number(found);
}

static struct value *read_string(FILE *in)
{
    char   text[TOKEN_BYTES];
    size_t count = 0;

    for (int character; (character = getc(in)) != '"';) {
        if (character == '\\')
            character = getc(in);
        if (character == EOF)
            fail("the text ends inside a string");
        if (count == sizeof text)
            fail("a string is longer than %d bytes", TOKEN_BYTES);
        text[count++] = (char)character;
    }
    return string(text, count);
}

/* Behind the parenthesis. The list grows at its end, so its length needs no stack. */
static struct value *read_list(FILE *in, unsigned depth)
{
    struct value *list = nil, **end = &list;
    for (int character; (character = skip_to_value(in)) != ')';) {
        *end = pair(read_deep(in, character, depth), nil);
        end = &(*end)->cdr;
    }
    return list;
}

static struct value *read_deep(FILE *in, int character, unsigned depth)
{
    if (depth > DEEPEST_READ)
        fail("more than %d parentheses are open", DEEPEST_READ);
    switch (character) {
    case '(':  return read_list(in, depth + 1);
    case ')':  fail("a parenthesis too many");
    case '"':  return read_string(in);
    case '\'': return pair(symbol("quote", 5),
                           pair(read_deep(in, skip_to_value(in), depth + 1), nil));
    default:   return read_word(in, character);
    }
}

struct value *read_value(FILE *in)
{
    int character = skip(in);
    return character == EOF ? NULL : read_deep(in, character, 0);
}
