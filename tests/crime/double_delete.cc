/* double_delete.cc - an object deleted twice.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: operator delete({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

#include <new>

struct item { char bytes[48]; };

int main()
{
    item *keep = new item, *p = (item *)say("p", new item), *too = new item;

    ::operator delete(p);
    ::operator delete(hide(p));
    hide(keep);
    hide(too);
    return survived();
}
