/* threads_many.c - ten thousand threads over time; each leaves a block behind that the first
 *      thread frees.
 * seconds: 120
 */
#include "../trap/tap.h"

enum { AT_ONCE = 16, WARM = 1600, ALL = 10000 };

static void *run(void *number)
{
    unsigned n = (unsigned)(uintptr_t)number;
    char    *block[40], *left = malloc(64 + n % 3000);

    for (unsigned i = 0; i < 40; i++) {
        block[i] = malloc(1 + (n * 37 + i * 211) % 5000);
        block[i][0] = (char)i;
    }
    for (unsigned i = 0; i < 40; i++)
        free(block[i]);
    fill(left, 64, n);
    return left;
}

/* Sixteen threads from number on; how many blocks were not as they were left. */
static int batch(unsigned number)
{
    pthread_t thread[AT_ONCE];
    int       bad = 0;

    for (unsigned i = 0; i < AT_ONCE; i++)
        bad += pthread_create(&thread[i], NULL, run, (void *)(uintptr_t)(number + i)) != 0;
    for (unsigned i = 0; i < AT_ONCE; i++) {
        void *left = NULL;

        pthread_join(thread[i], &left);
        bad += !left || !holds(left, 64, number + i);
        free(left);
    }
    return bad;
}

int main(void)
{
    int  bad = 0;
    long warm, end, size_warm;

    for (unsigned n = 0; n < WARM; n += AT_ONCE)
        bad += batch(n);
    warm = status_value("VmRSS:");
    size_warm = status_value("VmData:");
    for (unsigned n = WARM; n < ALL; n += AT_ONCE)
        bad += batch(n);
    end = status_value("VmRSS:");
    check(bad == 0, "every block is as its thread left it");
    check(end - warm < 8192,
        "resident memory stays bounded: %ld KiB after 1,600 threads, %ld after 10,000", warm, end);
    check(status_value("VmData:") - size_warm < 65536, "so do the writable mappings");
    return done();
}
