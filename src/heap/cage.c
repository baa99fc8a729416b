/* cage.c - the reservation and its growth. */
#include "heap/cage.h"
#include "heap/slab.h"

struct cage cage;
struct cage_tables cage_tables;

/* Set aside for descriptors: large slabs of 16-byte blocks need 1.8 % of the cage. Slabs of a page
 * need 5 or 6 %; where many threads have little else, they take spans (meta.c). */
enum { META_SHARE = 32 };
#define CAGE_MIN  GIB(1)
#define CAGE_MAX  TIB(16)
#define STEP_MIN  MIB(1)
#define STEP_MAX  MIB(64)
#define SPARSE    MIB(128)  /* room of the sparse zone, where there is a dense one */

/* Each table is laid out for the whole cage and committed as far as the cage reaches, a piece at a
 * time. */
enum { TABLES = 7, PIECE = 64 * 1024, IN_WORD = 64, IN_GROUP = RUNS_CHUNK * RUNS_CHUNKS };
static struct table {
    size_t entry_bytes, slices;                  /* so many slices have an entry */
    word   at;
    size_t reach;                                /* bytes committed */
} tables[TABLES] = {
    { .entry_bytes = sizeof(struct slab *), .slices = 1 },
    { .entry_bytes = sizeof(uint64_t), .slices = IN_WORD },
    { .entry_bytes = sizeof(uint64_t), .slices = IN_WORD },
    { .entry_bytes = sizeof(struct runs_group), .slices = IN_GROUP },
    { .entry_bytes = sizeof(struct runs_group), .slices = IN_GROUP },
    { .entry_bytes = sizeof(uint64_t), .slices = IN_WORD },
    { .entry_bytes = sizeof(uint64_t), .slices = IN_WORD },
};

/* The entry behind the last may be read. */
static size_t table_bytes(const struct table *table, size_t slices, size_t piece)
{
    return round_up((slices / table->slices + 2) * table->entry_bytes, piece);
}

static size_t side_bytes(size_t cage_bytes)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < TABLES; i++)
        bytes += table_bytes(&tables[i], cage_bytes >> SLICE_SHIFT, PIECE);
    return bytes;
}

static void lay_out(size_t cage_bytes, word at)
{
    size_t side = side_bytes(cage_bytes), meta = round_up(cage_bytes / META_SHARE, PIECE);
    word next = at;
    for (unsigned i = 0; i < TABLES; i++) {
        tables[i].at = next;
        next += table_bytes(&tables[i], cage_bytes >> SLICE_SHIFT, PIECE);
    }
    cage_tables = (struct cage_tables){
        .side = at, .meta = at + side, .side_bytes = side, .meta_bytes = meta,
        .available = { (uint64_t *)tables[1].at, (struct runs_group *)tables[3].at },
        .dirty = { (uint64_t *)tables[2].at, (struct runs_group *)tables[4].at },
        .seams = { (uint64_t *)tables[5].at, (uint64_t *)tables[6].at, 0 },
    };
    /* one zone under a limit on address space */
    size_t sparse = (cage.planned ? cage_bytes : SPARSE) >> SLICE_SHIFT;
    /* The first slice is nobody's: the address of the cage itself stands in many words. Nor is the
     * last: no run goes from one zone into the other. */
    cage.zone[ZONE_SPARSE] = (struct cage_zone){ 1, 1, sparse - 1 };
    cage.zone[ZONE_DENSE] = (struct cage_zone){ sparse, sparse, cage_bytes >> SLICE_SHIFT };
    cage.slab_of = (struct slab **)tables[0].at;
    cage.bytes = cage_bytes;
}

/* Under a limit on address space by pages: a small heap has a few words of most tables. */
static bool tables_cover(size_t slices)
{
    size_t piece = cage.planned ? cage.facts.page_bytes : PIECE;
    for (unsigned i = 0; i < TABLES; i++) {
        struct table *table = &tables[i];
        size_t bytes = table_bytes(table, slices, piece);
        if (bytes > table->reach && !cage_commit(table->at + table->reach, bytes - table->reach))
            return false;
        table->reach = bytes > table->reach ? bytes : table->reach;
    }
    return true;
}

static bool reserve(size_t cage_bytes)
{
    size_t ours = side_bytes(cage_bytes) + round_up(cage_bytes / META_SHARE, PIECE);
    word at = os_reserve(ours, PIECE);
    word base = at != 0 ? os_reserve(cage_bytes, GIB(4)) : 0;
    if (base == 0) {
        if (at != 0)
            os_unreserve(at, ours);
        return false;
    }
    lay_out(cage_bytes, at);
    cage.base = base;
    return true;
}

/* Under RLIMIT_AS a reservation would be charged whole: an address range is chosen, and mapped
 * piece by piece. */
static bool plan(size_t cage_bytes)
{
    size_t meta = round_up(cage_bytes / META_SHARE, PIECE);
    size_t ours = round_up(side_bytes(cage_bytes) + meta, GIB(4));
    word at = os_vacant(ours + cage_bytes);
    if (at == 0)
        return false;
    cage.planned = true;
    lay_out(cage_bytes, at);
    cage.base = at + ours;
    return true;
}

