/* options.c - the options of this process.
 * Job      options.h.
 * Locking  `state` goes from 0 to LOADING by compare-and-swap, so that one caller reads, and to
 *          LOADED by a release store that publishes `options`; it pairs with the acquire load of
 *          every caller.
 */
#include "front/options.h"
#include "base/text.h"
#include "os/os.h"

enum {
    LINE_BYTES = 1024,
    EXIT_FAILED = 125,                           /* as env(1) when it fails by itself */
};

enum { UNLOADED, LOADING, LOADED };

static struct {
    struct options options;
    uint32_t       state;
    char           file[OPTIONS_FILE_BYTES + 2]; /* one more than allowed, and NUL; too large for
                                                    the stacks of some threads */
} loaded;

/* -- telling ----------------------------------------------------------------------------------- */

static void line_begin(struct text *text, char *line)
{
    text_init(text, line, LINE_BYTES - 1);       /* the newline keeps its place in a cut line */
    text_string(text, "midden: ");
}

static void line_end(struct text *text)
{
    text->base[text->length] = '\n';
    os_write(2, text->base, text->length + 1);
}

static void warn(const struct option_complaint *complaint, void *arg)
{
    char line[LINE_BYTES];
    struct text text;
    (void)arg;
    line_begin(&text, line);
    option_complaint_text(&text, complaint);
    line_end(&text);
}

static void warn_long(const char *path)
{
    char line[LINE_BYTES];
    struct text text;
    line_begin(&text, line);
    text_format(&text, "%s is longer than ", path);
    text_bytes(&text, OPTIONS_FILE_BYTES);
    text_string(&text, "; what follows is ignored");
    line_end(&text);
}

void options_confirm(const struct options *options)
{
    char line[LINE_BYTES];
    struct text text;
    for (unsigned key = 0; key < KEY_COUNT; key++) {
        line_begin(&text, line);
        option_describe(&text, options, (enum option_key)key);
        line_end(&text);
    }
}

bool options_policy(const struct options *options, struct policy *out)
{
    size_t where;
    if (policy_parse(options->text[SLOT_collect], out, &where) == POLICY_OK)
        return true;
    *out = policy_initial;
    return false;
}

/* -- reading ----------------------------------------------------------------------------------- */

/* False if the file is too long. A line cut in the middle would mean something else: its beginning
 * goes too. */
static bool file_read(const char *path)
{
    size_t length = os_read_file(path, loaded.file, sizeof loaded.file);
    if (length <= OPTIONS_FILE_BYTES)
        return true;
    while (length > 0 && loaded.file[length - 1] != '\n')
        length--;
    loaded.file[length] = '\0';
    return false;
}

static unsigned read_trusted(struct options *options, const struct options_source *source)
{
    struct option_source file = { source->file, warn, NULL, policy_judge };
    struct option_source environment = { OPTIONS_VARIABLE, warn, NULL, policy_judge };
    unsigned complaints = 0;
    if (!file_read(source->file)) {
        complaints++;
        warn_long(source->file);
    }
    complaints += option_parse_file(options, loaded.file, source->program, &file);
    if (source->environment != NULL)
        complaints += option_parse(options, source->environment, &environment);
    return complaints;
}

static void read_secure(struct options *options, const struct options_source *source)
{
    struct options asked = option_initial;
    struct option_source silent = { source->file, NULL, NULL, NULL };
    file_read(source->file);
    option_parse_file(&asked, loaded.file, source->program, &silent);
    options->midden = asked.midden;
    options->origin[KEY_midden] = asked.origin[KEY_midden];
}

unsigned options_read(struct options *options, const struct options_source *source)
{
    option_defaults(options);
    if (!source->secure)
        return read_trusted(options, source);
    read_secure(options, source);
    return 0;
}

static void load(struct options *options)
{
    char program[LINE_BYTES];
    struct os_facts facts;
    os_facts_read(&facts);
    os_program(program, sizeof program);
    struct options_source source = {
        OPTIONS_FILE, os_environment(OPTIONS_VARIABLE), program, facts.secure,
    };
    unsigned complaints = options_read(options, &source);
    if (options->confirm)
        options_confirm(options);
    if (complaints > 0 && options->strict) {
        static const char end[] = "midden: strict=on: the program is not started\n";
        os_write(2, end, sizeof end - 1);
        os_exit(EXIT_FAILED);
    }
}

const struct options *options_load(void)
{
    uint32_t unloaded = UNLOADED;
    if (__atomic_load_n(&loaded.state, __ATOMIC_ACQUIRE) == LOADED)
        return &loaded.options;
    if (!__atomic_compare_exchange_n(&loaded.state, &unloaded, LOADING, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_ACQUIRE))
        return unloaded == LOADED ? &loaded.options : &option_initial;
    load(&loaded.options);
    __atomic_store_n(&loaded.state, LOADED, __ATOMIC_RELEASE);
    return &loaded.options;
}
