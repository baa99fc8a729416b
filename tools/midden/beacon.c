/* beacon.c - see beacon.h. */
#include "beacon.h"

#include "heap/arena.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

enum { SEGMENTS = 64, DYNAMICS = 256, CHAIN_BOUND = 1 << 16 };

/* An object as it is mapped: where its dynamic tables lie in the process. */
struct object {
    struct peer *peer;
    word         base;                           /* what its own addresses are relative to */
    word         symbols, strings, hash;
};

/* -- the object's tables ----------------------------------------------------------------------- */

static bool copy(struct peer *peer, word at, void *out, size_t bytes)
{
    return peer_read(peer, at, out, bytes) == bytes;
}

/* The loader has made most of these absolute; those of some processors stay as in the file. */
static word absolute(const struct object *object, word value)
{
    return value < object->base ? object->base + value : value;
}

static bool read_dynamic(struct object *object, word at, size_t bytes)
{
    ElfW(Dyn) entry[DYNAMICS];
    size_t count = bytes / sizeof *entry < DYNAMICS ? bytes / sizeof *entry : DYNAMICS;
    if (!copy(object->peer, at, entry, count * sizeof *entry))
        return false;
    for (size_t i = 0; i < count && entry[i].d_tag != DT_NULL; i++) {
        word value = absolute(object, entry[i].d_un.d_ptr);
        if (entry[i].d_tag == DT_SYMTAB)
            object->symbols = value;
        if (entry[i].d_tag == DT_STRTAB)
            object->strings = value;
        if (entry[i].d_tag == DT_GNU_HASH)
            object->hash = value;
    }
    return object->symbols && object->strings && object->hash;
}

static bool read_object(struct object *object, struct peer *peer, word lo)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segment[SEGMENTS];
    *object = (struct object){ .peer = peer, .base = lo };
    if (!copy(peer, lo, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0
        || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phnum > SEGMENTS
        || !copy(peer, lo + header.e_phoff, segment, header.e_phnum * sizeof *segment))
        return false;
    const ElfW(Phdr) *dynamic = NULL;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        if (segment[i].p_type == PT_LOAD && segment[i].p_offset == 0)
            object->base = lo - segment[i].p_vaddr;
        if (segment[i].p_type == PT_DYNAMIC)
            dynamic = &segment[i];
    }
    return dynamic && read_dynamic(object, object->base + dynamic->p_vaddr, dynamic->p_memsz);
}

/* -- the symbol -------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 5381;
    while (*name)
        hash = hash * 33 + (unsigned char)*name++;
    return hash;
}

static word symbol_if(const struct object *object, uint32_t index, const char *name)
{
    ElfW(Sym) symbol;
    char there[64] = "";
    size_t length = strlen(name) + 1;
    if (!copy(object->peer, object->symbols + index * sizeof symbol, &symbol, sizeof symbol)
        || symbol.st_shndx == SHN_UNDEF
        || !copy(object->peer, object->strings + symbol.st_name, there, length))
        return 0;
    return memcmp(there, name, length) == 0 ? object->base + symbol.st_value : 0;
}

/* Buckets lead to chains of hashes, a chain ends at an odd one. */
static word find_symbol(const struct object *object, const char *name)
{
    struct { uint32_t buckets, first, filters, shift; } table;
    uint32_t index, entry, hash = hash_of(name);
    struct peer *peer = object->peer;
    if (!copy(peer, object->hash, &table, sizeof table) || table.buckets == 0)
        return 0;
    word buckets = object->hash + sizeof table + table.filters * sizeof(word);
    word chains = buckets + table.buckets * sizeof entry;
    if (!copy(peer, buckets + hash % table.buckets * sizeof entry, &index, sizeof index)
        || index < table.first)
        return 0;
    for (unsigned bound = 0; bound < CHAIN_BOUND; bound++, index++) {
        if (!copy(peer, chains + (index - table.first) * sizeof entry, &entry, sizeof entry))
            return 0;
        word found = (entry | 1) == (hash | 1) ? symbol_if(object, index, name) : 0;
        if (found || (entry & 1))
            return found;
    }
    return 0;
}

