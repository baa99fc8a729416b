/* double_reallocarray.c - a freed block given to reallocarray.
 * expect-signal: ABRT
 * expect-by: this
 * args: 48
 * expect-sentence: double free: realloc*({p}), a block of 48 bytes that is free already{by}
 */
#include "crime.h"

int main(int argc, char **argv)
{
    size_t bytes = size_argument(argc, argv, 48);
    void  *p = say("p", among(bytes));

    free(p);
    hide(reallocarray(hide(p), 7, bytes));
    return survived();
}
