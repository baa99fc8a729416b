/* thresholds.c - when generations are collected by themselves: the counters, the thresholds and the
 *      quarter rule of CPython, transcribed and compared at each step.
 */
#include "check.h"

/* What CPython does, as gc_collect_generations says it. `late`: the object being allocated is not
 * yet in generation 0 when a collection runs. */
struct model {
    int  threshold[3], count[3];
    long made[3];                            /* collections of each generation */
    long population[3];                      /* objects in each generation, none of them garbage */
    long pending, total;                     /* promoted since the last full one; survived that */
    int  late;
};

static void model_collect(struct model *model, int generation)
{
    long young = 0;

    for (int i = 0; i <= generation; i++) {
        young += model->population[i];
        model->population[i] = 0;
        model->count[i] = 0;
    }
    if (generation < 2)
        model->count[generation + 1]++;
    model->population[generation < 2 ? generation + 1 : 2] += young;
    if (generation == 1)
        model->pending += young;
    if (generation == 2) {
        model->pending = 0;
        model->total = young;
    }
    model->made[generation]++;
}

static int model_due(const struct model *model, int generation)
{
    if (model->count[generation] <= model->threshold[generation])
        return 0;
    return generation < 2 || model->pending >= model->total / 4;
}

static void model_allocate(struct model *model)
{
    model->population[0] += !model->late;
    if (++model->count[0] > model->threshold[0] && model->threshold[0])
        for (int i = 2; i >= 0; i--)
            if (model_due(model, i)) {
                model_collect(model, i);
                break;
            }
    model->population[0] += model->late;
}

static int model_agrees(const struct model *model)
{
    for (int i = 0; i < 3; i++)
        if ((long)collections(i) != model->made[i])
            return 0;
    return 1;
}

/* -- the comparison ---------------------------------------------------------------------------- */

static void start_model(struct model *model, int late)
{
    midden_get_threshold(model->threshold);
    memset(model->count, 0, sizeof model->count);
    memset(model->population, 0, sizeof model->population);
    for (int i = 0; i < 3; i++)
        model->made[i] = (long)collections(i);
    model->pending = model->total = 0;
    model->late = late;
}

static void tell(const struct model *model, long step)
{
    printf("# step %ld: collections %lu/%lu/%lu, CPython's %ld/%ld/%ld\n", step,
           (unsigned long)collections(0), (unsigned long)collections(1),
           (unsigned long)collections(2), model->made[0], model->made[1], model->made[2]);
    fflush(stdout);
}

/* Allocates steps objects, all kept in a list. Returns whether each collection came when CPython's
 * would have come, where no other came between. */
static int compare(long steps, int full_too)
{
    struct model early, late;
    struct node *all = NULL;
    int          early_fits = 1, late_fits = 1;

    midden_collect(MIDDEN_FULL);
    start_model(&early, 0);
    start_model(&late, 1);
    for (long step = 0; step < scaled(steps) && (early_fits || late_fits); step++) {
        struct node *before = midden_new(&node_type, 0);

        before->left = all;
        all = before;
        model_allocate(&early);
        model_allocate(&late);
        early_fits = early_fits && model_agrees(&early);
        late_fits = late_fits && model_agrees(&late);
        if (every_count())
            early_fits = late_fits = 1;
        else if (!early_fits && !late_fits)
            tell(&late, step + 1);
    }
    if (full_too)
        early_fits &= early.made[2] > 1;
    midden_release(all);
    return early_fits || late_fits;
}

static void first_collection(void)
{
    uint64_t     before;
    int          count[3];
    struct node *all = NULL;

    midden_collect(MIDDEN_FULL);
    before = collections(0);
    for (int i = 0; i < 701; i++) {
        struct node *next = midden_new(&node_type, 0);

        next->left = all;
        all = next;
        if (i == 699) {
            midden_get_count(count);
            check_alone(collections(0) == before && count[0] == 700,
                "700 allocations collect nothing: collections %ld, count %d",
                (long)(collections(0) - before), count[0]);
        }
    }
    midden_get_count(count);
    check_alone(collections(0) == before + 1 && count[0] <= 1 && count[1] == 1 && count[2] == 0,
        "the next one does: collections %ld, counts %d, %d, %d",
        (long)(collections(0) - before), count[0], count[1], count[2]);
    midden_release(all);
}

static void frees_count(void)
{
    uint64_t before;
    int      count[3];

    midden_collect(MIDDEN_FULL);
    before = collections(0);
    for (int i = 0; i < scaled(10000); i++)
        midden_release(midden_new(&node_type, 0));
    check_alone(collections(0) == before, "objects that die at once never make a collection");
    midden_get_count(count);
    check(count[0] <= 1 && count[0] >= 0, "for allocations minus frees are counted: %d", count[0]);
}

