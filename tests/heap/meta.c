/* meta.c - tests of heap/meta.h. */
#include "ground.h"
#include "heap/meta.h"

#include <string.h>

enum { PIECES = 2000 };

static bool is_zero(const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

Test(meta, pieces_are_zero_aligned_and_apart)
{
    struct { unsigned char *at; size_t bytes; } pieces[PIECES];
    uint64_t seed = 4711;
    cr_assert(cage_init());
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].bytes = 1 + next(&seed) % (23 * META_UNIT);
        pieces[i].at = meta_take(pieces[i].bytes);
        cr_assert_not_null(pieces[i].at);
        cr_assert_eq((word)pieces[i].at % META_UNIT, 0);
        cr_assert(is_zero(pieces[i].at, pieces[i].bytes));
        memset(pieces[i].at, (int)(i % 255 + 1), pieces[i].bytes);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < pieces[i].bytes; k++)
            cr_assert_eq(pieces[i].at[k], i % 255 + 1);
}

Test(meta, a_piece_given_back_is_taken_again_and_zero)
{
    cr_assert(cage_init());
    unsigned char *piece = meta_take(300);
    memset(piece, 0xee, 300);
    meta_give(piece, 300);
    size_t reach = meta_reach();
    unsigned char *again = meta_take(290);
    cr_assert_eq(again, piece);
    cr_assert(is_zero(again, 290));
    cr_assert_neq(meta_take(300), piece);
    cr_assert_eq(meta_reach(), reach);
}

Test(meta, a_piece_given_back_stays_readable)
{
    unsigned char *pieces[PIECES];
    cr_assert(cage_init());
    for (size_t i = 0; i < PIECES; i++)
        cr_assert_not_null(pieces[i] = meta_take(1000));
    for (size_t i = 0; i < PIECES; i++)
        meta_give(pieces[i], 1000);
    for (size_t i = 0; i < PIECES; i++)
        cr_assert(fake_is_committed(round_down((word)pieces[i], fake.page_bytes), fake.page_bytes));
}

Test(meta, a_refusal_is_an_answer_and_passes)
{
    cr_assert(cage_init());
    cr_assert_not_null(meta_take(64));
    refuse_calls(100000);
    size_t taken = 0;
    while (taken < 10000 && meta_take(1024) != NULL)
        taken++;
    cr_assert_lt(taken, 100);
    fake.fail_count = 0;
    cr_assert_not_null(meta_take(1024));
    cr_assert_eq(fake_locks_held(), 0);
}

/* Nor does one that was given back stand in for it. */
Test(meta, an_aligned_piece_is_aligned_whatever_lies_before)
{
    cr_assert(cage_init());
    for (size_t align = META_UNIT; align <= KIB(4); align *= 2) {
        void *odd = meta_take(3 * META_UNIT), *again = meta_take(META_UNIT);
        cr_assert(odd != NULL && again != NULL);
        meta_give(again, META_UNIT);
        word piece = (word)meta_take_aligned(META_UNIT, align);
        cr_assert(piece != 0 && piece % align == 0);
    }
}