/* -- the same tables? -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t    number;
} ours[] = {
#define CHART(name, number) { #name, number },
#include "heap/chart.def"
#undef CHART
};

static bool differs(struct beacon *beacon, const char *what, uint32_t there, uint32_t here)
{
    if (there == here)
        return false;
    snprintf(beacon->difference, sizeof beacon->difference, "%s is %u there and %u here", what,
             there, here);
    return true;
}

static enum beacon_answer compare(struct beacon *beacon, struct peer *peer)
{
    const struct published *there = &beacon->published;
    if (differs(beacon, "the revision of the tables", there->revision, CHART_REVISION)
        || differs(beacon, "the size of the chart", there->chart_bytes, sizeof(struct chart)))
        return BEACON_OTHER;
    if (!copy(peer, (word)there->chart, &beacon->chart, sizeof beacon->chart))
        return BEACON_UNREADABLE;
    for (size_t i = 0; i < CHART_COUNT; i++)
        if (differs(beacon, ours[i].name, beacon->chart.number[i], ours[i].number))
            return BEACON_OTHER;
    return copy(peer, (word)beacon->chart.cage, &beacon->cage, sizeof beacon->cage)
         ? BEACON_FOUND : BEACON_UNREADABLE;
}

static enum beacon_answer read_beacon(struct beacon *beacon, struct peer *peer, word at)
{
    if (!copy(peer, at, &beacon->published, sizeof beacon->published))
        return BEACON_UNREADABLE;
    beacon->published.version[sizeof beacon->published.version - 1] = '\0';
    if (memcmp(beacon->published.magic, PUBLISHED_MAGIC, 8) != 0
        || beacon->published.bytes != sizeof beacon->published)
        return BEACON_MUTE;
    return compare(beacon, peer);
}

/* -- the search -------------------------------------------------------------------------------- */

static bool is_library(const struct mapping *mapping)
{
    const char *name = strrchr(mapping->path, '/');
    return name && strncmp(name, "/libmidden", 10) == 0;
}

static enum beacon_answer look_into(struct beacon *beacon, struct peer *peer,
                                    const struct mapping *mapping)
{
    struct object object;
    char probe;
    if (is_library(mapping) && peer_read(peer, mapping->lo, &probe, 1) == 0)
        return BEACON_UNREADABLE;
    word at = read_object(&object, peer, mapping->lo)
            ? find_symbol(&object, PUBLISHED_SYMBOL) : 0;
    snprintf(beacon->path, sizeof beacon->path, "%s", mapping->path);
    if (at)
        return read_beacon(beacon, peer, at);
    return is_library(mapping) ? BEACON_MUTE : BEACON_ABSENT;
}

/* Where several copies are mapped, the one that has a cage is the malloc of the process. */
static bool is_better(enum beacon_answer answer, const struct beacon *found,
                      enum beacon_answer before, const struct beacon *best)
{
    if (answer == BEACON_ABSENT)
        return false;
    if (answer != BEACON_FOUND || before != BEACON_FOUND)
        return before == BEACON_ABSENT || answer == BEACON_FOUND;
    return found->cage.reach > best->cage.reach;
}

static enum beacon_answer look_through(struct beacon *beacon, struct peer *peer, bool named)
{
    enum beacon_answer best = BEACON_ABSENT;
    for (size_t i = 0; i < peer->count; i++) {
        const struct mapping *mapping = &peer->mapping[i];
        struct beacon found = { .path = "" };
        bool object = mapping->readable && mapping->offset == 0 && mapping->inode != 0;
        if (!object || is_library(mapping) != named)
            continue;
        enum beacon_answer answer = look_into(&found, peer, mapping);
        if (!is_better(answer, &found, best, beacon))
            continue;
        *beacon = found;
        best = answer;
    }
    return best;
}

/* By its usual name first: a look into an object may bring a page of it into the process. */
enum beacon_answer beacon_find(struct beacon *beacon, struct peer *peer)
{
    enum beacon_answer answer = look_through(beacon, peer, true);
    return answer != BEACON_ABSENT ? answer : look_through(beacon, peer, false);
}
