/* callback.c - a short list. */
#include "managed/callback.h"
#include "heap/heap.h"

enum {
    MOST = 64,
    NO_ENTRY = 2, NO_MEMORY = 12, IS_THERE = 17, /* ENOENT, ENOMEM, EEXIST */
};

struct callback {
    midden_callback *call;
    void            *arg;
};

static struct {
    struct lock     lock;
    struct callback list[MOST];
    unsigned        count;
} state;

static unsigned find(midden_callback *call, void *arg)   /* count: it is not there */
{
    for (unsigned i = 0; i < state.count; i++)
        if (state.list[i].call == call && state.list[i].arg == arg)
            return i;
    return state.count;
}

static int add(midden_callback *call, void *arg)
{
    if (find(call, arg) < state.count)
        return IS_THERE;
    if (state.count == MOST)
        return NO_MEMORY;
    state.list[state.count++] = (struct callback){ call, arg };
    return 0;
}

static int drop(midden_callback *call, void *arg)
{
    unsigned at = find(call, arg);
    if (at == state.count)
        return NO_ENTRY;
    state.count--;
    __builtin_memmove(&state.list[at], &state.list[at + 1],
                      (state.count - at) * sizeof state.list[0]);
    return 0;
}

/* Whoever holds a lock is inside, so that nobody stops him there. */
static int locked(int (*change)(midden_callback *call, void *arg), midden_callback *call, void *arg)
{
    bool outer = heap_enter_was();
    int error = NO_MEMORY;
    if (lock_take(&state.lock)) {
        error = change(call, arg);
        lock_give(&state.lock);
    }
    heap_leave_to(outer);
    return error;
}

int callback_add(midden_callback *call, void *arg)
{
    return locked(add, call, arg);
}

int callback_remove(midden_callback *call, void *arg)
{
    return locked(drop, call, arg);
}

/* One that removes itself moves those behind it: the next is found where it was. */
void callback_each(enum midden_phase phase, const struct midden_collection *collection)
{
    for (unsigned i = 0; i < state.count; ) {
        struct callback now = state.list[i];
        now.call(phase, collection, now.arg);
        bool stays = i < state.count && state.list[i].call == now.call &&
                     state.list[i].arg == now.arg;
        i += stays;
    }
}

void callback_fork_child(void)
{
    lock_reset(&state.lock);
}
