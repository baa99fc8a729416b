/* handshake.c - the library's side of the handshake.
 * Job         handshake.h. The file is read before it is mapped: a file shorter than the page would
 *             end the program with SIGBUS at the first touch.
 * Locking     none. `page` is set once, before there are threads.
 */
#include "report/handshake.h"
#include "base/text.h"
#include "os/os.h"

static struct {
    struct handshake *page;                      /* NULL: nobody listens */
} handshake;

static bool magic_is_right(const char *bytes)
{
    for (unsigned i = 0; i < 8; i++)
        if (bytes[i] != HANDSHAKE_MAGIC[i])
            return false;
    return true;
}

bool handshake_attach(void)
{
    char bytes[HANDSHAKE_BYTES + 1];
    const char *path = os_environment(HANDSHAKE_VARIABLE);
    if (handshake.page != NULL)
        return true;
    if (path == NULL || !text_starts(path, "/proc/"))
        return false;
    if (os_read_file(path, bytes, sizeof bytes) < HANDSHAKE_BYTES || !magic_is_right(bytes))
        return false;
    handshake.page = os_map_shared(path, HANDSHAKE_BYTES);
    if (handshake.page == NULL)
        return false;
    __atomic_fetch_add(&handshake.page->attached, 1, __ATOMIC_RELAXED);
    return true;
}

static void note_write(struct handshake_note *note, uint32_t number, enum fault_kind kind,
                       const char *sentence)
{
    struct text text;
    __atomic_exchange_n(&note->number, 0, __ATOMIC_SEQ_CST);   /* H1; seen before what follows */
    note->kind = kind;
    note->pid = os_process_id();
    text_init(&text, note->sentence, sizeof note->sentence);
    text_string(&text, sentence);
    __atomic_store_n(&note->number, number, __ATOMIC_RELEASE);   /* pairs: handshake_last */
}

void handshake_fault(enum fault_kind kind, const char *sentence)
{
    struct handshake *page = handshake.page;
    if (page == NULL)
        return;
    uint32_t number = __atomic_fetch_add(&page->faults, 1, __ATOMIC_RELAXED);
    struct handshake_note *note = &page->note[number % HANDSHAKE_NOTES];
    if (__atomic_exchange_n(&note->busy, 1, __ATOMIC_ACQUIRE) != 0)   /* pairs: the store below */
        return;
    note_write(note, number + 1, kind, sentence);
    __atomic_store_n(&note->busy, 0, __ATOMIC_RELEASE);
}
