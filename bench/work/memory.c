/* memory.c - memory left behind: after all is freed, in long runs, in idle threads, in children.
 * Job         rest_kib is the figure each of these is about; time is not measured here, and most
 *             of it is waiting.
 */
#include "work.h"

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void wait_ms(unsigned ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
    while (nanosleep(&left, &left) != 0)
        continue;
}

static struct slot *slots_new(size_t count)
{
    return take_zeroed(count, sizeof(struct slot));
}

static void slots_fill(struct job *job, struct slot *slots, size_t count, uint64_t seed)
{
    struct draw draw = draw_from(seed);
    for (size_t i = 0; i < count; i++) {
        slot_fill(&slots[i], draw_mixed(&draw));
        job->sum = mix(job->sum, slots[i].bytes);
    }
    job->blocks += count;
}

/* -- idle -------------------------------------------------------------------------------------- */

/* Everything is freed; then this program calls nothing for ten seconds. */
static void idle(struct job *job)
{
    struct slot *slots = slots_new(job->rounds);
    slots_fill(job, slots, job->rounds, 110);
    slots_empty(slots, job->rounds);
    free(slots);
    wait_ms(job->idle_ms);
    job->rest_kib = memory_rollup_kib("Rss:");
}

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    unsigned arrived;
    bool open;
};

static void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->arrived++;
    pthread_cond_broadcast(&gate->moved);
    while (!gate->open)
        pthread_cond_wait(&gate->moved, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_gather(struct gate *gate, unsigned count)
{
    pthread_mutex_lock(&gate->mutex);
    while (gate->arrived < count)
        pthread_cond_wait(&gate->moved, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast(&gate->moved);
    pthread_mutex_unlock(&gate->mutex);
}

/* A thread fills its slots, frees all but the last `keep`, and waits at the gate. With nothing left
 * to keep, the slots themselves go before it waits. */
struct sleeper {
    struct gate *gate;
    struct job job;
    uint64_t seed;
    size_t count, keep;
};

static void *sleeper_run(void *argument)
{
    struct sleeper *sleeper = argument;
    struct slot *slots = slots_new(sleeper->count);
    slots_fill(&sleeper->job, slots, sleeper->count, sleeper->seed);
    slots_empty(slots, sleeper->count - sleeper->keep);
    if (sleeper->keep == 0) {
        free(slots);
        slots = NULL;
    }
    gate_pass(sleeper->gate);
    slots_empty(slots, sleeper->keep == 0 ? 0 : sleeper->count);
    free(slots);
    return NULL;
}

static void sleepers(struct job *job, unsigned threads, size_t keep, unsigned ms)
{
    static struct gate gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };
    struct sleeper *sleeper = take_zeroed(threads, sizeof *sleeper);
    pthread_t *thread = take(threads * sizeof *thread);
    size_t count = job->rounds / threads;
    for (unsigned i = 0; i < threads; i++) {
        sleeper[i] = (struct sleeper){ .gate = &gate, .seed = 120 + i, .count = count };
        sleeper[i].keep = keep < count ? keep : count;
        if (pthread_create(&thread[i], NULL, sleeper_run, &sleeper[i]) != 0)
            work_fail("a thread could not be started");
    }
    gate_gather(&gate, threads);
    wait_ms(ms);
    job->rest_kib = memory_rollup_kib("Rss:");
    gate_open(&gate);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        job->sum = mix(job->sum, sleeper[i].job.sum);
        job->blocks += sleeper[i].job.blocks;
    }
    free(thread);
    free(sleeper);
}

/* Eight threads free all they have and wait: nobody calls for ten seconds. */
static void idle_threads(struct job *job)
{
    sleepers(job, 8, 0, job->idle_ms);
}

/* Two hundred threads, each with ten blocks left. */
static void dormant(struct job *job)
{
    sleepers(job, 200, 10, job->idle_ms / 5);
}

/* -- drift ------------------------------------------------------------------------------------- */

enum { DRIFT_SLOTS = 200000, DRIFT_TICK_MS = 100 };