/* Frees of old objects do not take the counter below zero. */
static void floor_of_count(void)
{
    struct node *old = list(600);
    uint64_t     before;
    int          count[3];

    midden_collect(MIDDEN_FULL);
    midden_release(old);
    midden_get_count(count);
    check(count[0] == 0, "frees of old objects leave the count at zero: %d", count[0]);
    before = collections(0) + collections(1);
    old = list(702);
    check_alone(collections(0) + collections(1) == before + 1,
        "and put the next collection off by nothing");
    midden_release(old);
}

static void counters(void)
{
    int count[3];

    midden_collect(2);
    midden_get_count(count);
    check(count[0] == 0 && count[1] == 0 && count[2] == 0, "a full collection zeroes the counts");
    midden_collect(0);
    midden_collect(0);
    midden_get_count(count);
    check(count[0] == 0 && count[1] == 2 && count[2] == 0, "those of generation 0 are counted");
    midden_collect(1);
    midden_get_count(count);
    check(count[0] == 0 && count[1] == 0 && count[2] == 1, "and those of generation 1");
    midden_collect(2);
}

static void switches(void)
{
    uint64_t     before;
    struct node *all;
    int          threshold[3], changed;

    check(midden_is_enabled() == 1, "automatic collection is on at start");
    midden_get_threshold(threshold);
    check(threshold[0] == 700 && threshold[1] == 10 && threshold[2] == 10,
        "the thresholds at start are 700, 10, 10");
    check(midden_disable() == 1 && midden_disable() == 0 && midden_is_enabled() == 0,
        "disable says what was, and does not nest");
    before = collections(0);
    all = list((size_t)scaled(5000));
    check_alone(collections(0) == before, "disabled, nothing is collected");
    check(midden_collect(0) == 0, "but when asked");
    check_alone(collections(0) == before + 1, "once");
    check(midden_enable() == 0 && midden_enable() == 1, "enable says what was");
    midden_release(all);
    check(midden_set_threshold(0, 10, 10) == 0, "a threshold of 0 is taken");
    before = collections(0) + collections(1) + collections(2);
    midden_release(list((size_t)scaled(5000)));
    check_alone(collections(0) + collections(1) + collections(2) == before, "and means never");
    CHECK_ERROR(EINVAL, -1, midden_set_threshold(-1, 10, 10));
    CHECK_ERROR(EINVAL, -1, midden_set_threshold(700, -1, 10));
    CHECK_ERROR(EINVAL, -1, midden_set_threshold(700, 10, -1));
    CHECK_ERROR(EINVAL, -1, midden_get_threshold(NULL));
    CHECK_ERROR(EINVAL, -1, midden_get_count(NULL));
    midden_get_threshold(threshold);
    changed = threshold[0] != 0 || threshold[1] != 10 || threshold[2] != 10;
    check(!changed, "a set that is refused changes nothing");
    midden_set_threshold(700, 10, 10);
}

/* Garbage that grows without a thread asking for a collection. */
static void garbage_goes(void)
{
    long most = 0, alive = 0;

    midden_collect(MIDDEN_FULL);
    ends();
    for (int i = 0; i < scaled(20000); i++) {
        midden_release(ring(3));
        alive += 3 - ends();
        most = alive > most ? alive : most;
    }
    check(most <= 3000, "rings go by themselves: %ld objects at most of 60000", most);
    midden_collect(MIDDEN_FULL);
    ends();
}

/* A heap that grows to n objects is collected whole as often as it grew by a quarter. */
static void quarter(void)
{
    uint64_t     before;
    struct node *all;

    midden_collect(MIDDEN_FULL);
    before = collections(2);
    all = list((size_t)scaled(300000));
    before = collections(2) - before;
    check_alone(before >= 2 && before <= 40,
        "a heap that grows to 300000 objects is collected whole %lu times", (unsigned long)before);
    midden_release(all);
}

int main(void)
{
    switches();
    check(midden_policy_set("objects:700/10/10") == 0, "only objects are counted from here on");
    counters();
    first_collection();
    frees_count();
    floor_of_count();
    check_alone(compare(20000, 0), "20000 allocations collect when CPython would");
    midden_set_threshold(10, 2, 2);
    check_alone(compare(20000, 1), "also with thresholds of 10, 2, 2");
    midden_set_threshold(1, 1, 1);
    check_alone(compare(3000, 1), "with thresholds of 1, 1, 1");
    midden_set_threshold(50, 0, 3);
    check_alone(compare(3000, 0), "and of 50, 0, 3");
    midden_set_threshold(700, 10, 10);
    garbage_goes();
    quarter();
    return done();
}
