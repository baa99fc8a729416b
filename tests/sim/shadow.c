/* shadow.c - blocks in use, by a list and their patterns. */
#include "shadow.h"
#include "os_fake.h"
#include "heap/cage.h"
#include "heap/walk.h"

#include <stdlib.h>
#include <string.h>

struct shadow_block shadow[SHADOW_MAX];
size_t shadow_count;
static uint64_t tags;

/* -- patterns: every byte of small blocks, both ends and a word a page of the others ---------- */

enum { WHOLE = 2048, END = 256, STRIDE = 4096 + 8, SAMPLES = 64 };

static uint64_t pattern(uint64_t tag, size_t offset)
{
    return (tag + offset) * 0x9e3779b97f4a7c15u;
}

static void each_word(size_t bytes, void (*visit)(size_t offset, void *arg), void *arg)
{
    size_t head = bytes <= WHOLE ? bytes : END;
    for (size_t at = 0; at + 8 <= head; at += 8)
        visit(at, arg);
    if (bytes <= WHOLE)
        return;
    size_t stride = bytes / SAMPLES > STRIDE ? round_down(bytes / SAMPLES, 8) : STRIDE;
    for (size_t at = END; at + 8 <= bytes - END; at += stride)
        visit(at, arg);
    for (size_t at = round_up(bytes - END, 8); at + 8 <= bytes; at += 8)
        visit(at, arg);
}

struct visit {
    const struct shadow_block *block;
    word   at;
    size_t kept;                                 /* bytes that must hold the pattern */
};

static void write_word(size_t offset, void *arg)
{
    struct visit *visit = arg;
    uint64_t value = pattern(visit->block->tag, offset);
    memcpy((char *)visit->at + offset, &value, sizeof value);
}

static void check_word(size_t offset, void *arg)
{
    struct visit *visit = arg;
    uint64_t value;
    if (offset + 8 > visit->kept)
        return;
    memcpy(&value, (char *)visit->at + offset, sizeof value);
    if (value != pattern(visit->block->tag, offset))
        fake_die("block %#zx of %zu bytes reads %#llx at offset %zu", visit->at,
                 visit->block->bytes, (unsigned long long)value, offset);
}

/* A block shorter than a word carries its tag in each byte. */
static void short_bytes(const struct shadow_block *block, word at, size_t bytes, bool write)
{
    for (size_t i = 0; i < bytes && block->bytes < 8; i++) {
        unsigned char *byte = (unsigned char *)at + i;
        if (write)
            *byte = (unsigned char)block->tag;
        else if (*byte != (unsigned char)block->tag)
            fake_die("block %#zx of %zu bytes reads %#x at offset %zu", at, block->bytes, *byte, i);
    }
}

void shadow_check_kept(const struct shadow_block *old, word at, size_t bytes)
{
    size_t kept = old->bytes < bytes ? old->bytes : bytes;
    each_word(old->bytes, check_word, &(struct visit){ old, at, kept });
    short_bytes(old, at, kept, false);
}

void shadow_check(const struct shadow_block *block)
{
    shadow_check_kept(block, block->at, block->bytes);
}

void shadow_check_all(void)
{
    for (size_t i = 0; i < shadow_count; i++)
        shadow_check(&shadow[i]);
}

static void expect_zero_word(size_t offset, void *arg)
{
    struct visit *visit = arg;
    uint64_t value;
    memcpy(&value, (char *)visit->at + offset, sizeof value);
    if (value != 0)
        fake_die("a zeroed block %#zx reads %#llx at offset %zu", visit->at,
                 (unsigned long long)value, offset);
}

void shadow_expect_zero(word at, size_t bytes)
{
    struct visit visit = { NULL, at, bytes };
    for (size_t offset = 0; offset + 8 <= bytes && bytes <= MIB(2); offset += 8)
        expect_zero_word(offset, &visit);
    each_word(bytes, expect_zero_word, &visit);
}

