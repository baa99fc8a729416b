/* double_delete_sized.cc - an object deleted twice, its size known.
 * expect-signal: ABRT
 * expect-by: this
 * flags: -fsized-deallocation
 * expect-sentence: double free: operator delete({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

#include <new>

struct item { char bytes[48]; };

int main()
{
    item *keep = new item, *p = (item *)say("p", new item), *too = new item;

    ::operator delete(p, sizeof *p);
    ::operator delete(hide(p), sizeof *p);
    hide(keep);
    hide(too);
    return survived();
}
