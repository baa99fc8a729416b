/* lisp_value.c - values and how they are printed; see lisp.h. */
#include "lisp.h"

#include <midden/midden.h>

#include <string.h>

enum { DEEPEST_PRINT = 1000 };

struct value nil[] = { { .kind = NIL } }, yes[] = { { .kind = TRUE } };

/* ---- making ---------------------------------------------------------------------------------- */

/* No more bytes than the kind needs: a number takes 16. */
#define BYTES(member) (offsetof(struct value, member) + sizeof(((struct value *)0)->member))

static struct value *kept(struct value *value, enum kind kind)
{
    if (value == NULL)
        fail("out of memory");
    value->kind = kind;
    return value;
}

struct value *number(long number)
{
    struct value *value = kept(midden_alloc_leaf(BYTES(number)), NUMBER);
    value->number = number;
    return value;
}

struct value *string(const char *bytes, size_t count)
{
    char *text = midden_alloc_leaf(count + 1);
    struct value *value = kept(text != NULL ? midden_alloc(BYTES(text)) : NULL, STRING);
    memcpy(text, bytes, count);
    text[count] = '\0';
    value->text = text;
    return value;
}

struct value *symbol(const char *bytes, size_t count)
{
    const char *name = midden_intern(bytes, count);
    struct value *value = kept(name != NULL ? midden_alloc(BYTES(text)) : NULL, SYMBOL);
    value->text = name;
    return value;
}

struct value *pair(struct value *car, struct value *cdr)
{
    struct value *value = kept(midden_alloc(BYTES(cdr)), PAIR);
    value->car = car;
    value->cdr = cdr;
    return value;
}

struct value *closure(struct value *parameters, struct value *body, struct value *scope)
{
    struct value *value = kept(midden_alloc(BYTES(scope)), CLOSURE);
    value->parameters = parameters;
    value->body = body;
    value->scope = scope;
    return value;
}

struct value *primitive_value(primitive *run)
{
    struct value *value = kept(midden_alloc_leaf(BYTES(run)), PRIMITIVE);
    value->run = run;
    return value;
}

/* ---- taking apart ---------------------------------------------------------------------------- */

static const char *const kind_name[] = {
    "()", "#t", "a number", "a string", "a symbol", "a pair", "a function", "a function"
};

struct value *wanted(struct value *value, enum kind kind)
{
    if (value->kind != kind)
        fail("%s is wanted, not %s", kind_name[kind], kind_name[value->kind]);
    return value;
}

struct value *first(struct value *list)
{
    return wanted(list, PAIR)->car;
}

struct value *rest(struct value *list)
{
    return wanted(list, PAIR)->cdr;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_deep(FILE *out, const struct value *value, bool quoted, unsigned depth);

static void print_list(FILE *out, const struct value *value, bool quoted, unsigned depth)
{
    putc('(', out);
    print_deep(out, value->car, quoted, depth);
    for (value = value->cdr; value->kind == PAIR; value = value->cdr) {
        putc(' ', out);
        print_deep(out, value->car, quoted, depth);
    }
    if (value->kind != NIL) {
        fputs(" . ", out);
        print_deep(out, value, quoted, depth);
    }
    putc(')', out);
}

static void print_string(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void print_deep(FILE *out, const struct value *value, bool quoted, unsigned depth)
{
    switch (value->kind) {
    case NIL:       fputs("()", out); break;
    case TRUE:      fputs("#t", out); break;
    case NUMBER:    fprintf(out, "%ld", value->number); break;
    case SYMBOL:    fputs(value->text, out); break;
    case STRING:    quoted ? print_string(out, value->text) : (void)fputs(value->text, out); break;
    case PAIR:
        depth < DEEPEST_PRINT ? print_list(out, value, quoted, depth + 1) : (void)fputs("...", out);
        break;
    case CLOSURE:   fputs("#<closure>", out); break;
    case PRIMITIVE: fputs("#<primitive>", out); break;
    }
}

void print(FILE *out, const struct value *value, bool quoted)
{
    print_deep(out, value, quoted, 0);
}
