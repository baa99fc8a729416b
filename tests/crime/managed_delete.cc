/* managed_delete.cc - delete of a managed object.
 * expect-signal: ABRT
 * expect-sentence: invalid operator delete({p}): the block is a managed object; release its handle
 *     instead
 */
#include "managed.h"

int main(void)
{
    void *p = say("p", LIBRARY(midden_alloc)(64));

    ::operator delete(p);
    return survived();
}
