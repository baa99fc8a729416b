/* lisp.c - scripts and the prompt; see lisp.h.
 * Use    lisp [FILE]...           runs the files; without one, reads what is typed
 *
 * What the language has: define, set!, lambda, let, if, cond, begin, quote; numbers, strings,
 * symbols, pairs; the functions of lisp_primitive.c. () is false, all else is true. A define is
 * global, wherever it stands. (gc) collects, and answers how many objects were found.
 */
#include "lisp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static jmp_buf after_failure;

_Noreturn void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("error: ", stderr);
    vfprintf(stderr, format, arguments);
    putc('\n', stderr);
    va_end(arguments);
    longjmp(after_failure, 1);
}

/* Values typed at the prompt are shown; a script shows what it displays. */
static bool run_one(FILE *in, bool shows, bool prompts)
{
    if (prompts) {
        fputs("> ", stdout);
        fflush(stdout);
    }
    struct value *form = read_value(in);
    if (form == NULL)
        return false;
    struct value *value = eval(form, nil);
    if (shows) {
        print(stdout, value, true);
        putchar('\n');
    }
    return true;
}

/* An error ends the form it happens in, and a script. */
static int run_file(const char *name)
{
    FILE *in = fopen(name, "r");
    if (in == NULL) {
        fprintf(stderr, "lisp: %s: %s\n", name, strerror(errno));
        return 1;
    }
    int failed = setjmp(after_failure);
    while (!failed && run_one(in, false, false))
        ;
    fclose(in);
    return failed;
}

static int run_typed(void)
{
    bool prompts = isatty(0);
    if (setjmp(after_failure) != 0)
        eval_reset();
    while (run_one(stdin, true, prompts))
        ;
    return 0;
}

int main(int count, char **word)
{
    if (setjmp(after_failure) != 0)
        return 1;
    eval_init();
    primitive_init();
    if (count == 1)
        return run_typed();
    for (int i = 1; i < count; i++)
        if (run_file(word[i]) != 0)
            return 1;
    return 0;
}
