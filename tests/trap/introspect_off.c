/* introspect_off.c - with midden=off the C library is used, and it is the C library that is asked.
 * options: midden=off
 */
#include "tap.h"

int main(void)
{
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *to = open_memstream(&text, &bytes);
    size_t before = mallinfo2().uordblks;
    void  *block = hide(malloc(100000));
    size_t with = mallinfo2().uordblks;

    check(with >= before + 100000, "mallinfo2 tells of what malloc gave: %zu, %zu", before, with);
    free(block);
    check(mallinfo2().uordblks < with, "and of what free took");
    check(malloc_info(0, to) == 0, "malloc_info answers");
    fclose(to);
    check(text && strstr(text, "<malloc version"), "with a document");
    check(mallopt(M_MMAP_THRESHOLD, 1 << 20) == 1, "mallopt takes what it knows");
    malloc_trim(0);
    free(text);
    return done();
}
