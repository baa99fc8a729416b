/* binary.c - see binary.h. */
#include "binary.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
    const char *base;
    size_t      bytes;
};

/* A sanitizer whose runtime brings its own malloc: by the library it is linked with, or by what
 * that library exports when it was linked in statically. */
static const struct {
    const char *name, *library, *symbol;
} sanitizers[] = {
    { "AddressSanitizer",   "libasan.so",     "__asan_init"   },
    { "AddressSanitizer",   "libclang_rt.asan", "__asan_init" },
    { "HWAddressSanitizer", "libhwasan.so",   "__hwasan_init" },
    { "ThreadSanitizer",    "libtsan.so",     "__tsan_init"   },
    { "MemorySanitizer",    "libmsan.so",     "__msan_init"   },
    { "LeakSanitizer",      "liblsan.so",     "__lsan_init"   },
};

/* -- bytes of the file ------------------------------------------------------------------------- */

/* A table of the file, NULL if it leaves it; one that is not aligned was made by no linker. */
static const void *image_at(const struct image *image, uint64_t offset, uint64_t bytes)
{
    bool inside = offset <= image->bytes && bytes <= image->bytes - offset;
    bool aligned = offset % sizeof(ElfW(Addr)) == 0;
    return inside && aligned ? image->base + offset : NULL;
}

static const char *image_string(const struct image *image, uint64_t offset)
{
    if (offset >= image->bytes || !memchr(image->base + offset, '\0', image->bytes - offset))
        return NULL;
    return image->base + offset;
}

static void copy_word(char *out, size_t room, const char *token)
{
    size_t length = token ? strnlen(token, room - 1) : 0;
    if (length)
        memcpy(out, token, length);
    out[length] = '\0';
}

static enum binary_answer image_open(struct image *image, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return BINARY_UNREADABLE;
    struct stat about;
    enum binary_answer answer = BINARY_UNREADABLE;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        image->bytes = (size_t)about.st_size;
        image->base = image->bytes ? mmap(NULL, image->bytes, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
        answer = image->base && image->base != MAP_FAILED ? BINARY_READ : BINARY_NOT_ELF;
    }
    close(fd);
    return answer;
}

/* -- program headers and the dynamic section --------------------------------------------------- */

static const ElfW(Phdr) *segments(const struct image *image, const ElfW(Ehdr) *header)
{
    bool sane = header->e_phentsize == sizeof(ElfW(Phdr));
    return sane ? image_at(image, header->e_phoff, (uint64_t)header->e_phnum * sizeof(ElfW(Phdr)))
                : NULL;
}

/* Where in the file the byte lies that the program sees at `address`; past the file's end:
 * nowhere. */
static uint64_t file_offset(const struct image *image, const ElfW(Ehdr) *header, uint64_t address)
{
    const ElfW(Phdr) *segment = segments(image, header);
    for (unsigned i = 0; segment && i < header->e_phnum; i++)
        if (segment[i].p_type == PT_LOAD && address - segment[i].p_vaddr < segment[i].p_filesz)
            return address - segment[i].p_vaddr + segment[i].p_offset;
    return image->bytes;
}

static void note_needed(struct binary_facts *facts, const char *library)
{
    for (unsigned i = 0; library && i < COUNT_OF(sanitizers); i++) {
        if (strncmp(library, sanitizers[i].library, strlen(sanitizers[i].library)) != 0)
            continue;
        facts->sanitizer = sanitizers[i].name;
        facts->sanitizer_evidence = sanitizers[i].library;
        return;
    }
}

static void read_dynamic(const struct image *image, const ElfW(Ehdr) *header,
                         const ElfW(Phdr) *segment, struct binary_facts *facts)
{
    size_t count = segment->p_filesz / sizeof(ElfW(Dyn));
    const ElfW(Dyn) *entry = image_at(image, segment->p_offset, segment->p_filesz);
    uint64_t strings = image->bytes;
    for (size_t i = 0; entry && i < count && entry[i].d_tag != DT_NULL; i++)
        if (entry[i].d_tag == DT_STRTAB)
            strings = file_offset(image, header, entry[i].d_un.d_ptr);
    for (size_t i = 0; entry && i < count && entry[i].d_tag != DT_NULL; i++) {
        if (entry[i].d_tag == DT_NEEDED)
            note_needed(facts, image_string(image, strings + entry[i].d_un.d_val));
        if (entry[i].d_tag == DT_SONAME)
            copy_word(facts->soname, sizeof facts->soname,
                      image_string(image, strings + entry[i].d_un.d_val));
    }
}

