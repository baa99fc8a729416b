/* scan.c - tests of gc/scan.h: every version against a plain loop. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gc/scan.h"

enum { WORDS = 300, MARK = 0x5a };

static uint64_t draw_state = 88172645463325252u;

static uint64_t draw(void)
{
    draw_state ^= draw_state << 13;
    draw_state ^= draw_state >> 7;
    return draw_state ^= draw_state << 17;
}

static struct scan_version versions[SCAN_VERSIONS];
static size_t version_count;

static void ask(void)
{
    version_count = scan_versions(versions);
}

static size_t expected(const word *at, size_t words, word base, word reach, word *out)
{
    size_t found = 0;
    for (size_t i = 0; i < words; i++)
        if (at[i] >= base && at[i] - base < reach)
            out[found++] = at[i];
    return found;
}

/* `percent` of the words lie in the window, the others anywhere else: near its ends, too. */
static void words_fill(word *at, size_t words, word base, word reach, unsigned percent)
{
    for (size_t i = 0; i < words; i++) {
        word inside = base + draw() % reach, outside = draw();
        switch (draw() % 4) {
        case 0: outside = base + reach + draw() % 3; break;
        case 1: outside = base - 1 - draw() % 3; break;
        }
        at[i] = draw() % 100 < percent ? inside : outside;
    }
}

static void compare(const struct scan_version *version, const word *at, size_t words, word base,
                    word reach)
{
    word want[WORDS], got[WORDS + SCAN_ROOM + 8];
    memset(got, MARK, sizeof got);
    size_t count = expected(at, words, base, reach, want);
    cr_assert_eq(version->filter(at, words, base, reach, got), count, "%s: %zu words",
                 version->name, words);
    cr_assert_arr_eq(got, want, count * sizeof *want, "%s: %zu words", version->name, words);
    for (const unsigned char *byte = (const unsigned char *)(got + words + SCAN_ROOM);
         byte < (const unsigned char *)(got + WORDS + SCAN_ROOM + 8); byte++)
        cr_assert_eq(*byte, MARK, "%s: %zu words: beyond the room", version->name, words);
}

static void compare_all(const word *at, size_t words, word base, word reach)
{
    for (size_t v = 0; v < version_count; v++)
        compare(&versions[v], at, words, base, reach);
}

Test(scan, every_version_finds_what_a_plain_loop_finds, .init = ask)
{
    static word room[WORDS + 8] ALIGNED(64);
    const word base = (word)1 << 42, reach = (word)1 << 38;
    for (unsigned percent = 0; percent <= 100; percent += 10)
        for (size_t words = 0; words <= WORDS; words++)
            for (size_t shift = 0; shift < 8; shift++) {
                words_fill(room + shift, words, base, reach, percent);
                compare_all(room + shift, words, base, reach);
            }
}

Test(scan, windows_anywhere_and_of_any_reach, .init = ask)
{
    word room[WORDS];
    for (unsigned round = 0; round < 20000; round++) {
        word base = draw() >> draw() % 64, reach = 1 + (draw() >> draw() % 64) % ~(word)0;
        size_t words = draw() % 40;
        words_fill(room, words, base, reach, 50);
        for (size_t i = 0; i < words; i++)       /* a window that wraps is not one */
            if (base + reach < base && room[i] < base)
                room[i] = ~room[i] < base ? base : ~room[i];
        compare_all(room, words, base, reach);
    }
}

Test(scan, both_ends_of_the_window_are_exact, .init = ask)
{
    const word base = (word)1 << 46, reach = (word)3 << 16, top = (word)1 << 63;
    word room[] = { base - 1, base, base + 1, base + reach - 1, base + reach, base + reach + 1, 0,
                    ~(word)0, top, top - 1, top + base, (top + base) - 1, base | 7, base ^ top };
    for (size_t from = 0; from < COUNT_OF(room); from++)
        compare_all(room + from, COUNT_OF(room) - from, base, reach);
    compare_all(room, COUNT_OF(room), base, 0);
}

/* N2: the page behind the range and the one before it cannot be read. */
Test(scan, nothing_outside_the_range_is_read, .init = ask)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(pages, MAP_FAILED);
    cr_assert_eq(mprotect(pages + page, page, PROT_READ | PROT_WRITE), 0);
    word *first = (word *)(pages + page), *end = (word *)(pages + 2 * page);
    for (size_t words = 0; words <= 64; words++) {
        words_fill(first, words, (word)1 << 42, (word)1 << 38, 30);
        compare_all(first, words, (word)1 << 42, (word)1 << 38);
        words_fill(end - words, words, (word)1 << 42, (word)1 << 38, 30);
        compare_all(end - words, words, (word)1 << 42, (word)1 << 38);
    }
}

Test(scan, the_choice_is_the_last_version_and_stays, .init = ask)
{
    word at[] = { 5, 1, 9, 6 }, out[COUNT_OF(at) + SCAN_ROOM];
    cr_assert_eq(scan_filter_now, versions[0].filter, "right before a choice is made");
    scan_choose();
    cr_assert_eq(scan_filter_now, versions[version_count - 1].filter);
    scan_choose();
    cr_assert_eq(scan_filter_now, versions[version_count - 1].filter);
    cr_assert_eq(scan_filter_now(at, COUNT_OF(at), 5, 4, out), 2);
    cr_assert(out[0] == 5 && out[1] == 6);
}
