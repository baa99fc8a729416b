/* waterfall.c - a survey for the eye: the table that sums to RSS, the classes, the verdict.
 * Job  Every figure in bytes, exactly, and beside it for reading. A verdict names bytes, says what
 *      would give them back, and keeps silent where they are too few to matter.
 */
#include "survey.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Worth advice: from a twentieth of RSS on. What is not midden's: from a fifth. */
enum { SHARE_WORTH = 20, SHARE_OTHER = 5, FINDINGS = 12 };
#define BYTES_WORTH ((int64_t)MIB(8))            /* and never below */

static const struct {
    const char *label, *words;
} rows[ROW_COUNT] = {
#define ROW(name, label, words) { label, words },
#include "row.def"
#undef ROW
};

struct readable {
    char text[32];
};

static struct readable readable(int64_t bytes)
{
    struct readable out;
    struct text text;
    text_init(&text, out.text, sizeof out.text);
    if (bytes < 0)
        text_char(&text, '-');
    text_bytes(&text, (uint64_t)(bytes < 0 ? -bytes : bytes));
    return out;
}

/* -- the table --------------------------------------------------------------------------------- */

static struct readable share_of(int64_t bytes, int64_t rss)
{
    struct readable out = { "" };
    if (rss > 0 && bytes > 0)
        snprintf(out.text, sizeof out.text, "%s%d %%", bytes * 100 < rss ? "<" : "",
                 bytes * 100 < rss ? 1 : (int)((bytes * 200 + rss) / (rss * 2)));
    return out;
}

static void note_blocks(int64_t blocks, int64_t bytes, int64_t resident)
{
    printf("%" PRId64 " block%s", blocks, blocks == 1 ? "" : "s");
    if (bytes != resident)
        printf(" of %s, %s of it without a page", readable(bytes).text,
               readable(bytes - resident).text);
    printf(" (%" PRId64 " bytes)", bytes);
}

static void note(const struct survey *survey, enum row row)
{
    if (row == ROW_live)
        note_blocks(survey->live_blocks, survey->live_bytes, survey->row[row]);
    if (row == ROW_large)
        note_blocks(survey->large_blocks, survey->large_bytes, survey->row[row]);
    if (row == ROW_arena)
        note_blocks(survey->arena_blocks, survey->arena_bytes, survey->row[row]);
    if (row == ROW_free && survey->row[row])
        printf("%s of it malloc_trim can give back", readable(survey->trimmable).text);
    if (row == ROW_stacks)
        printf("%" PRId64 " thread%s", survey->threads, survey->threads == 1 ? "" : "s");
}

static void print_row(const struct survey *survey, enum row row, bool words)
{
    int64_t bytes = survey->row[row];
    printf("  %-26s %11s %15" PRId64 " %6s  ", rows[row].label, readable(bytes).text, bytes,
           share_of(bytes, survey->rss).text);
    note(survey, row);
    printf("\n");
    if (words)
        printf("      %s\n", rows[row].words);
}

static bool is_shown(const struct survey *survey, enum row row, bool words)
{
    return words || row == ROW_live || survey->row[row] != 0
        || (row == ROW_large && survey->large_blocks) || (row == ROW_arena && survey->arena_blocks);
}

static void print_foot(const struct survey *survey)
{
    printf("  %-26s %11s %15s\n", "", "-----------", "---------------");
    printf("  %-26s %11s %15" PRId64 "\n", "RSS", readable(survey->rss).text, survey->rss);
    if (survey->swap)
        printf("  and swapped out             %11s %15" PRId64 "         %s of it midden's\n",
               readable(survey->swap).text, survey->swap, readable(survey->heap_swap).text);
    if (strcmp(survey->pages, "estimate") == 0)
        printf("  The kernel does not tell which pages are in memory (/proc/PID/pagemap): midden's "
               "rows are\n  estimates, live blocks first. The numbers of blocks are exact.\n");
}

void survey_table(const struct survey *survey, bool words)
{
    printf("%s, process %" PRId64 ", midden %s (%s)\n\n", survey->command, survey->pid,
           survey->version, survey->library);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (i == ROW_HEAP_END)
            printf("\n");
        if (is_shown(survey, (enum row)i, words))
            print_row(survey, (enum row)i, words);
    }
    print_foot(survey);
}

void survey_classes(const struct survey *survey)
{
    printf("\n  %8s %12s %12s %8s %12s %12s %12s\n", "class", "live blocks", "of", "slabs",
           "live", "free pages", "free beside");
    for (size_t i = 0; i < survey->class_count; i++) {
        const struct survey_class *class = &survey->classes[i];
        printf("  %8" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRIu64 " %12s %12s %12s\n",
               class->size, class->blocks, class->capacity, class->slabs,
               readable((int64_t)class->live).text, readable((int64_t)class->free).text,
               readable((int64_t)class->pinned).text);
    }
}

/* -- the verdict ------------------------------------------------------------------------------- */

struct advice {
    int64_t bytes;
    char    text[400];
};
struct verdict {
    struct advice advice[FINDINGS];
    size_t        count;
};

