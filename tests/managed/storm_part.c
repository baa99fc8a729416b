/* storm_part.c - a library that comes and goes.
 * part: yes
 */
static void         *at_rest[1000];
static __thread void *of_thread[100];

void **part_place(void)
{
    return &at_rest[500];
}

void **part_local(void)
{
    return &of_thread[50];
}
