/* binary.c - tests of tools/midden/binary.h: facts of real files; damaged files are answers. */
#include "binary.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES = 8 << 20 };

static char sound[FILE_BYTES];                   /* this program, as a file */
static size_t sound_bytes;

static void read_itself(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    ssize_t got = read(fd, sound, sizeof sound);
    close(fd);
    cr_assert_gt(got, (ssize_t)sizeof(ElfW(Ehdr)));
    sound_bytes = (size_t)got;
}

/* A file of these bytes, read. */
static enum binary_answer answer_to(const char *bytes, size_t count, struct binary_facts *facts)
{
    char path[] = "/tmp/midden-binary-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, count), (ssize_t)count);
    enum binary_answer answer = binary_read(path, facts);
    close(fd);
    unlink(path);
    return answer;
}

Test(binary, this_program_is_dynamic_and_native)
{
    struct binary_facts facts;
    cr_assert_eq(binary_read("/proc/self/exe", &facts), BINARY_READ);
    cr_assert(facts.native && facts.dynamic && !facts.own_malloc && !facts.go);
    cr_assert_eq(facts.class_bits, 8 * sizeof(void *));
    cr_assert_eq(facts.machine, binary_machine_here());
    cr_assert_str_neq(facts.loader, "");
}

Test(binary, what_is_no_program)
{
    struct binary_facts facts;
    cr_assert_eq(binary_read("/no/such/file", &facts), BINARY_UNREADABLE);
    cr_assert_eq(binary_read("/tmp", &facts), BINARY_UNREADABLE);
    cr_assert_eq(answer_to("", 0, &facts), BINARY_NOT_ELF);
    cr_assert_eq(answer_to("#!/bin/sh\n", 10, &facts), BINARY_NOT_ELF);
    cr_assert_eq(answer_to("\177ELF", 4, &facts), BINARY_DAMAGED);
}

Test(binary, a_program_cut_anywhere_is_an_answer)
{
    struct binary_facts facts;
    read_itself();
    for (size_t bytes = 0; bytes < 2048; bytes += 7)
        answer_to(sound, bytes, &facts);
    for (size_t i = 1; i < 64; i++)
        answer_to(sound, sound_bytes * i / 64, &facts);
}

/* Offsets, sizes and counts are what a damaged header lies about. */
Test(binary, headers_that_lie_are_an_answer)
{
    static const uint64_t lies[] = {
        0, 1, 7, 0xffff, 0x7fffffff, 0xffffffff, (uint64_t)1 << 63, UINT64_MAX - 7, UINT64_MAX
    };
    struct binary_facts facts;
    read_itself();
    const ElfW(Ehdr) *header = (const void *)sound;
    size_t end = header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr));
    size_t bytes = sound_bytes < 65536 ? sound_bytes : 65536;
    for (size_t at = EI_NIDENT; at < end; at += 4)
        for (size_t i = 0; i < COUNT_OF(lies); i++) {
            char kept[8];
            memcpy(kept, sound + at, sizeof kept);
            memcpy(sound + at, &lies[i], i % 2 ? 8 : 4);
            answer_to(sound, bytes, &facts);
            memcpy(sound + at, kept, sizeof kept);
        }
}

Test(binary, section_headers_that_lie_are_an_answer)
{
    struct binary_facts facts;
    read_itself();
    const ElfW(Ehdr) *header = (const void *)sound;
    size_t count = header->e_shnum, first = header->e_shoff;
    for (size_t at = first; at + 8 <= first + count * sizeof(ElfW(Shdr)); at += 24) {
        char kept[8];
        memcpy(kept, sound + at, sizeof kept);
        memset(sound + at, 0xff, sizeof kept);
        answer_to(sound, sound_bytes, &facts);
        memcpy(sound + at, kept, sizeof kept);
    }
}
