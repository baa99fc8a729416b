/* fault.c - tests of report/fault.h: every sentence, word for word. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "report/fault.h"

#define AT "0x7f1020304050"

static const char *const wanted[FAULT_COUNT] = {
    [FAULT_DOUBLE_FREE] = "double free: free(" AT "), a block of 48 bytes that is free already "
                          "(freed by this thread)",
    [FAULT_INTERIOR] = "invalid free(" AT "): the pointer lies 16 bytes inside a block of 48 bytes "
                       "that starts at 0x7f1020304040",
    [FAULT_INTERIOR_FREE] = "invalid free(" AT "): the pointer lies 16 bytes inside a free block "
                            "of 48 bytes that starts at 0x7f1020304040",
    [FAULT_UNISSUED] = "invalid free(" AT "): the address lies in the heap, but no block was ever "
                       "given out there",
    [FAULT_STALE] = "invalid free(" AT "): the address lies in heap memory that was given back; "
                    "its block was freed before",
    [FAULT_STACK] = "invalid free(" AT "): the address lies on this thread's stack",
    [FAULT_STATIC] = "invalid free(" AT "): the address lies in static data of /lib/x?y.so",
    [FAULT_BOOKKEEPING] = "invalid free(" AT "): the address lies in midden's own bookkeeping",
    [FAULT_UNMAPPED] = "invalid free(" AT "): nothing is mapped at this address",
    [FAULT_FOREIGN] = "invalid free(" AT "): the address belongs to no block of midden, and no "
                      "other allocator is there to take it",
    [FAULT_ARENA] = "invalid free(" AT "): the block belongs to the arena \"/lib/x?y.so\"; arenas "
                    "are freed by rewind or destroy",
    [FAULT_MANAGED] = "invalid free(" AT "): the block is a managed object; release its handle "
                      "instead",
    [FAULT_NO_OBJECT] = "invalid free(" AT "): no counted object begins there",
    [FAULT_OBJECT_GONE] = "invalid free(" AT "): the object is gone, its last handle was released "
                          "before",
    [FAULT_SIZE] = "invalid free(" AT "): 64 bytes were claimed, but the block has 48",
    [FAULT_ALIGNMENT] = "invalid free(" AT "): an alignment of 64 was claimed, but the block does "
                        "not have it",
    [FAULT_CORRUPT] = "midden's own tables were overwritten near " AT ", found in free",
};

static struct fault sample(enum fault_kind kind)
{
    return (struct fault){
        .kind = kind, .call = "free", .pointer = 0x7f1020304050, .start = 0x7f1020304040,
        .block_bytes = 48, .given = 64, .name = "/lib/x\ny.so", .by = " (freed by this thread)",
    };
}

/* What fault_tell writes to file descriptor 2. */
static size_t told(const struct fault *fault, char *out, size_t bytes)
{
    int ends[2], saved = dup(2);
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[1], 2);
    fault_tell(fault);
    dup2(saved, 2);
    close(ends[1]);
    ssize_t got = read(ends[0], out, bytes);
    close(ends[0]);
    close(saved);
    cr_assert_geq(got, 0);
    return (size_t)got;
}

Test(fault, every_sentence_is_filled_to_the_letter)
{
    for (int kind = FAULT_NONE + 1; kind < FAULT_COUNT; kind++) {
        char sentence[FAULT_SENTENCE_BYTES];
        struct fault fault = sample(kind);
        cr_assert_not_null(wanted[kind], "fault %d has no sentence in this test", kind);
        cr_assert_eq(fault_sentence(&fault, sentence, sizeof sentence), strlen(wanted[kind]));
        cr_assert_str_eq(sentence, wanted[kind]);
    }
}

Test(fault, every_sentence_is_told_as_one_line)
{
    for (int kind = FAULT_NONE + 1; kind < FAULT_COUNT; kind++) {
        char line[FAULT_SENTENCE_BYTES + 64], whole[FAULT_SENTENCE_BYTES + 64];
        struct fault fault = sample(kind);
        size_t got = told(&fault, line, sizeof line);
        int length = snprintf(whole, sizeof whole, "midden: %s\n", wanted[kind]);
        cr_assert_eq(got, (size_t)length);
        cr_assert_eq(memcmp(line, whole, got), 0, "%.*s", (int)got, line);
    }
}

Test(fault, what_is_not_known_is_said_so)
{
    char sentence[FAULT_SENTENCE_BYTES];
    struct fault fault = { .kind = FAULT_STATIC, .pointer = 16 };
    fault_sentence(&fault, sentence, sizeof sentence);
    cr_assert_str_eq(sentence,
                     "invalid (unknown)(0x10): the address lies in static data of (unknown)");
    fault = (struct fault){ .kind = FAULT_DOUBLE_FREE, .call = "realloc", .block_bytes = 16 };
    fault_sentence(&fault, sentence, sizeof sentence);
    cr_assert_str_eq(sentence,
                     "double free: realloc(0x0), a block of 16 bytes that is free already");
}

Test(fault, a_kind_that_does_not_exist_is_told_too)
{
    char sentence[FAULT_SENTENCE_BYTES];
    struct fault fault = sample(FAULT_COUNT);
    fault_sentence(&fault, sentence, sizeof sentence);
    cr_assert_str_eq(sentence, "a fault of no known kind");
}

Test(fault, a_sentence_is_cut_where_its_room_ends)
{
    char room[32];
    struct fault fault = sample(FAULT_STACK);
    memset(room, 'x', sizeof room);
    cr_assert_eq(fault_sentence(&fault, room, 12), strlen(wanted[FAULT_STACK]));
    cr_assert_str_eq(room, "invalid fre");
    cr_assert_eq(room[12], 'x');
}

Test(fault, a_line_that_is_cut_still_ends_with_a_newline)
{
    static char name[2000], line[4000];
    struct fault fault = sample(FAULT_STATIC);
    memset(name, 'n', sizeof name - 1);
    fault.name = name;
    size_t got = told(&fault, line, sizeof line);
    cr_assert_gt(got, 256);
    cr_assert_lt(got, 600);
    cr_assert_eq(line[got - 1], '\n');
    cr_assert_eq(line[got - 2], 'n');
}
