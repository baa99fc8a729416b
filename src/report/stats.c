/* stats.c - figures of the heap and counters of rare events, as text and as JSON. */
#include "report/stats.h"
#include "heap/walk.h"
#include "os/os.h"
#include "base/count.h"

enum { TELL_BYTES = 8192 };

static const struct count_row {
    const char *name, *text;
    const uint64_t *value;
} count_table[] = {
#define COUNT(name, text) { #name, text, &counts.name },
#include "base/count.def"
#undef COUNT
};

static void line(struct text *out, const char *label, size_t bytes)
{
    text_string(out, "  ");
    text_string(out, label);
    for (size_t i = text_length(label); i < 30; i++)
        text_char(out, ' ');
    text_bytes(out, bytes);
    text_char(out, '\n');
}

static void text_classes(struct text *out)
{
    text_string(out, "  size class: blocks in use / cut, slabs\n");
    for (unsigned class = 0; class < walk_class_count(); class++) {
        struct walk_class figures;
        walk_class_figures(class, &figures);
        if (figures.slabs != 0)
            text_format(out, "    %zu: %zu / %zu, %zu\n", figures.block_bytes, figures.taken,
                        figures.blocks, figures.slabs);
    }
}

void stats_text(struct text *out)
{
    struct walk_figures figures;
    walk_figures(&figures);
    text_format(out, "midden[%d]: statistics\n", os_process_id());
    line(out, "in use by the program", figures.taken_bytes);
    line(out, "free inside slabs", figures.free_bytes);
    line(out, "empty spans with pages", figures.dirty_bytes);
    line(out, "midden's tables", figures.meta_bytes);
    line(out, "spans in use", figures.span_bytes);
    line(out, "spans in use, at most", figures.peak_span_bytes);
    line(out, "address range in reach", figures.reach_bytes);
    text_format(out, "  %zu blocks in use, %zu of them spans of their own; %zu heaps, %zu alive\n",
                figures.taken_blocks, figures.large_blocks, figures.heaps, figures.live_heaps);
    text_classes(out);
    for (size_t i = 0; i < COUNT_OF(count_table); i++)
        if (*count_table[i].value != 0)
            text_format(out, "  %lu %s\n", (unsigned long)*count_table[i].value,
                        count_table[i].text);
}

static void json_field(struct text *out, const char *name, uint64_t value, const char *behind)
{
    text_json(out, name);
    text_char(out, ':');
    text_decimal(out, value);
    text_string(out, behind);
}

static void json_memory(struct text *out)
{
    struct walk_figures figures;
    walk_figures(&figures);
    text_string(out, "\"memory\":{");
    json_field(out, "live", figures.taken_bytes, ",");
    json_field(out, "slack", figures.free_bytes, ",");
    json_field(out, "dirty", figures.dirty_bytes, ",");
    json_field(out, "metadata", figures.meta_bytes, ",");
    json_field(out, "spans", figures.span_bytes, ",");
    json_field(out, "peak_spans", figures.peak_span_bytes, ",");
    json_field(out, "arenas", figures.arena_bytes, ",");
    json_field(out, "large", figures.large_bytes, ",");
    json_field(out, "committed", figures.reach_bytes, ",");
    json_field(out, "reserved", figures.cage_bytes, "},");
    text_string(out, "\"blocks\":{");
    json_field(out, "live", figures.taken_blocks, ",");
    json_field(out, "large", figures.large_blocks, "},");
    text_string(out, "\"heaps\":{");
    json_field(out, "made", figures.heaps, ",");
    json_field(out, "live", figures.live_heaps, "},");
}

static void json_classes(struct text *out)
{
    const char *between = "";
    text_string(out, "\"classes\":[");
    for (unsigned class = 0; class < walk_class_count(); class++) {
        struct walk_class figures;
        walk_class_figures(class, &figures);
        if (figures.slabs == 0)
            continue;
        text_string(out, between);
        text_char(out, '{');
        json_field(out, "bytes", figures.block_bytes, ",");
        json_field(out, "blocks", figures.taken, ",");
        json_field(out, "capacity", figures.blocks, ",");
        json_field(out, "slabs", figures.slabs, "}");
        between = ",";
    }
    text_string(out, "],");
}

void stats_json(struct text *out)
{
    text_string(out, "{\"schema\":\"midden.stats/1\",");
    json_field(out, "pid", (uint64_t)os_process_id(), ",");
    json_memory(out);
    json_classes(out);
    text_string(out, "\"counts\":{");
    for (size_t i = 0; i < COUNT_OF(count_table); i++)
        json_field(out, count_table[i].name, *count_table[i].value,
                   i + 1 < COUNT_OF(count_table) ? "," : "");
    text_string(out, "}}\n");
}

static int kept_stderr = 2;

void stats_keep_stderr(void)
{
    int copy = os_duplicate(2);
    kept_stderr = copy >= 0 ? copy : 2;
}

void stats_tell(void)
{
    char room[TELL_BYTES];
    struct text out;
    text_init(&out, room, sizeof room);
    stats_text(&out);
    os_write(kept_stderr, room, out.length);
}
