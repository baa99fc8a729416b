/* double_delete_array.cc - an array deleted twice.
 * expect-signal: ABRT
 * expect-by: this
 * expect-sentence: double free: operator delete[]({p}), a block of 112 bytes that is free
 *     already{by}
 */
#include "crime.h"

int main()
{
    char *keep = new char[100], *p = (char *)say("p", new char[100]), *too = new char[100];

    delete[] p;
    delete[] (char *)hide(p);
    hide(keep);
    hide(too);
    return survived();
}
