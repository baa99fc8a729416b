/* help.c - what the table of verbs says: on the screen, to the shell, in the man page. */
#include "args.h"
#include "library.h"

#include "base/option.h"

#include <stdio.h>
#include <string.h>

enum { FLAG_BASH = FLAG_LONG, FLAG_SCDOC, FLAG_SCDOC_OPTIONS };

static const struct flag flags[] = {
    { FLAG_BASH, "bash", NULL, "print the completions for bash" },
    { FLAG_SCDOC, "scdoc", NULL, "print the verbs as a section of the man page's source" },
    { FLAG_SCDOC_OPTIONS, "scdoc-options", NULL, "print the options of the library likewise" },
    { 0 }
};

/* -- on the screen ----------------------------------------------------------------------------- */

void help_summary(void)
{
    printf("midden - a malloc that watches its heap\n\n");
    for (size_t i = 0; verbs[i]; i++)
        printf("  midden %-8s  %s\n", verbs[i]->name, verbs[i]->summary);
    printf(
        "\n`midden help VERB` explains a verb, `midden help options` the keys of MIDDEN_OPTIONS,\n"
        "and midden(1) everything.\n");
}

static void print_wrapped(const char *text, int indent, int width)
{
    int column = 0;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        bool fits = column == 0 || column + 1 + length <= width - indent;
        if (!fits)
            printf("\n");
        if (!fits || column == 0)
            column = 0, printf("%*s", indent, "");
        column += printf("%s%.*s", column ? " " : "", length, text);
        text += length;
        if (*text == '\n')
            column = 0, printf("\n");
        text += *text != '\0';
    }
    printf("\n");
}

static void flag_title(const struct flag *flag, char *out, size_t bytes)
{
    char letter[8] = "";
    if (flag->id < FLAG_LONG)
        snprintf(letter, sizeof letter, "-%c, ", flag->id);
    snprintf(out, bytes, "%s--%s%s%s", letter, flag->name, flag->argument ? " " : "",
             flag->argument ? flag->argument : "");
}

void help_verb(const struct verb *verb)
{
    char title[96];
    printf("midden %s %s\n\n", verb->name, verb->operands);
    print_wrapped(verb->details, 2, 100);
    for (const struct flag *flag = verb->flags; flag && flag->name; flag++) {
        if (flag == verb->flags)
            printf("\n");
        flag_title(flag, title, sizeof title);
        printf("  %-28s  %s\n", title, flag->text);
    }
}

/* -- for bash ---------------------------------------------------------------------------------- */

static void bash_keys(void)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        printf("%s%s=", i ? " " : "", option_table[i].name);
}

/* Each name of each flag, and `after` behind it. */
static void bash_flags(const struct verb *verb, bool only_valued, const char *after)
{
    for (const struct flag *flag = verb->flags; flag && flag->name; flag++) {
        if (only_valued && !flag->argument)
            continue;
        if (flag->id < FLAG_LONG)
            printf("-%c%s", flag->id, after);
        printf("--%s%s", flag->name, after);
    }
}

static bool takes_command(const struct verb *verb)
{
    return strstr(verb->operands, "CMD") != NULL;
}

static void bash_verb(const struct verb *verb)
{
    printf("    %s)\n        flags='", verb->name);
    bash_flags(verb, false, " ");
    printf("--help'\n        valued='|");
    bash_flags(verb, true, "|");
    printf("'\n        takes_command=%s ;;\n", takes_command(verb) ? "yes" : "no");
}

