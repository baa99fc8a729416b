/* delete_aligned_twice.cc - an over-aligned object deleted twice.
 * expect-signal: ABRT
 * expect-by: this
 * flags: -std=c++17
 * expect-sentence: double free: operator delete({p}), a block of * bytes that is free already{by}
 */
#include "crime.h"

#include <new>

struct alignas(128) item { char bytes[128]; };

int main()
{
    item *keep = new item, *p = (item *)say("p", new item), *too = new item;

    delete p;
    delete (item *)hide(p);
    hide(keep);
    hide(too);
    return survived();
}
