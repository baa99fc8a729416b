/* delete_sized_too_large.cc - operator delete is told more bytes than the block has.
 * expect-signal: ABRT
 * flags: -fsized-deallocation
 * expect-sentence: invalid operator delete({p}): 10000 bytes were claimed, but the block has 48
 */
#include "crime.h"

#include <new>

int main()
{
    void *p = say("p", ::operator new(48));

    ::operator delete(p, (size_t)10000);
    return survived();
}
