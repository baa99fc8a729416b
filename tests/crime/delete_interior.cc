/* delete_interior.cc - a base that does not lie at the start of its object, deleted without a
 *     virtual destructor.
 * expect-signal: ABRT
 * expect-sentence: invalid operator delete({p}): the pointer lies 16 bytes inside a block of 48
 *     bytes that starts at {s}
 */
#include "crime.h"

#include <new>

struct first { char bytes[16]; };
struct second { char bytes[32]; };
struct both : first, second { };

int main()
{
    both *keep = new both, *p = (both *)say("s", new both), *too = new both;

    ::operator delete((second *)say("p", static_cast<second *>(p)));
    hide(keep);
    hide(too);
    return survived();
}
