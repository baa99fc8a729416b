/* shared.c - tests of heap/shared.h: the last resort. */
#include "ground.h"
#include "heap/shared.h"

enum { PARCEL = 20000, MOST = 64 };

static unsigned take_all(word parcel[MOST])
{
    unsigned count = 0;
    while (count < MOST && (parcel[count] = shared_last_resort(PARCEL)) != 0) {
        cr_assert_eq(parcel[count] % CLASS_ALIGN, 0);
        cr_assert(shared_is_last_resort(parcel[count]));
        cr_assert_eq(shared_last_resort_bytes(parcel[count]), PARCEL);
        __builtin_memset((void *)parcel[count], 0x5a, PARCEL);
        count++;
    }
    return count;
}

Test(shared, the_last_resort_begins_anew_when_all_of_it_is_back)
{
    word parcel[MOST];
    unsigned count = take_all(parcel);
    cr_assert(count > 8 && count < MOST);
    for (unsigned i = 0; i + 1 < count; i++)
        shared_last_resort_give(parcel[i]);
    cr_assert_eq(shared_last_resort(PARCEL), 0, "one is out still");
    shared_last_resort_give(parcel[count - 1]);
    cr_assert_eq(take_all(parcel), count);
}

/* A free of a wrong pointer, or a second one, gives nothing back that is in use. */
Test(shared, what_is_no_parcel_is_left_alone)
{
    word first = shared_last_resort(PARCEL), second = shared_last_resort(PARCEL);
    __builtin_memset((void *)first, 0, PARCEL);
    shared_last_resort_give(first + 16);
    shared_last_resort_give(first + 1);
    shared_last_resort_give(first);
    shared_last_resort_give(first);
    cr_assert_neq(shared_last_resort(PARCEL), first);
    cr_assert_eq(shared_last_resort_bytes(second), PARCEL);
}

Test(shared, too_much_is_refused)
{
    cr_assert_eq(shared_last_resort(KIB(129)), 0);
    cr_assert_eq(shared_last_resort(SIZE_MAX - 8), 0);
}

/* Whoever looks for roots looks into what was given out, and no further. */
Test(shared, what_was_not_given_out_of_the_last_resort_is_told)
{
    word end, whole = shared_last_resort_unused(&end);
    word parcel = shared_last_resort(PARCEL), left = shared_last_resort_unused(&end);
    cr_assert(whole < parcel && parcel + PARCEL <= left && left < end);
    cr_assert(shared_is_last_resort(left) && !shared_is_last_resort(end));
    shared_last_resort_give(parcel);
    cr_assert_eq(shared_last_resort_unused(&end), whole);
}