static bool is_worth(const struct survey *survey, int64_t bytes)
{
    return bytes >= BYTES_WORTH && bytes >= survey->rss / SHARE_WORTH;
}

static void PRINTF(4, 5) add(struct verdict *verdict, const struct survey *survey, int64_t bytes,
                             const char *format, ...)
{
    va_list arguments;
    if (!is_worth(survey, bytes) || verdict->count == FINDINGS)
        return;
    struct advice *advice = &verdict->advice[verdict->count++];
    advice->bytes = bytes;
    va_start(arguments, format);
    vsnprintf(advice->text, sizeof advice->text, format, arguments);
    va_end(arguments);
}

static const struct survey_class *most_pinned(const struct survey *survey)
{
    const struct survey_class *most = &survey->classes[0];
    for (size_t i = 0; i < survey->class_count; i++)
        if (survey->classes[i].pinned > most->pinned)
            most = &survey->classes[i];
    return most;
}

static void judge_pinned(struct verdict *verdict, const struct survey *survey)
{
    const struct survey_class *class = most_pinned(survey);
    add(verdict, survey, survey->row[ROW_pinned],
        "%s is free, but on pages that live blocks hold; most of it in class %" PRIu64 ": %s free "
        "beside %s live. New blocks of these sizes go there first. To have it back, keep what "
        "lives long apart from what does not (midden/arena.h)",
        readable(survey->row[ROW_pinned]).text, class->size,
        readable((int64_t)class->pinned).text, readable((int64_t)class->live).text);
}

static void judge_heap(struct verdict *verdict, const struct survey *survey)
{
    int64_t live = survey->row[ROW_live] + survey->row[ROW_large] + survey->row[ROW_arena];
    add(verdict, survey, live,
        "%s is live blocks: the program asked for them and has not freed them; --classes tells "
        "their sizes", readable(live).text);
    add(verdict, survey, survey->trimmable,
        "%s is whole pages of free blocks: malloc_trim(0), called by the thread that freed them, "
        "gives them back", readable(survey->trimmable).text);
    int64_t stuck = survey->row[ROW_free] - survey->trimmable;
    add(verdict, survey, stuck,
        "%s is pages of free blocks that wait for new ones of their class: those of blocks below "
        "1 KiB, and those in huge pages (MIDDEN_OPTIONS=huge=never), are not given back one by "
        "one", readable(stuck).text);
    judge_pinned(verdict, survey);
    add(verdict, survey, survey->row[ROW_empty],
        "%s is empty spans kept for the next wave of blocks: malloc_trim(0) gives them back now, "
        "MIDDEN_OPTIONS=purge=now as soon as they are empty",
        readable(survey->row[ROW_empty]).text);
    add(verdict, survey, survey->row[ROW_huge],
        "%s was never used and is in memory because of huge pages: MIDDEN_OPTIONS=huge=never "
        "saves it, at the price of more page faults", readable(survey->row[ROW_huge]).text);
}

static void judge_rest(struct verdict *verdict, const struct survey *survey)
{
    static const struct {
        enum row    row;
        const char *text;
    } others[] = {
        { ROW_anonymous, "is not midden's: the program or a library maps it itself; "
                         "/proc/PID/smaps shows where" },
        { ROW_brk, "is in the data segment, which midden does not use: another allocator's" },
        { ROW_files, "is mapped from files; the kernel drops what of it is unchanged when memory "
                     "is short" },
        { ROW_stacks, "is stacks of threads" },
        { ROW_shared, "is shared memory, which other processes may count as theirs too" },
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        int64_t bytes = survey->row[others[i].row];
        if (bytes >= survey->rss / SHARE_OTHER)
            add(verdict, survey, bytes, "%s %s", readable(bytes).text, others[i].text);
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct advice *one = a, *other = b;
    return (one->bytes < other->bytes) - (one->bytes > other->bytes);
}

static int64_t beside_blocks(const struct survey *survey)
{
    int64_t bytes = 0;
    for (size_t i = ROW_free; i < ROW_HEAP_END; i++)
        bytes += survey->row[i];
    return bytes;
}

/* Said first: whether there is anything to gain in the heap at all. */
static void print_gain(const struct survey *survey)
{
    int64_t beside = beside_blocks(survey);
    if (survey->committed == 0)
        printf("midden is loaded and has given no block: midden=off was chosen, or another "
               "allocator comes first in LD_PRELOAD (`midden doctor %" PRId64 "`).\n",
               survey->pid);
    else if (is_worth(survey, beside))
        printf("midden holds %s beside live blocks.\n", readable(beside).text);
    else
        printf("midden holds %s beside live blocks: nothing worth looking for.\n",
               readable(beside).text);
}

void survey_verdict(const struct survey *survey)
{
    struct verdict verdict = { .count = 0 };
    judge_heap(&verdict, survey);
    judge_rest(&verdict, survey);
    qsort(verdict.advice, verdict.count, sizeof *verdict.advice, by_bytes);
    printf("\nverdict: ");
    print_gain(survey);
    for (size_t i = 0; i < verdict.count; i++)
        printf("  - %s.\n", verdict.advice[i].text);
}
