/* places_part.c - a library with static data and thread-locals of its own.
 * part: yes
 */
static void         *at_rest[64];
static __thread void *of_thread[64];

void **part_static(void)
{
    return at_rest;
}

void **part_local(void)
{
    return of_thread;
}
