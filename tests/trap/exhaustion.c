/* exhaustion.c - malloc fails with ENOMEM, the program goes on, frees, and has its memory again.
 * seconds: 120
 */
#include "tap.h"

#include <sys/resource.h>

struct link {
    struct link *next;
};

/* Blocks until there are no more, in a list. */
static struct link *take_all(size_t bytes, size_t *count)
{
    struct link *list = NULL;

    *count = 0;
    errno = 0;
    for (struct link *p; (p = malloc(bytes)) != NULL; ++*count) {
        p->next = list;
        list = p;
    }
    return list;
}

/* Every nth of the list. */
static struct link *give(struct link *list, unsigned nth)
{
    struct link *kept = NULL, *next;

    for (unsigned i = 0; list; list = next, i++) {
        next = list->next;
        if (i % nth == 0) {
            free(list);
        } else {
            list->next = kept;
            kept = list;
        }
    }
    return kept;
}

static void point(size_t bytes)
{
    size_t       count, again, third;
    struct link *list = take_all(bytes, &count);

    check(count > 0 && errno == ENOMEM, "blocks of %zu until ENOMEM: %zu", bytes, count);
    check(!calloc(1000, bytes) && !realloc(list, bytes * 100) && list,
        "calloc and realloc fail as well");
    list = give(list, 2);
    free(take_all(bytes, &again));
    check(again >= count / 2 - count / 10, "half of them freed: as many can be had again: %zu",
        again);
    give(list, 1);
    hide(take_all(bytes, &third));
    check(third > 0, "and all: %zu", third);
}

static int body(void *bytes)
{
    size_t       size = (size_t)bytes, count;
    struct link *list;

    point(size);
    if (tap_failures)
        return 1;
    hide(list = take_all(size, &count));
    return 0;
}

/* All memory in small blocks, freed, must be there for large ones, and the other way round. */
static int convert(void *unused)
{
    size_t       count, large, small;
    struct link *list = take_all(1000, &count);

    list = give(list, 1);
    list = take_all((size_t)16 << 20, &large);
    check(large >= count * 1000 / ((size_t)16 << 20) * 6 / 10,
        "%zu small blocks become %zu of 16 MiB", count, large);
    give(list, 1);
    list = take_all(1000, &small);
    check(small >= count / 10 * 9, "and %zu small ones again", small);
    give(list, 1);
    check(churn(1, 5000) == 0, "and the heap works");
    hide(unused);
    return done();
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 16, 100, 1000, 20000, 200000, 3000000 };
    struct rlimit       limit = { (size_t)256 << 20, (size_t)256 << 20 };

    if (argc == 1) {
        setrlimit(RLIMIT_AS, &limit);
        execl("/proc/self/exe", argv[0], "limited", (char *)NULL);
        return 9;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(in_child(body, (void *)sizes[i]) == 0, "with blocks of %zu", sizes[i]);
    check(in_child(convert, NULL) == 0, "from small to large and back");
    return done();
}
