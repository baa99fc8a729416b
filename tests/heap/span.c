/* span.c - tests of heap/span.h, against a list of the spans in use. */
#include "ground.h"
#include "heap/cage.h"

enum { MOST = 300, STEPS = 6000 };

static struct span {
    word   at;
    size_t slices;
} spans[MOST];
static size_t count;

static word *first_word(word at, size_t slice)
{
    return (word *)(at + (slice << SLICE_SHIFT));
}

static void expect_zero(word at, size_t slices)
{
    for (size_t i = 0; i < slices; i++) {
        cr_assert_eq(*first_word(at, i), 0);
        cr_assert_eq(first_word(at, i)[SLICE_BYTES / sizeof(word) - 1], 0);
    }
}

static void soil(word at, size_t slices)
{
    for (size_t i = 0; i < slices; i++)
        first_word(at, i)[SLICE_BYTES / sizeof(word) - 1] = *first_word(at, i) = at + i;
}

static void expect_apart(word at, size_t slices)
{
    for (size_t i = 0; i < count; i++)
        cr_assert(at + (slices << SLICE_SHIFT) <= spans[i].at ||
                  spans[i].at + (spans[i].slices << SLICE_SHIFT) <= at);
}

static void take(size_t slices, size_t align, bool dense)
{
    size_t warm = 0;
    word at = span_take(&(struct span_wish){ slices, align, dense }, &warm);
    if (at == 0)
        return;
    cr_assert_eq(cage_slice(at) % align, 0);
    cr_assert(cage_holds(at) && cage_holds(at + (slices << SLICE_SHIFT) - 1));
    expect_apart(at, slices);
    if (warm == 0)
        expect_zero(at, slices);
    soil(at, slices);
    spans[count++] = (struct span){ at, slices };
}

static void give(size_t index)
{
    struct span span = spans[index];
    for (size_t i = 0; i < span.slices; i++)
        cr_assert_eq(*first_word(span.at, i), span.at + i);
    spans[index] = spans[--count];
    span_give(span.at, span.slices);
}

static void extend(struct span *span, size_t more)
{
    size_t warm = 0;
    if (!span_extend(span->at, span->slices, more, &warm))
        return;
    word behind = span->at + (span->slices << SLICE_SHIFT);
    expect_apart(behind, more);
    if (warm == 0)
        expect_zero(behind, more);
    span->slices += more;
    soil(span->at, span->slices);
}

static void step(uint64_t *seed)
{
    uint64_t choice = next(seed) % 20, bits = next(seed);
    size_t slices = bits % 10 == 0 ? 1 + bits / 16 % 100 : 1 + bits / 16 % 6;
    size_t align = bits / 4096 % 8 == 0 ? (size_t)1 << bits / 65536 % 6 : 1;
    if (choice < 10 && count < MOST)
        take(slices, align, bits >> 40 & 1);
    else if (choice < 17 && count != 0)
        give(bits % count);
    else if (choice < 19 && count != 0)
        extend(&spans[bits % count], slices);
    else if (bits % 8 == 0)
        span_purge(bits % MIB(8));
}

