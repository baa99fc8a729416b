/* cage.c - tests of heap/cage.h. */
#include "ground.h"
#include "heap/slab.h"

static void expect_covered(void)                 /* G2, G3 */
{
    for (unsigned name = 0; name < ZONE_COUNT; name++) {
        const struct cage_zone *zone = &cage.zone[name];
        cr_assert(zone->first <= zone->reach && zone->reach <= zone->end);
        if (zone->reach != zone->first)
            cr_assert(fake_is_committed(cage_address(zone->first),
                                        (zone->reach - zone->first) << SLICE_SHIFT));
    }
    for (size_t i = 0; i < cage.reach >> SLICE_SHIFT; i++)
        cr_assert_eq(cage.slab_of[i], &slab_none);
}

Test(cage, owns_nothing_before_it_is_made)
{
    cr_assert_not(cage_holds(0));
    cr_assert_not(cage_holds((word)&cage));
    cr_assert_not(cage_holds(UINTPTR_MAX));
}

Test(cage, is_four_times_memory_between_64_gib_and_16_tib)
{
    fake.ram_bytes = GIB(24);
    cr_assert(cage_init());
    cr_assert_eq(cage.bytes, GIB(128));
    cr_assert_eq(cage.base % GIB(4), 0);
    cr_assert_eq(fake.committed_bytes, 0);
}

Test(cage, is_halved_until_it_fits)
{
    fake.reserve_limit_bytes = GIB(5);
    cr_assert(cage_init());
    cr_assert_eq(cage.bytes, GIB(4));
    cr_assert_not(cage.planned);
    cr_assert_lt(fake.mapped_bytes, GIB(5), "tables of what was refused are left behind");
}

Test(cage, is_planned_where_address_space_is_limited)
{
    fake.space_limit_bytes = MIB(64);
    cr_assert(cage_init());
    cr_assert(cage.planned);
    cr_assert_eq(fake.mapped_bytes, 0);
    cr_assert_geq(cage_grow(ZONE_SPARSE, 3), 3);
    expect_covered();
}

Test(cage, gains_at_least_what_is_asked_for)
{
    cr_assert(cage_init());
    size_t reach = 0;
    for (size_t slices = 1; slices < 4000; slices *= 3) {
        size_t gained = cage_grow(ZONE_SPARSE, slices);
        cr_assert_geq(gained, slices);
        reach += gained << SLICE_SHIFT;
        cr_assert_eq(cage.reach, SLICE_BYTES + reach);     /* the first slice is nobody's */
        expect_covered();
    }
    cr_assert(cage_holds(cage.base) && cage_holds(cage.base + cage.reach - 1));
    cr_assert_not(cage_holds(cage.base + cage.reach));
    cr_assert_not(cage_holds(cage.base - 1));
}

Test(cage, zones_grow_each_in_its_own_room)
{
    cr_assert(cage_init());
    cr_assert_geq(cage_grow(ZONE_DENSE, 10), 10);
    cr_assert_geq(cage_grow(ZONE_SPARSE, 10), 10);
    cr_assert_leq(cage.zone[ZONE_SPARSE].end, cage.zone[ZONE_DENSE].first);
    expect_covered();
    size_t room = cage.zone[ZONE_SPARSE].end - cage.zone[ZONE_SPARSE].reach;
    cr_assert_eq(cage_grow(ZONE_SPARSE, room + 1), 0);
    cr_assert_eq(cage_grow(ZONE_SPARSE, room), room);
    expect_covered();
}

/* Each call of a growth is refused in turn; the cage is as it was, and grows when asked again. */
Test(cage, a_refused_growth_changes_nothing)
{
    cr_assert(cage_init());
    for (size_t refused = 0; refused < 6; refused++)
        for (size_t count = 1; count < 6; count++) {
            size_t reach = cage.zone[ZONE_DENSE].reach;
            fake.fail_first = fake.calls + 1 + refused;
            fake.fail_count = count;
            size_t gained = cage_grow(ZONE_DENSE, 100);
            cr_assert_eq(cage.zone[ZONE_DENSE].reach, reach + gained);
            fake.fail_count = 0;
            cr_assert_geq(cage_grow(ZONE_DENSE, 1), 1);
            expect_covered();
        }
}

/* Where the tables are refused what the larger step needs, the step is the smaller one. */
Test(cage, never_grows_beyond_its_tables)
{
    cr_assert(cage_init());
    const struct cage_zone *zone = &cage.zone[ZONE_DENSE];
    for (unsigned step = 0; step < 400 && zone->reach - zone->first < 30000; step++) {
        refuse_calls(1);
        cage_grow(ZONE_DENSE, 100);
        cr_assert_geq(cage_grow(ZONE_DENSE, 100), 100);
    }
    expect_covered();
}

Test(cage, more_than_there_is_leaves_the_tables_alone)
{
    fake.space_limit_bytes = GIB(3);
    cr_assert(cage_init());
    size_t end = cage.bytes >> SLICE_SHIFT;
    cr_assert_geq(cage_grow(ZONE_SPARSE, 1), 1);
    size_t mapped = fake.mapped_bytes;
    cr_assert_eq(cage_grow(ZONE_SPARSE, end), 0);
    cr_assert_eq(cage_grow(ZONE_SPARSE, end * 2), 0);
    cr_assert_eq(fake.mapped_bytes, mapped);
    cr_assert_geq(cage_grow(ZONE_SPARSE, 1000), 1000);
    expect_covered();
}

Test(cage, what_is_not_reached_goes_back_and_is_claimed_later)
{
    cr_assert(cage_init());
    cr_assert_geq(cage_grow(ZONE_SPARSE, 10), 10);
    cr_assert_geq(cage_grow(ZONE_DENSE, 10), 10);
    cage_trim();
    cr_assert_lt(fake.mapped_bytes, MIB(8));
    cr_assert(cage.planned);
    cr_assert_geq(cage_grow(ZONE_DENSE, 20000), 20000);
    cr_assert_geq(cage_grow(ZONE_SPARSE, 1000), 1000);
    expect_covered();
}

Test(cage, knows_its_own_tables)
{
    cr_assert(cage_init());
    cr_assert_geq(cage_grow(ZONE_SPARSE, 10), 10);
    cr_assert(cage_is_bookkeeping((word)cage.slab_of));
    cr_assert(cage_is_bookkeeping((word)cage_tables.available.map));
    cr_assert_not(cage_is_bookkeeping(cage.base));
    cr_assert_not(cage_is_bookkeeping((word)&cage));
    cr_assert_not(cage_is_bookkeeping(0));
}