bool cage_init(void)
{
    os_facts_read(&cage.facts);
    ASSERT(cage.facts.page_bytes <= SLICE_BYTES);
    size_t limit = cage.facts.space_limit_bytes;
    size_t bytes = power_of_two_up(cage.facts.ram_bytes) * 4;
    bytes = bytes < GIB(64) ? GIB(64) : bytes > CAGE_MAX ? CAGE_MAX : bytes;
    if (limit / 4 < bytes)                       /* as cage_fits */
        return plan(round_up(limit < bytes ? limit : bytes, MIB(4)));
    for (; bytes >= CAGE_MIN; bytes /= 2)
        if (reserve(bytes))
            return true;
    return plan(CAGE_MIN);
}

bool cage_commit(word at, size_t bytes)
{
    return cage.planned ? os_claim(at, bytes) : os_commit(at, bytes);
}

/* Grows in steps that follow the size of the heap: few system calls for a large one, little commit
 * charge for a small one. Where the step is refused, what was asked for may still be had. */
static size_t commit_step(const struct cage_zone *zone, size_t wanted, size_t most)
{
    bool dense = zone == &cage.zone[ZONE_DENSE] && cage.facts.huge_bytes != 0;
    size_t step = cage.planned ? KIB(256) : (zone->reach - zone->first) << SLICE_SHIFT >> 3;
    step = step < STEP_MIN && !cage.planned ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
    step = round_up(step < wanted ? wanted : step, dense ? cage.facts.huge_bytes : SLICE_BYTES);
    step = step > most ? most : step;
    if (cage_commit(cage_address(zone->reach), step))
        return step;
    return step > wanted && cage_commit(cage_address(zone->reach), wanted) ? wanted : 0;
}

/* The tables cover what is added before it is (G2), and never more than the cage: nothing of theirs
 * lies behind. */
size_t cage_grow(enum cage_zone_name name, size_t slices)
{
    struct cage_zone *zone = &cage.zone[name];
    size_t room = zone->end - zone->reach;
    if (slices > room)
        return 0;
    size_t ahead = STEP_MAX >> SLICE_SHIFT;
    size_t most = slices + (ahead < room - slices ? ahead : room - slices);
    if (!tables_cover(zone->reach + most)) {
        most = slices;
        if (!tables_cover(zone->reach + most))
            return 0;
    }
    size_t gained = commit_step(zone, slices << SLICE_SHIFT, most << SLICE_SHIFT) >> SLICE_SHIFT;
    if (gained == 0)
        return 0;
    __atomic_store_n(&zone->reach, zone->reach + gained, __ATOMIC_RELAXED);
    for (size_t i = cage.reach >> SLICE_SHIFT; i < zone->reach; i++)
        cage.slab_of[i] = &slab_none;            /* the gap between the zones, too */
    if (zone->reach << SLICE_SHIFT > cage.reach)
        __atomic_store_n(&cage.reach, zone->reach << SLICE_SHIFT, __ATOMIC_RELEASE);
    return gained;
}

void cage_shrink(enum cage_zone_name name, size_t slices)
{
    struct cage_zone *zone = &cage.zone[name];
    const struct cage_zone *dense = &cage.zone[ZONE_DENSE];
    __atomic_store_n(&zone->reach, zone->reach - slices, __ATOMIC_RELAXED);
    size_t top = dense->reach > dense->first ? dense->reach : cage.zone[ZONE_SPARSE].reach;
    __atomic_store_n(&cage.reach, top << SLICE_SHIFT, __ATOMIC_RELEASE);
    os_unreserve(cage_address(zone->reach), slices << SLICE_SHIFT);
}

static void give_tail(word at, size_t reach, size_t bytes)
{
    if (bytes > reach)
        os_unreserve(at + reach, bytes - reach);
}

void cage_trim(void)
{
    if (cage.base == 0 || cage.planned)
        return;
    for (unsigned i = 0; i < TABLES; i++)
        give_tail(tables[i].at, tables[i].reach,
                  table_bytes(&tables[i], cage.bytes >> SLICE_SHIFT, PIECE));
    give_tail(cage_tables.meta, meta_reach(), cage_tables.meta_bytes);
    for (unsigned i = 0; i < ZONE_COUNT; i++)
        give_tail(cage.base, cage.zone[i].reach << SLICE_SHIFT, cage.zone[i].end << SLICE_SHIFT);
    cage.planned = true;
}

bool cage_fits(size_t limit_bytes)
{
    return limit_bytes / 4 >= cage.bytes;
}

/* Where nothing is reserved, what lies between our pieces may be anybody's. */
bool cage_is_bookkeeping(word address)
{
    if (!cage.planned)
        return address - cage_tables.side < cage_tables.side_bytes + cage_tables.meta_bytes;
    for (unsigned i = 0; i < TABLES; i++)
        if (address - tables[i].at < tables[i].reach)
            return true;
    return address - cage_tables.meta < meta_reach();
}

static unsigned add_range(word ranges[CAGE_RANGES][2], unsigned count, word at, size_t bytes)
{
    ranges[count][0] = at;
    ranges[count][1] = at + bytes;
    return count + (bytes != 0);
}

unsigned cage_ranges(word ranges[CAGE_RANGES][2])
{
    unsigned count = add_range(ranges, 0, cage.base, cage.planned ? cage.reach : cage.bytes);
    if (!cage.planned) {
        size_t ours = cage_tables.side_bytes + cage_tables.meta_bytes;
        return add_range(ranges, count, cage_tables.side, ours);
    }
    for (unsigned i = 0; i < TABLES; i++)
        count = add_range(ranges, count, tables[i].at, tables[i].reach);
    return add_range(ranges, count, cage_tables.meta, meta_reach());
}
