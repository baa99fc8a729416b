/* lisp_eval.c - evaluation: special forms, closures, tail calls without a stack; see lisp.h. */
#include "lisp.h"

#include <stdint.h>
#include <string.h>

enum { DEEPEST = 10000, BUCKETS = 256 };

/* ---- names ----------------------------------------------------------------------------------- */

/* By the address of the interned name, which does not move. Static data, hence a root. */
static struct value *globals[BUCKETS];           /* lists of (symbol . value); NULL: none yet */

static struct value **bucket_of(const char *name)
{
    return &globals[((uintptr_t)name >> 4) % BUCKETS];
}

/* The (symbol . value) of a name in a list of them, or NULL. */
static struct value *binding_in(struct value *list, const char *name)
{
    for (; list != NULL && list->kind == PAIR; list = list->cdr)
        if (list->car->car->text == name)
            return list->car;
    return NULL;
}

static struct value *binding(struct value *name, struct value *scope)
{
    const char *text = wanted(name, SYMBOL)->text;
    struct value *found = binding_in(scope, text);
    if (found == NULL)
        found = binding_in(*bucket_of(text), text);
    if (found == NULL)
        fail("%s is not defined", text);
    return found;
}

static struct value *bound(struct value *name, struct value *value, struct value *scope)
{
    return pair(pair(wanted(name, SYMBOL), value), scope);
}

static void define_symbol(struct value *name, struct value *value)
{
    struct value **bucket = bucket_of(wanted(name, SYMBOL)->text);
    struct value *old = binding_in(*bucket, name->text);
    if (old != NULL)
        old->cdr = value;
    else
        *bucket = bound(name, value, *bucket != NULL ? *bucket : nil);
}

void define(const char *name, struct value *value)
{
    define_symbol(symbol(name, strlen(name)), value);
}

/* ---- special forms --------------------------------------------------------------------------- */

/* What eval is at. A special form either answers, or puts what comes next here and answers NULL:
 * so a call in tail position is the next round of a loop, and a million of them need one frame. */
struct step {
    struct value *form, *scope;
};

static struct value *go_on(struct step *step, struct value *form)
{
    step->form = form;
    return NULL;
}

/* All but the last form here, the last one as the next step. */
static struct value *go_through(struct step *step, struct value *forms)
{
    if (forms->kind == NIL)
        return nil;
    for (; rest(forms)->kind == PAIR; forms = forms->cdr)
        eval(forms->car, step->scope);
    return go_on(step, forms->car);
}

static struct value *special_quote(struct step *step, struct value *rests)
{
    (void)step;
    return first(rests);
}

static struct value *special_if(struct step *step, struct value *rests)
{
    bool holds = eval(first(rests), step->scope) != nil;
    struct value *branches = rest(rests);
    if (holds)
        return go_on(step, first(branches));
    return branches->cdr->kind == PAIR ? go_on(step, branches->cdr->car) : nil;
}

/* (define name value) or (define (name parameter ...) form ...) */
static struct value *special_define(struct step *step, struct value *rests)
{
    struct value *name = first(rests), *value;
    if (name->kind == PAIR) {
        value = closure(name->cdr, rest(rests), step->scope);
        name = name->car;
    } else {
        value = eval(first(rest(rests)), step->scope);
    }
    define_symbol(name, value);
    return name;
}

static struct value *special_set(struct step *step, struct value *rests)
{
    struct value *value = eval(first(rest(rests)), step->scope);
    return binding(first(rests), step->scope)->cdr = value;
}

static struct value *special_lambda(struct step *step, struct value *rests)
{
    return closure(first(rests), rest(rests), step->scope);
}

/* (let ((name value) ...) form ...) */
static struct value *special_let(struct step *step, struct value *rests)
{
    struct value *inner = step->scope;
    for (struct value *each = first(rests); each->kind == PAIR; each = each->cdr) {
        struct value *value = eval(first(rest(each->car)), step->scope);
        inner = bound(first(each->car), value, inner);
    }
    step->scope = inner;
    return go_through(step, rest(rests));
}

static struct value *special_begin(struct step *step, struct value *rests)
{
    return go_through(step, rests);
}

/* (cond (condition form ...) ...); the last condition may be else. */
static struct value *special_cond(struct step *step, struct value *rests)
{
    for (; rests->kind == PAIR; rests = rests->cdr)
        if (eval(first(rests->car), step->scope) != nil)
            return go_through(step, rest(rests->car));
    return nil;
}

static struct special {
    const char   *name;                  /* interned by eval_init; static data keeps it */
    struct value *(*run)(struct step *step, struct value *rests);
} specials[] = {
    { "quote", special_quote }, { "if", special_if }, { "define", special_define },
    { "set!", special_set }, { "lambda", special_lambda }, { "let", special_let },
    { "begin", special_begin }, { "cond", special_cond },
};

static const struct special *special_of(const struct value *head)
{
    for (size_t i = 0; head->kind == SYMBOL && i < sizeof specials / sizeof specials[0]; i++)
        if (head->text == specials[i].name)
            return &specials[i];
    return NULL;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static struct value *eval_all(struct value *forms, struct value *scope)
{
    struct value *values = nil, **end = &values;
    for (; forms->kind == PAIR; forms = forms->cdr) {
        *end = pair(eval(forms->car, scope), nil);
        end = &(*end)->cdr;
    }
    return values;
}

/* The body of a closure, in its own scope, is what comes next. */
static struct value *enter(struct step *step, const struct value *function, struct value *arguments)
{
    struct value *parameters = function->parameters, *scope = function->scope;
    for (; parameters->kind == PAIR; parameters = parameters->cdr) {
        if (arguments->kind != PAIR)
            fail("a function was called with too few arguments");
        scope = bound(parameters->car, arguments->car, scope);
        arguments = arguments->cdr;
    }
    if (parameters->kind == SYMBOL)      /* takes the rest as a list */
        scope = bound(parameters, arguments, scope);
    else if (arguments->kind != NIL)
        fail("a function was called with too many arguments");
    step->scope = scope;
    return go_through(step, function->body);
}

static struct value *call(struct step *step)
{
    struct value *function = eval(step->form->car, step->scope);
    struct value *arguments = eval_all(step->form->cdr, step->scope);
    switch (function->kind) {
    case PRIMITIVE: return function->run(arguments);
    case CLOSURE:   return enter(step, function, arguments);
    default:        fail("what is called is no function");
    }
}

static unsigned depth;

static struct value *eval_pair(struct step *step)
{
    const struct special *special = special_of(step->form->car);
    return special != NULL ? special->run(step, step->form->cdr) : call(step);
}

struct value *eval(struct value *form, struct value *scope)
{
    struct step step = { form, scope };
    struct value *value = NULL;

    if (++depth > DEEPEST)
        fail("more than %d calls are open", DEEPEST);
    while (value == NULL)
        switch (step.form->kind) {
        case SYMBOL: value = binding(step.form, step.scope)->cdr; break;
        case PAIR:   value = eval_pair(&step); break;
        default:     value = step.form; break;
        }
    depth--;
    return value;
}

void eval_reset(void)
{
    depth = 0;
}

void eval_init(void)
{
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        specials[i].name = symbol(specials[i].name, strlen(specials[i].name))->text;
}
