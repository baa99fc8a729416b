/* flat.c - one big array of pointers whose elements are replaced, and text, which holds none. */
#include "collect.h"

#include <string.h>

/* -- array ------------------------------------------------------------------------------------- */

static uint64_t **array_root;

static uint64_t *element_new(struct draw *draw, uint64_t number)
{
    size_t words = 2 + draw_below(draw, 7);
    uint64_t *element = object_new(words * sizeof *element);
    element[0] = number;
    return element;
}

/* Eight replacements an element. */
static void array(struct job *job)
{
    struct draw draw = { 362436069 };
    size_t count = job->size / 8 + 1;
    array_root = object_new(count * sizeof *array_root);
    for (size_t i = 0; i < count; i++)
        array_root[i] = element_new(&draw, i);
    for (size_t i = 0; i < job->size; i++) {
        uint64_t **slot = &array_root[draw_below(&draw, count)];
        job->sum = mix(job->sum, (*slot)[0]);
        *slot = element_new(&draw, i);
    }
    job->roots[0] = array_root;
}

/* -- text -------------------------------------------------------------------------------------- */

enum { TEXTS = 500 };

struct text {
    char  *bytes;
    size_t count;
};

static struct text *text_root;

/* 1 KiB to 1 MiB, each doubling as often as another; every byte is written. */
static struct text text_new(struct draw *draw)
{
    size_t least = (size_t)1024 << draw_below(draw, 10);
    struct text text = { .count = least + draw_below(draw, least + 1) };
    text.bytes = leaf_new(text.count);
    memset(text.bytes, 'a' + (int)draw_below(draw, 26), text.count);
    return text;
}

static void text(struct job *job)
{
    struct draw draw = { 521288629 };
    text_root = object_new(TEXTS * sizeof *text_root);
    for (size_t i = 0; i < job->size; i++) {
        struct text *slot = &text_root[draw_below(&draw, TEXTS)];
        if (slot->bytes != NULL && slot->bytes[0] != slot->bytes[slot->count - 1])
            collect_fail("a text does not hold what was written into it");
        if (slot->bytes != NULL)
            job->sum = mix(job->sum, slot->count * 256 + (unsigned char)slot->bytes[0]);
        *slot = text_new(&draw);
    }
    job->roots[0] = text_root;
}

const struct program flat_programs[] = {
    { "array", array, 8000000, "a million pointers whose objects are replaced at random" },
    { "text", text, 40000, "text of 1 KiB to 1 MiB, 500 of them kept" },
    { 0 }
};