static bool read_segments(const struct image *image, const ElfW(Ehdr) *header,
                          struct binary_facts *facts)
{
    const ElfW(Phdr) *segment = segments(image, header);
    for (unsigned i = 0; segment && i < header->e_phnum; i++) {
        if (segment[i].p_type == PT_INTERP)
            copy_word(facts->loader, sizeof facts->loader,
                      image_string(image, segment[i].p_offset));
        if (segment[i].p_type == PT_DYNAMIC)
            read_dynamic(image, header, &segment[i], facts);
    }
    /* The loader itself names none, but has a name, which a static PIE has not; it preloads for the
     * program it is given. */
    facts->dynamic = facts->loader[0] || strncmp(facts->soname, "ld", 2) == 0;
    return segment != NULL;
}

/* -- sections: exported symbols, marks of compilers -------------------------------------------- */

static void note_export(struct binary_facts *facts, const char *name)
{
    if (strcmp(name, "malloc") == 0)
        facts->own_malloc = true;
    if (strncmp(name, "__", 2) != 0 || facts->sanitizer)
        return;
    for (unsigned i = 0; i < COUNT_OF(sanitizers); i++) {
        if (strcmp(name, sanitizers[i].symbol) != 0)
            continue;
        facts->sanitizer = sanitizers[i].name;
        facts->sanitizer_evidence = sanitizers[i].symbol;
    }
}

static void read_exports(const struct image *image, const ElfW(Shdr) *table,
                         const ElfW(Shdr) *strings, struct binary_facts *facts)
{
    const ElfW(Sym) *symbol = image_at(image, table->sh_offset, table->sh_size);
    for (size_t i = 0; symbol && i < table->sh_size / sizeof *symbol; i++) {
        const char *name = image_string(image, strings->sh_offset + symbol[i].st_name);
        if (name && symbol[i].st_shndx != SHN_UNDEF)
            note_export(facts, name);
    }
}

/* Section headers may be stripped: what they would have told stays unknown, which is no error. */
static void read_sections(const struct image *image, const ElfW(Ehdr) *header,
                          struct binary_facts *facts)
{
    unsigned count = header->e_shnum;
    const ElfW(Shdr) *section = image_at(image, header->e_shoff, (uint64_t)count * sizeof *section);
    if (!section || header->e_shentsize != sizeof *section || header->e_shstrndx >= count)
        return;
    uint64_t names = section[header->e_shstrndx].sh_offset;
    for (unsigned i = 0; i < count; i++) {
        const char *name = image_string(image, names + section[i].sh_name);
        if (name && (strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".note.go.buildid") == 0))
            facts->go = true;
        if (section[i].sh_type == SHT_DYNSYM && section[i].sh_link < count)
            read_exports(image, &section[i], &section[section[i].sh_link], facts);
    }
}

/* -- the whole --------------------------------------------------------------------------------- */

static bool is_native(const ElfW(Ehdr) *header)
{
    bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    unsigned char class_here = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    return header->e_ident[EI_CLASS] == class_here
        && header->e_ident[EI_DATA] == (little ? ELFDATA2LSB : ELFDATA2MSB);
}

/* e_machine lies at the same place in both classes; its two bytes are read in the file's own
 * order. */
static unsigned machine_of(const unsigned char *bytes)
{
    const unsigned char *at = bytes + offsetof(ElfW(Ehdr), e_machine);
    return bytes[EI_DATA] == ELFDATA2MSB ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
}

static enum binary_answer image_read(const struct image *image, struct binary_facts *facts)
{
    const ElfW(Ehdr) *header = image_at(image, 0, sizeof *header);
    if (image->bytes < SELFMAG || memcmp(image->base, ELFMAG, SELFMAG) != 0)
        return BINARY_NOT_ELF;
    if (!header)
        return BINARY_DAMAGED;
    facts->class_bits = header->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64;
    facts->machine = machine_of(header->e_ident);
    facts->native = is_native(header);
    if (!facts->native)
        return BINARY_READ;
    if (!read_segments(image, header, facts))
        return BINARY_DAMAGED;
    read_sections(image, header, facts);
    return BINARY_READ;
}

enum binary_answer binary_read(const char *path, struct binary_facts *facts)
{
    struct image image;
    memset(facts, 0, sizeof *facts);
    enum binary_answer answer = image_open(&image, path);
    if (answer != BINARY_READ)
        return answer;
    answer = image_read(&image, facts);
    munmap((void *)image.base, image.bytes);
    return answer;
}

const char *binary_machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386:     return "x86";
    case EM_X86_64:  return "x86-64";
    case EM_ARM:     return "arm";
    case EM_AARCH64: return "aarch64";
    case EM_RISCV:   return "riscv";
    case EM_PPC64:   return "ppc64";
    case EM_S390:    return "s390x";
    default:         return "an unknown processor";
    }
}

unsigned binary_machine_here(void)
{
    struct binary_facts facts;
    return binary_read("/proc/self/exe", &facts) == BINARY_READ ? facts.machine : EM_NONE;
}
