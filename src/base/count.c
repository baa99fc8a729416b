/* count.c - where the counters live. */
#include "base/count.h"

struct counts counts;