static void help_bash(void)
{
    printf(
        "# bash completions for midden(1), printed by `midden help --bash`: change the table of "
        "verbs, not this file.\n"
        "\n"
        "_midden() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at\n"
        "    local flags='' valued='' takes_command=no verbs='");
    for (size_t i = 0; verbs[i]; i++)
        printf("%s%s", i ? " " : "", verbs[i]->name);
    printf("' keys='");
    bash_keys();
    printf("'\n    COMPREPLY=()\n"
           "    if ((COMP_CWORD == 1)); then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$verbs\" -- \"$word\")\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; verbs[i]; i++)
        bash_verb(verbs[i]);
    printf("    esac\n"
           "    for ((at = 2; at < COMP_CWORD; at++)); do     # behind the first operand, CMD "
           "completes itself\n"
           "        if [[ ${COMP_WORDS[at]} == -- ]]; then at=$((at + 1)); break; fi\n"
           "        if [[ ${COMP_WORDS[at]} != -* ]]; then break; fi\n"
           "        if [[ $valued == *\"|${COMP_WORDS[at]}|\"* ]]; then at=$((at + 1)); fi\n"
           "    done\n"
           "    if ((at < COMP_CWORD)) && [[ $takes_command == yes ]] && declare -F "
           "_command_offset >/dev/null; then\n"
           "        _command_offset \"$at\"\n"
           "    elif [[ $before == -o || $before == --options ]]; then\n"
           "        compopt -o nospace\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$keys\" -- \"$word\")\n"
           "    elif [[ $valued == *\"|$before|\"* || $at -lt $COMP_CWORD ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
           "    elif [[ $word == -* ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$word\")\n"
           "    elif [[ ${COMP_WORDS[1]} == help ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$verbs options\" -- \"$word\")\n"
           "    elif [[ $takes_command == yes ]]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -c -- \"$word\")\n"
           "    fi\n"
           "}\n"
           "complete -F _midden midden\n");
}

/* -- for the man page -------------------------------------------------------------------------- */

/* scdoc gives * _ ` \ # a meaning. */
static void scdoc_text(const char *text)
{
    for (; *text; text++) {
        if (strchr("*_\\", *text))
            putchar('\\');
        if (*text == '\n')
            printf("\n\n");
        else
            putchar(*text == '`' ? '"' : *text);
    }
}

static void scdoc_flag(const struct flag *flag)
{
    printf("*");
    if (flag->id < FLAG_LONG)
        printf("-%c*, *", flag->id);
    printf("--%s*", flag->name);
    if (flag->argument) {
        printf(" ");
        scdoc_text(flag->argument);
    }
    printf("\n\t");
    scdoc_text(flag->text);
    printf("\n\n");
}

static void help_scdoc(void)
{
    printf("# SYNOPSIS\n\n");
    for (size_t i = 0; verbs[i]; i++) {
        printf("*midden %s* ", verbs[i]->name);
        scdoc_text(verbs[i]->operands);
        printf("%s\n", verbs[i + 1] ? "++" : "\n\n# VERBS\n");
    }
    for (size_t i = 0; verbs[i]; i++) {
        printf("## midden %s\n\n", verbs[i]->name);
        scdoc_text(verbs[i]->details);
        printf("\n\n");
        for (const struct flag *flag = verbs[i]->flags; flag && flag->name; flag++)
            scdoc_flag(flag);
    }
}

/* Each option of the library, with what it takes and what it is where nothing is said. */
static void help_scdoc_options(void)
{
    char takes[256], initial[64];
    struct text text;
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct option_row *row = &option_table[i];
        text_init(&text, takes, sizeof takes);
        option_takes_text(&text, row);
        text_init(&text, initial, sizeof initial);
        option_value_text(&text, row, row->initial);
        printf("*");
        scdoc_text(row->name);
        printf("*=%s\n\t", initial);
        scdoc_text(row->text);
        printf(". Takes ");
        scdoc_text(takes);
        printf(".\n\n");
    }
}

/* -- midden help ------------------------------------------------------------------------------- */

static int help_word(const struct verb *verb, const char *token)
{
    const struct verb *about = verb_find(token);
    if (about)
        help_verb(about);
    else if (strcmp(token, "options") == 0)
        preload_options_list();
    else {
        struct nearest nearest;
        nearest_start(&nearest, token);
        nearest_offer(&nearest, "options");
        for (size_t i = 0; verbs[i]; i++)
            nearest_offer(&nearest, verbs[i]->name);
        complain(verb, "nothing is known about \"%s\"%s%s%s; `midden` alone lists the verbs", token,
                 nearest.best ? "; did you mean \"" : "", nearest.best ? nearest.best : "",
                 nearest.best ? "\"?" : "");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int act(const struct verb *verb, char **argv)
{
    struct args args;
    args_start(&args, verb, argv);
    int flag = args_next(&args);
    if (flag < 0)
        return args_exit_code(flag);
    if (flag == FLAG_BASH)
        help_bash();
    else if (flag == FLAG_SCDOC)
        help_scdoc();
    else if (flag == FLAG_SCDOC_OPTIONS)
        help_scdoc_options();
    else if (*args.at)
        return help_word(verb, *args.at);
    else
        help_summary();
    return EXIT_DONE;
}

const struct verb verb_help = {
    .name = "help",
    .operands = "[VERB | options]",
    .summary = "explain a verb, or the options of the library",
    .details =
        "Without a word: the verbs. With a verb: what it does and its options. With `options`: "
        "the keys of MIDDEN_OPTIONS with their values and defaults.",
    .flags = flags,
    .act = act,
};
