/* managed_free_elsewhere.c - free() of a managed object, in another thread.
 * expect-signal: ABRT
 * expect-sentence: invalid free({p}): the block is a managed object; release its handle instead
 */
#include "managed.h"

int main(void)
{
    in_thread(thread_free, say("p", counted(48)));
    return managed_survived();
}