/* 0 to 1000 and back again, `waves` times over the whole. */
static uint64_t wave(size_t tick, size_t ticks, unsigned waves)
{
    uint64_t phase = tick * waves * 2000 / ticks % 2000;
    return phase < 1000 ? phase : 2000 - phase;
}

/* Sizes around a middle that goes from 32 bytes to 2 KiB and back; one in eight is of any size. */
static size_t drift_bytes(struct draw *draw, size_t tick, size_t ticks)
{
    if (draw_below(draw, 8) == 0)
        return draw_mixed(draw);
    uint32_t middle = 32u << (wave(tick, ticks, 3) * 6 / 1000);
    return middle / 2 + draw_below(draw, middle);
}

/* Blocks come and go, towards as many bytes as the hour wants: 16 to 80 MiB. A quarter of the
 * slots is left alone until it is needed, so that old blocks stand among young ones. */
static void drift_tick(struct job *job, struct slot *slots, struct draw *draw, uint64_t *held,
    size_t tick)
{
    uint64_t wanted = (16u << 20) + wave(tick, job->rounds, 5) * (64 << 20) / 1000;
    for (int i = 0; i < 15000; i++) {
        uint32_t reach = draw_below(draw, 50) == 0 ? DRIFT_SLOTS : DRIFT_SLOTS / 4 * 3;
        struct slot *slot = &slots[draw_below(draw, reach)];
        if (slot->block != NULL)
            *held -= slot->bytes;
        slot_empty(slot);
        if (*held >= wanted)
            continue;
        slot_fill(slot, drift_bytes(draw, tick, job->rounds));
        *held += slot->bytes;
        job->sum = mix(job->sum, slot->bytes);
        job->blocks++;
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* An hour of a server in a minute: the figure is the mean of what is resident, looked at ten times
 * a second. */
static void drift(struct job *job)
{
    struct slot *slots = slots_new(DRIFT_SLOTS);
    struct draw draw = draw_from(130);
    uint64_t held = 0, next = now_ms();
    long total = 0;
    for (size_t tick = 0; tick < job->rounds; tick++) {
        drift_tick(job, slots, &draw, &held, tick);
        total += memory_rollup_kib("Rss:");
        next += DRIFT_TICK_MS;
        if (now_ms() < next)
            wait_ms((unsigned)(next - now_ms()));
    }
    job->rest_kib = total / (long)job->rounds;
    slots_empty(slots, DRIFT_SLOTS);
    free(slots);
}

/* -- children ---------------------------------------------------------------------------------- */

static _Noreturn void child_run(struct slot *slots, size_t count, int answer)
{
    long before = memory_rollup_kib("Private_Dirty:");
    for (size_t i = 0; i < count; i++)
        free(slots[i].block);
    long dirty = memory_rollup_kib("Private_Dirty:") - before;
    _exit(write(answer, &dirty, sizeof dirty) == (ssize_t)sizeof dirty ? 0 : 1);
}

/* What a forked child makes its own by freeing all it inherited: the mean of four. */
static void children(struct job *job)
{
    struct slot *slots = slots_new(job->rounds);
    long total = 0;
    slots_fill(job, slots, job->rounds, 140);
    for (int i = 0; i < 4; i++) {
        int ends[2], status;
        long dirty = 0;
        if (pipe(ends) != 0)
            work_fail("no pipe");
        pid_t child = fork();
        if (child == 0)
            child_run(slots, job->rounds, ends[1]);
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            work_fail("a child did not end well");
        if (read(ends[0], &dirty, sizeof dirty) != (ssize_t)sizeof dirty)
            work_fail("a child did not answer");
        close(ends[0]);
        close(ends[1]);
        total += dirty;
    }
    job->rest_kib = total / 4 > 0 ? total / 4 : 1;
    slots_empty(slots, job->rounds);
    free(slots);
}

const struct work memory_works[] = {
    { "idle", idle, 600000, "resident ten seconds after everything was freed" },
    { "idle-threads", idle_threads, 600000, "the same, freed by eight threads that wait" },
    { "dormant", dormant, 200000, "resident with 200 threads asleep, ten blocks each" },
    { "drift", drift, 600, "mean resident, sizes and volume drifting for a minute" },
    { "children", children, 300000, "made dirty by a forked child that frees all" },
    { 0 },
};
