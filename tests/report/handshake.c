/* handshake.c - tests of report/handshake.h: both sides, over a real memory file. */
#define _GNU_SOURCE 1
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/handshake.h"

static char path[64];

static struct handshake *page_made(size_t file_bytes)
{
    int fd = memfd_create("handshake", MFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, (off_t)file_bytes), 0);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), fd);
    void *page = mmap(NULL, HANDSHAKE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(page, MAP_FAILED);
    return page;
}

static struct handshake *attached_page(void)
{
    struct handshake *page = page_made(HANDSHAKE_BYTES);
    handshake_init(page);
    setenv(HANDSHAKE_VARIABLE, path, 1);
    cr_assert(handshake_attach());
    return page;
}

Test(handshake, a_program_that_starts_is_counted_once)
{
    struct handshake *page = attached_page();
    cr_assert_eq(handshake_attached(page), 1);
    cr_assert(handshake_attach());
    cr_assert_eq(handshake_attached(page), 1);
    cr_assert_eq(handshake_faults(page), 0);
    cr_assert_null(handshake_last(page));
}

Test(handshake, nothing_is_touched_where_nobody_asked)
{
    unsetenv(HANDSHAKE_VARIABLE);
    cr_assert_not(handshake_attach());
    handshake_fault(FAULT_STACK, "nobody listens");
}

Test(handshake, a_file_without_the_magic_is_left_alone)
{
    struct handshake *page = page_made(HANDSHAKE_BYTES);
    memcpy(page->magic, "middenH0", 8);
    setenv(HANDSHAKE_VARIABLE, path, 1);
    cr_assert_not(handshake_attach());
    cr_assert_eq(handshake_attached(page), 0);
}

Test(handshake, a_file_shorter_than_the_page_is_left_alone)
{
    page_made(8);
    int fd = open(path, O_WRONLY);
    cr_assert_eq(write(fd, HANDSHAKE_MAGIC, 8), 8);
    setenv(HANDSHAKE_VARIABLE, path, 1);
    cr_assert_not(handshake_attach());
}

Test(handshake, only_files_of_proc_are_opened)
{
    struct handshake *page = page_made(HANDSHAKE_BYTES);
    char link[] = "/tmp/midden-handshake-XXXXXX";
    handshake_init(page);
    cr_assert_not_null(mkdtemp(link));
    char name[64];
    snprintf(name, sizeof name, "%s/page", link);
    cr_assert_eq(symlink(path, name), 0);
    setenv(HANDSHAKE_VARIABLE, name, 1);
    cr_assert_not(handshake_attach());
    unlink(name);
    rmdir(link);
}

Test(handshake, a_fault_is_noted_and_counted)
{
    struct handshake *page = attached_page();
    handshake_fault(FAULT_INTERIOR, "the sentence");
    const struct handshake_note *last = handshake_last(page);
    cr_assert_not_null(last);
    cr_assert_eq(handshake_faults(page), 1);
    cr_assert_eq(last->kind, FAULT_INTERIOR);
    cr_assert_eq(last->pid, getpid());
    cr_assert_str_eq(last->sentence, "the sentence");
}

Test(handshake, the_last_of_many_faults_is_kept)
{
    struct handshake *page = attached_page();
    for (unsigned i = 0; i < 3 * HANDSHAKE_NOTES + 1; i++) {
        char sentence[32];
        snprintf(sentence, sizeof sentence, "fault %u", i);
        handshake_fault(FAULT_DOUBLE_FREE, sentence);
        cr_assert_str_eq(handshake_last(page)->sentence, sentence);
        cr_assert_eq(handshake_faults(page), i + 1);
    }
}

Test(handshake, a_long_sentence_stays_in_its_note)
{
    static char sentence[2000];
    struct handshake *page = attached_page();
    memset(sentence, 'x', sizeof sentence - 1);
    handshake_fault(FAULT_STATIC, sentence);
    handshake_fault(FAULT_STATIC, sentence);
    cr_assert_eq(strlen(page->note[0].sentence), HANDSHAKE_SENTENCE_BYTES - 1);
    cr_assert_eq(page->note[1].number, 2);
}

Test(handshake, a_forked_child_notes_its_faults_for_the_same_command)
{
    struct handshake *page = attached_page();
    pid_t child = fork();
    if (child == 0) {
        handshake_fault(FAULT_STACK, "in the child");
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(handshake_last(page)->pid, child);
    cr_assert_eq(handshake_attached(page), 1, "a fork is no new program");
}

Test(handshake, a_note_left_half_written_costs_that_note_only)
{
    struct handshake *page = attached_page();
    page->note[1].busy = 1;                      /* its writer was killed */
    for (unsigned i = 0; i < 2 * HANDSHAKE_NOTES; i++)
        handshake_fault(FAULT_STACK, "a sentence");
    cr_assert_eq(handshake_faults(page), 2 * HANDSHAKE_NOTES);
    cr_assert_eq(handshake_last(page)->number, 2 * HANDSHAKE_NOTES);
    cr_assert_eq(page->note[1].number, 0);
}

static void *many_faults(void *arg)
{
    for (unsigned i = 0; i < 1000; i++)
        handshake_fault(FAULT_DOUBLE_FREE, arg);
    return NULL;
}

Test(handshake, no_fault_of_several_threads_is_lost_from_the_count)
{
    pthread_t thread[4];
    struct handshake *page = attached_page();
    for (unsigned i = 0; i < COUNT_OF(thread); i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, many_faults, "from a thread"), 0);
    for (unsigned i = 0; i < COUNT_OF(thread); i++)
        pthread_join(thread[i], NULL);
    cr_assert_eq(handshake_faults(page), 4000);
    cr_assert_str_eq(handshake_last(page)->sentence, "from a thread");
}
