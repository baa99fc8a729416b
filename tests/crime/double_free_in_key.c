/* double_free_in_key.c - a thread-specific destructor frees what the thread freed.
 * expect-signal: ABRT
 * expect-sentence: double free: free({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

static pthread_key_t key;

static void destroy(void *p)
{
    free(p);
}

static void *run(void *p)
{
    pthread_setspecific(key, p);
    free(p);
    return NULL;
}

int main(void)
{
    void *p = say("p", among(48));

    if (pthread_key_create(&key, destroy) != 0)
        return 1;
    in_thread(run, hide(p));
    return survived();
}
