/* usable.c - malloc_usable_size: at least what was asked for, all of it to be written, the same
 *      for the block's life. */
#include "tap.h"

/* The worst that may be lost: 15 bytes to 256, an eighth to 2 KiB, a quarter of the request above,
 * or a page. */
static size_t most_for(size_t bytes)
{
    if (bytes <= 256)
        return bytes + 16;
    if (bytes <= 2048)
        return bytes + bytes / 8 + 16;
    return bytes + bytes / 4 + 4096;
}

static int waste_is_bounded(void)
{
    for (size_t n = 1; n < 3000000; n += n < 5000 ? 1 : n / 57) {
        void  *p = malloc(n);
        size_t usable = malloc_usable_size(p);

        free(p);
        if (usable < n || usable > most_for(n))
            return !check(0, "malloc(%zu) gives %zu usable bytes", n, usable);
    }
    return 1;
}

/* Blocks of each size are filled to their usable end; none reaches into another. */
static int all_is_usable(void)
{
    enum { COUNT = 300 };
    unsigned char *block[COUNT];
    size_t         usable[COUNT];
    int            bad = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        block[i] = malloc(i * i % 30011);
        usable[i] = malloc_usable_size(block[i]);
        fill(block[i], usable[i], i);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        bad += malloc_usable_size(block[i]) != usable[i] || !holds(block[i], usable[i], i);
        bad += block[i][usable[i] ? usable[i] - 1 : 0] == 0 && usable[i] == 0;
        free(block[i]);
    }
    return bad == 0;
}

int main(void)
{
    char *p = malloc(100), *q;

    check(malloc_usable_size(NULL) == 0, "of NULL: 0");
    check(waste_is_bounded(), "the waste is bounded at all sizes");
    check(all_is_usable(), "every usable byte can be used, and the size stays");
    q = realloc(p, malloc_usable_size(p));
    check(q == p, "realloc to the usable size stays in place");
    free(q);
    return done();
}
