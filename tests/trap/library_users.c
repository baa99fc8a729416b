/* library_users.c - blocks that the C library allocates for its callers, who free them; and what
 *      it keeps for itself. */
#include "tap.h"

#include <dirent.h>
#include <glob.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <regex.h>
#include <search.h>
#include <wchar.h>

static void text_point(void)
{
    char   *line = NULL, *made = NULL, *memory = NULL;
    size_t  room = 0, bytes = 0;
    FILE   *from = fopen("/proc/self/status", "r"), *to;
    ssize_t longest = 0, got;

    while ((got = getline(&line, &room, from)) > 0)
        longest = got > longest ? got : longest;
    fclose(from);
    check(longest > 0 && (size_t)longest < malloc_usable_size(line) + 1, "getline grows our block");
    free(line);
    check(asprintf(&made, "%0999d", 7) == 999 && strlen(made) == 999, "asprintf");
    free(made);
    to = open_memstream(&memory, &bytes);
    for (int i = 0; i < 10000; i++)
        fprintf(to, "%d ", i);
    fclose(to);
    check(bytes == 48890 && !strncmp(memory, "0 1 2 ", 6), "open_memstream");
    free(memory);
    made = realpath("/proc/self/../self/exe", NULL);
    check(made != NULL, "realpath");
    free(made);
    made = getcwd(NULL, 0);
    check(made && made[0] == '/', "getcwd");
    free(made);
    made = strndup("a long string", 6);
    check(made && !strcmp(made, "a long"), "strndup");
    free(made);
}

static int all(const struct dirent *entry)
{
    return entry != NULL;
}

static void directory_point(void)
{
    struct dirent **name;
    glob_t          found;
    int             count = scandir("/proc/self", &name, all, alphasort);

    for (int i = 0; i < count; i++)
        free(name[i]);
    free(count > 0 ? name : NULL);
    check(count > 10, "scandir");
    check(glob("/proc/self/f*", 0, NULL, &found) == 0 && found.gl_pathc > 0, "glob");
    globfree(&found);
}

static void regex_point(void)
{
    regex_t    compiled;
    regmatch_t match[3];

    check(regcomp(&compiled, "(a+b|c[de]*)+(x|y)", REG_EXTENDED) == 0, "regcomp");
    check(regexec(&compiled, "zzaabcdedey", 3, match, 0) == 0 && match[0].rm_so == 2, "regexec");
    regfree(&compiled);
}

static int less(const void *a, const void *b)
{
    return memcmp(a, b, 40);
}

static void sort_point(void)
{
    enum { COUNT = 20000 };
    char *rows = malloc((size_t)COUNT * 40), ok = 1;

    for (int i = 0; i < COUNT; i++)
        snprintf(rows + 40 * i, 40, "%039d", i * 7919 % COUNT);
    qsort(rows, COUNT, 40, less);
    for (int i = 0; i < COUNT; i++)
        ok &= atoi(rows + 40 * i) == i;
    check(ok, "qsort of more than fits the stack");
    free(rows);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void tree_point(void)
{
    void *root = NULL;

    for (int i = 0; i < 1000; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i * 37 % 500);
        tsearch(strdup(text), &root, by_text);
    }
    check(tfind("123", &root, by_text) != NULL, "tsearch");
    tdestroy(root, free);
}

static void rest_point(void)
{
    struct addrinfo *found = NULL;
    iconv_t          to = iconv_open("UTF-16LE", "UTF-8");
    wchar_t         *wide = NULL;
    FILE            *stream = open_wmemstream(&wide, &(size_t){ 0 });

    check(to != (iconv_t)-1 && iconv_close(to) == 0, "iconv_open");
    check(setlocale(LC_ALL, "C.UTF-8") || setlocale(LC_ALL, "C"), "setlocale");
    check(getaddrinfo("127.0.0.1", "80", NULL, &found) == 0, "getaddrinfo");
    freeaddrinfo(found);
    fwprintf(stream, L"%d", 42);
    fclose(stream);
    check(wide && wide[0] == L'4', "open_wmemstream");
    free(wide);
    for (int i = 0; i < 500; i++) {
        char name[32], value[64];

        snprintf(name, sizeof name, "NAME_%d", i % 50);
        snprintf(value, sizeof value, "%060d", i);
        setenv(name, value, 1);
    }
    check(atoi(getenv("NAME_7")) == 457, "setenv");
    clearenv();
}

int main(void)
{
    text_point();
    directory_point();
    regex_point();
    sort_point();
    tree_point();
    rest_point();
    return done();
}