/* -- the list --------------------------------------------------------------------------------- */

static void expect_apart(word at, size_t bytes)
{
    for (size_t i = 0; i < shadow_count; i++) {
        const struct shadow_block *other = &shadow[i];
        if (at < other->at + other->bytes + (other->bytes == 0) && other->at < at + bytes)
            fake_die("block %#zx of %zu bytes overlaps block %#zx of %zu bytes", at, bytes,
                     other->at, other->bytes);
    }
}

static void expect_in_cage(word at, size_t bytes)
{
    struct walk_block block;
    if (!cage_holds(at + (bytes != 0 ? bytes - 1 : 0)))
        fake_die("block %#zx of %zu bytes does not end in the cage", at, bytes);
    if (!fake_is_committed(round_down(at, fake.page_bytes), fake.page_bytes))
        fake_die("block %#zx of %zu bytes is not committed", at, bytes);
    if (!walk_look(at, &block) || block.free || block.start != at || block.bytes < bytes)
        fake_die("block %#zx of %zu bytes is unknown to the corridor", at, bytes);
}

void shadow_add(word at, size_t bytes, size_t align, unsigned thread)
{
    struct shadow_block *block = &shadow[shadow_count];
    if (shadow_count == SHADOW_MAX)
        fake_die("more than %d blocks", SHADOW_MAX);
    if (at % align != 0)
        fake_die("block %#zx of %zu bytes is no multiple of %zu", at, bytes, align);
    expect_apart(at, bytes != 0 ? bytes : 1);
    uint64_t tag = ++tags * 0x2545f4914f6cdd1du;
    *block = (struct shadow_block){ at, bytes, tag, thread, !cage_holds(at) };
    if (!block->outside)
        expect_in_cage(at, bytes);
    each_word(bytes, write_word, &(struct visit){ block, at, bytes });
    short_bytes(block, at, bytes, true);
    shadow_count++;
}

struct shadow_block shadow_remove(size_t index)
{
    struct shadow_block block = shadow[index];
    shadow_check(&block);
    shadow[index] = shadow[--shadow_count];
    return block;
}

size_t shadow_inside(void)
{
    size_t count = 0;
    for (size_t i = 0; i < shadow_count; i++)
        count += !shadow[i].outside;
    return count;
}

/* -- the corridor ----------------------------------------------------------------------------- */

static word sorted[SHADOW_MAX];
static size_t sorted_count, seen;

static int by_address(const void *left, const void *right)
{
    word a = *(const word *)left, b = *(const word *)right;
    return a < b ? -1 : a > b;
}

static bool visit_block(const struct walk_block *block, void *arg)
{
    (void)arg;
    if (bsearch(&block->start, sorted, sorted_count, sizeof sorted[0], by_address) == NULL)
        fake_die("the corridor shows block %#zx of %zu bytes, which is not in use", block->start,
                 block->bytes);
    seen++;
    return true;
}

static void resolve_inside(const struct shadow_block *block)
{
    struct ref ref = { 0 };
    size_t offsets[] = { 0, block->bytes / 2, block->bytes != 0 ? block->bytes - 1 : 0 };
    for (size_t i = 0; i < COUNT_OF(offsets); i++)
        if (!walk_resolve(block->at + offsets[i], &ref) || ref.start != block->at)
            fake_die("%zu bytes inside block %#zx the corridor finds %#zx", offsets[i], block->at,
                     ref.start);
}

void shadow_check_walk(void)
{
    sorted_count = seen = 0;
    for (size_t i = 0; i < shadow_count; i++)
        if (!shadow[i].outside) {
            resolve_inside(&shadow[i]);
            sorted[sorted_count++] = shadow[i].at;
        }
    qsort(sorted, sorted_count, sizeof sorted[0], by_address);
    walk_blocks(visit_block, NULL);
    if (seen != sorted_count)
        fake_die("the corridor shows %zu blocks, %zu are in use", seen, sorted_count);
}
