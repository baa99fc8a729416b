/* lisp.h - a small Lisp whose memory is midden's: uncounted objects, found by the words that reach
 * them, and freed by nobody.
 *
 *     lisp_value.c       values and how they are printed
 *     lisp_read.c        text -> values
 *     lisp_eval.c        values -> values: special forms, closures, tail calls without a stack
 *     lisp_primitive.c   what is written in C
 *     lisp.c             scripts and the prompt
 *
 * Shows  midden_alloc for what holds pointers, midden_alloc_leaf for what holds none, midden_intern
 *        for names: equal bytes, equal pointer. There is no free, no handle and no registered root
 *        in these files: what the C stack, static data or another live value points at is kept.
 */
#ifndef LISP_H
#define LISP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum kind { NIL, TRUE, NUMBER, STRING, SYMBOL, PAIR, CLOSURE, PRIMITIVE };

struct value;
typedef struct value *primitive(struct value *arguments);

struct value {                           /* as long as its kind needs, never changed but by set! */
    enum kind kind;
    union {
        long        number;
        const char *text;                /* of a symbol: interned */
        struct { struct value *car, *cdr; };
        struct { struct value *parameters, *body, *scope; };
        primitive  *run;
    };
};

/* ---- lisp_value.c ---------------------------------------------------------------------------- */

extern struct value nil[], yes[];        /* () and #t */

struct value *number(long number);
struct value *string(const char *bytes, size_t count);
struct value *symbol(const char *bytes, size_t count);
struct value *pair(struct value *car, struct value *cdr);
struct value *closure(struct value *parameters, struct value *body, struct value *scope);
struct value *primitive_value(primitive *run);

struct value *first(struct value *list); /* fail where there is none */
struct value *rest(struct value *list);
struct value *wanted(struct value *value, enum kind kind);

void print(FILE *out, const struct value *value, bool quoted);

/* Ends what is being evaluated, with a sentence. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- lisp_read.c ----------------------------------------------------------------------------- */

struct value *read_value(FILE *in);      /* NULL: the end */

/* ---- lisp_eval.c ----------------------------------------------------------------------------- */

/* A scope is a list of (symbol . value), the innermost first; behind it come the globals. */
struct value *eval(struct value *form, struct value *scope);
void          define(const char *name, struct value *value);     /* a global one */
void          eval_init(void);
void          eval_reset(void);          /* after fail */

/* ---- lisp_primitive.c ------------------------------------------------------------------------ */

void primitive_init(void);

#endif
