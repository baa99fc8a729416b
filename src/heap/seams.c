/* seams.c - seams.h; two bitmaps. */
#include "heap/seams.h"
#include "heap/runs.h"

enum { SEAMS_MOST = DEBUG_BUILD ? 64 : 8192 };

static bool bit_at(const uint64_t *map, size_t at)
{
    return map[at / 64] >> at % 64 & 1;
}

static void write(struct seams *seams, size_t at, size_t run, bool set)
{
    size_t changed = runs_write(seams->seams, at, run, set);
    seams->count += set ? changed : -changed;
}

bool seams_have_room(const struct seams *seams)
{
    return seams->count + 2 <= SEAMS_MOST;
}

bool seams_cross(const struct seams *seams, size_t at, size_t run)
{
    return runs_next(seams->seams, at + 1, at + run, 0) < at + run;
}

bool seams_touch(const struct seams *seams, size_t at, size_t run)
{
    return runs_next(seams->moved, at, at + run, 0) < at + run;
}

void seams_moved(struct seams *seams, size_t at, size_t run)
{
    runs_write(seams->moved, at, run, true);
    write(seams, at + 1, run - 1, false);
    write(seams, at, 1, true);
    write(seams, at + run, 1, true);
}

/* It merges with what is fresh beside it. */
void seams_fresh(struct seams *seams, size_t at, size_t run)
{
    if (runs_write(seams->moved, at, run, false) == 0)
        return;
    write(seams, at + 1, run - 1, false);
    write(seams, at, 1, bit_at(seams->moved, at - 1));
    write(seams, at + run, 1, bit_at(seams->moved, at + run));
}

void seams_validate(const struct seams *seams, size_t from, size_t end)
{
    for (size_t i = from + 1; i < end; i++) {
        bool here = bit_at(seams->moved, i), below = bit_at(seams->moved, i - 1);
        ASSERT(here == below || bit_at(seams->seams, i));                   /* E2 */
        ASSERT(here || below || !bit_at(seams->seams, i));
    }
}
