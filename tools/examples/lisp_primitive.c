/* lisp_primitive.c - what is written in C; see lisp.h. */
#include "lisp.h"

#include <midden/midden.h>

#include <string.h>

/* ---- arithmetic ------------------------------------------------------------------------------ */

typedef bool operation(long a, long b, long *result);      /* true: it cannot be done */

static bool plus(long a, long b, long *result)
{
    return __builtin_add_overflow(a, b, result);
}

static bool minus(long a, long b, long *result)
{
    return __builtin_sub_overflow(a, b, result);
}

static bool times(long a, long b, long *result)
{
    return __builtin_mul_overflow(a, b, result);
}

static bool quotient(long a, long b, long *result)
{
    if (b == 0)
        fail("division by 0");
    if (b == -1)
        return __builtin_sub_overflow(0, a, result);
    *result = a / b;
    return false;
}

static bool remainder_of(long a, long b, long *result)
{
    if (b == 0)
        fail("division by 0");
    *result = b == -1 ? 0 : a % b;
    return false;
}

/* ((a - b) - c) ... ; of one number alone: start - a. */
static struct value *fold(struct value *arguments, operation *apply, long start)
{
    long result = wanted(first(arguments), NUMBER)->number;
    arguments = arguments->cdr;
    if (arguments->kind == NIL && apply(start, result, &result))
        fail("a result is too large");
    for (; arguments->kind == PAIR; arguments = arguments->cdr)
        if (apply(result, wanted(arguments->car, NUMBER)->number, &result))
            fail("a result is too large");
    return number(result);
}

static struct value *run_add(struct value *arguments)       { return fold(arguments, plus, 0); }
static struct value *run_subtract(struct value *arguments)  { return fold(arguments, minus, 0); }
static struct value *run_multiply(struct value *arguments)  { return fold(arguments, times, 1); }
static struct value *run_quotient(struct value *arguments)  { return fold(arguments, quotient, 1); }
static struct value *run_remainder(struct value *arguments)
{
    return fold(arguments, remainder_of, 0);
}

/* ---- comparison ------------------------------------------------------------------------------ */

static struct value *truth(bool holds)
{
    return holds ? yes : nil;
}

/* -1, 0, 1 of the first two arguments, which are numbers. */
static int order(struct value *arguments)
{
    long a = wanted(first(arguments), NUMBER)->number;
    long b = wanted(first(rest(arguments)), NUMBER)->number;
    return (a > b) - (a < b);
}

static struct value *run_equal(struct value *arguments)   { return truth(order(arguments) == 0); }
static struct value *run_less(struct value *arguments)    { return truth(order(arguments) < 0); }
static struct value *run_greater(struct value *arguments) { return truth(order(arguments) > 0); }

/* The same thing: equal numbers, equal names, equal bytes, or one and the same pair. */
static struct value *run_is(struct value *arguments)
{
    const struct value *a = first(arguments), *b = first(rest(arguments));
    if (a->kind != b->kind)
        return nil;
    switch (a->kind) {
    case NUMBER: return truth(a->number == b->number);
    case SYMBOL: return truth(a->text == b->text);
    case STRING: return truth(strcmp(a->text, b->text) == 0);
    default:     return truth(a == b);
    }
}

static struct value *run_is_nil(struct value *arguments)
{
    return truth(first(arguments)->kind == NIL);
}

static struct value *run_is_pair(struct value *arguments)
{
    return truth(first(arguments)->kind == PAIR);
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static struct value *run_cons(struct value *arguments)
{
    return pair(first(arguments), first(rest(arguments)));
}

static struct value *run_car(struct value *arguments)  { return first(first(arguments)); }
static struct value *run_cdr(struct value *arguments)  { return rest(first(arguments)); }
static struct value *run_list(struct value *arguments) { return arguments; }

/* ---- strings --------------------------------------------------------------------------------- */

static struct value *run_string_append(struct value *arguments)
{
    size_t count = 0, done = 0;
    for (struct value *each = arguments; each->kind == PAIR; each = each->cdr)
        count += strlen(wanted(each->car, STRING)->text);

    char *text = midden_alloc_leaf(count + 1);
    if (text == NULL)
        fail("out of memory");
    for (; arguments->kind == PAIR; arguments = arguments->cdr) {
        size_t bytes = strlen(arguments->car->text);
        memcpy(text + done, arguments->car->text, bytes);
        done += bytes;
    }
    return string(text, count);          /* copies; the first one is garbage now, and no matter */
}

static struct value *run_string_length(struct value *arguments)
{
    return number((long)strlen(wanted(first(arguments), STRING)->text));
}

static struct value *run_number_to_string(struct value *arguments)
{
    char text[32];
    int  count = snprintf(text, sizeof text, "%ld", wanted(first(arguments), NUMBER)->number);
    return string(text, (size_t)count);
}

static struct value *run_string_to_symbol(struct value *arguments)
{
    const char *text = wanted(first(arguments), STRING)->text;
    return symbol(text, strlen(text));
}

/* ---- the world ------------------------------------------------------------------------------- */

static struct value *run_display(struct value *arguments)
{
    for (; arguments->kind == PAIR; arguments = arguments->cdr)
        print(stdout, arguments->car, false);
    return nil;
}

static struct value *run_newline(struct value *arguments)
{
    (void)arguments;
    putchar('\n');
    return nil;
}

/* How many objects a full collection found. */
static struct value *run_gc(struct value *arguments)
{
    (void)arguments;
    long found = midden_collect(MIDDEN_FULL);
    if (found < 0)
        fail("no collection was made");
    return number(found);
}

void primitive_init(void)
{
    static const struct { const char *name; primitive *run; } table[] = {
        { "+", run_add }, { "-", run_subtract }, { "*", run_multiply },
        { "quotient", run_quotient }, { "remainder", run_remainder },
        { "=", run_equal }, { "<", run_less }, { ">", run_greater },
        { "is", run_is }, { "null?", run_is_nil }, { "pair?", run_is_pair }, { "not", run_is_nil },
        { "cons", run_cons }, { "car", run_car }, { "cdr", run_cdr }, { "list", run_list },
        { "string-append", run_string_append }, { "string-length", run_string_length },
        { "number->string", run_number_to_string }, { "string->symbol", run_string_to_symbol },
        { "display", run_display }, { "newline", run_newline }, { "gc", run_gc },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        define(table[i].name, primitive_value(table[i].run));
    define("else", yes);
}
