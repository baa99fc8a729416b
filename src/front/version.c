/* version.c - which midden this is. */
#include <midden/version.h>

#include "base/base.h"

EXPORT const char *midden_version(void)
{
    return MIDDEN_VERSION;
}
