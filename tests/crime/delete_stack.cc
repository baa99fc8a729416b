/* delete_stack.cc - an object on the stack, deleted.
 * expect-signal: ABRT
 * expect-sentence: invalid operator delete({p}): the address lies on this thread's stack
 */
#include "crime.h"

#include <new>

int main()
{
    alignas(16) char block[64];

    ::operator delete(say("p", block));
    return survived();
}