static void churn(uint64_t seed)
{
    if (cage.base == 0)
        cr_assert(cage_init());
    for (unsigned i = 0; i < STEPS; i++) {
        step(&seed);
        if (i % 16 == 0)
            span_validate();
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        used += spans[i].slices;
    cr_assert_eq(used_slices(), used);
    while (count != 0)
        give(0);
    cr_assert_eq(used_slices(), 0);
    span_validate();
    cr_assert_eq(fake_locks_held(), 0);
}

Test(span, spans_are_apart_aligned_and_zero_where_they_say_so)
{
    churn(12345);
}

Test(span, on_any_page_size)
{
    fake.page_bytes = SLICE_BYTES;               /* the largest: 64 KiB in tests/sim/wide */
    fake.huge_bytes = 0;
    churn(23456);
}

Test(span, purged_at_once)
{
    span_configure(SPAN_PURGE_NOW, 0, true);
    churn(34567);
    cr_assert_neq(fake.calls_of[FAKE_PURGE], 0);
}

Test(span, never_purged)
{
    fake.locked = true;                          /* and believed to be zero nowhere */
    span_configure(SPAN_PURGE_NEVER, 0, true);
    churn(45678);
}

Test(span, a_purge_that_fails_leaves_what_is_not_zero)
{
    fake.locked = true;
    span_configure(SPAN_PURGE_NOW, 0, false);
    churn(56789);
}

Test(span, where_address_space_is_limited)
{
    fake.space_limit_bytes = MIB(40);
    churn(67890);
    cr_assert_leq(fake.mapped_bytes, MIB(40));
}

Test(span, what_stays_is_bounded)
{
    cr_assert(cage_init());
    for (unsigned i = 0; i < MOST; i++)
        take(KIB(512) >> SLICE_SHIFT, 1, false);
    cr_assert_eq(count, MOST);
    while (count != 0)
        give(count - 1);
    cr_assert_leq(span_figures().dirty_slices << SLICE_SHIFT, MOST * KIB(64), "an eighth of all");
    cr_assert_gt(span_figures().dirty_slices, 0, "a small process keeps its pages");
}

static void give_ten(void)
{
    bool purging = fake_locks_held() == 0 && span_figures().dirty_slices == 0;
    while (purging && count > 5)
        give(count - 1);
}

/* What one gives while another's pages go, and the lock is free, is not what could not be purged:
 * it goes when it is too much. */
Test(span, what_is_given_during_a_purge_goes_with_the_next)
{
    cr_assert(cage_init());
    for (unsigned i = 0; i < 16; i++)
        take(KIB(512) >> SLICE_SHIFT, 1, false);
    give(0);
    fake.interrupt = give_ten;
    span_purge(0);
    fake.interrupt = NULL;
    cr_assert_eq(span_figures().dirty_slices << SLICE_SHIFT, 10 * KIB(512), "not too much");
    while (count != 0)
        give(count - 1);
    cr_assert_leq(span_figures().dirty_slices << SLICE_SHIFT, MIB(6));
}

Test(span, all_goes_back_on_request)
{
    cr_assert(cage_init());
    for (unsigned i = 0; i < 20; i++)
        take(1, 1, false);
    while (count != 0)
        give(count - 1);
    cr_assert_eq(span_purge(0), 20 * SLICE_BYTES);
    cr_assert_eq(span_figures().dirty_slices, 0);
    cr_assert_eq(span_purge(0), 0);
    span_validate();
}

Test(span, the_limit_of_the_options_is_kept)
{
    size_t warm;
    cr_assert(cage_init());
    span_configure(SPAN_PURGE_AUTO, 64 * SLICE_BYTES, true);
    for (unsigned i = 0; i < 64; i++)
        take(1, 1, false);
    cr_assert_eq(count, 64);
    cr_assert_eq(span_take(&(struct span_wish){ 1, 1, false }, &warm), 0);
    cr_assert_not(span_extend(spans[0].at, 1, 1, &warm));
    give(3);
    cr_assert_neq(span_take(&(struct span_wish){ 1, 1, false }, &warm), 0);
    span_validate();
}

Test(span, the_lowest_address_that_fits_is_taken)
{
    cr_assert(cage_init());
    for (unsigned i = 0; i < 10; i++)
        take(2, 1, false);
    word low = spans[2].at;
    give(7);
    give(2);
    take(1, 1, false);
    cr_assert_eq(spans[count - 1].at, low);
    take(1, 1, false);
    cr_assert_eq(spans[count - 1].at, low + SLICE_BYTES);
}

Test(span, absurd_wishes_are_refused)
{
    size_t warm;
    cr_assert(cage_init());
    take(1, 1, false);
    cr_assert_eq(span_take(&(struct span_wish){ SIZE_MAX >> SLICE_SHIFT, 1, false }, &warm), 0);
    cr_assert_eq(span_take(&(struct span_wish){ cage.bytes >> SLICE_SHIFT, 1, true }, &warm), 0);
    cr_assert_eq(span_take(&(struct span_wish){ 1, SIZE_MAX >> SLICE_SHIFT, true }, &warm), 0);
    cr_assert_not(span_extend(spans[0].at, 1, SIZE_MAX >> SLICE_SHIFT, &warm));
    span_validate();
}

/* Every call of a stream is refused in turn. */
Test(span, a_refusal_leaves_nothing_half_done)
{
    cr_assert(cage_init());
    uint64_t seed = 98765;
    for (unsigned i = 0; i < 400; i++) {
        refuse_calls(1 + i % 3);
        for (unsigned k = 0; k < 10; k++)
            step(&seed);
        span_validate();
    }
    fake.fail_count = 0;
    while (count != 0)
        give(0);
    cr_assert_eq(used_slices(), 0);
    take(500, 1, false);
    cr_assert_eq(count, 1);
}
