/* logic.c - a minimiser of logic: the complement of a random function, by Shannon's expansion.
 * Job         A function of up to 32 variables is a cover: cubes, of which any may hold. Splitting
 *             a cover by a variable makes two smaller ones, which are complemented and joined
 *             again; covers and cubes of all sizes come and go in the order of the recursion (R.
 *             Brayton and others, "Logic Minimization Algorithms for VLSI Synthesis", 1984,
 *             describe the method).
 */
#include "work.h"

#include <string.h>

/* Variable v may be 0 where bit v of may[0] is set, and 1 where that of may[1] is: both set, it
 * does not matter. */
struct cube {
    uint32_t may[2];
    uint32_t depth;             /* of the expansion that made it */
};

struct cover {
    size_t cubes, room;
    struct cube **cube;
};

struct logic {
    struct job *job;
    uint32_t variables;
};

static void cover_add(struct logic *logic, struct cover *cover, struct cube cube)
{
    if (cover->cubes == cover->room) {
        cover->room = cover->room == 0 ? 4 : cover->room * 2;
        cover->cube = realloc(cover->cube, cover->room * sizeof(struct cube *));
        if (cover->cube == NULL)
            work_fail("realloc returned NULL");
        logic->job->blocks++;
    }
    struct cube *fresh = take(sizeof *fresh);
    *fresh = cube;
    cover->cube[cover->cubes++] = fresh;
    logic->job->blocks++;
}

static struct cover *cover_new(struct logic *logic)
{
    logic->job->blocks++;
    return take_zeroed(1, sizeof(struct cover));
}

static void cover_free(struct cover *cover)
{
    for (size_t i = 0; i < cover->cubes; i++)
        free(cover->cube[i]);
    free(cover->cube);
    free(cover);
}

static bool cube_contains(const struct cube *outer, const struct cube *inner)
{
    return (inner->may[0] & ~outer->may[0]) == 0 && (inner->may[1] & ~outer->may[1]) == 0;
}

static uint32_t cube_literals(const struct logic *logic, const struct cube *cube)
{
    uint32_t all = (uint32_t)((1ull << logic->variables) - 1);
    return all & ~(cube->may[0] & cube->may[1]);
}

static bool cover_holds(const struct cover *cover, uint32_t point)
{
    for (size_t i = 0; i < cover->cubes; i++)
        if ((point & ~cover->cube[i]->may[1]) == 0 && (~point & ~cover->cube[i]->may[0]) == 0)
            return true;
    return false;
}

/* What is left of the cover where the variable has that value. */
static struct cover *cover_where(struct logic *logic, const struct cover *cover,
    uint32_t bit, int value)
{
    struct cover *part = cover_new(logic);
    for (size_t i = 0; i < cover->cubes; i++)
        if (cover->cube[i]->may[value] & bit) {
            struct cube cube = *cover->cube[i];
            cube.may[0] |= bit;
            cube.may[1] |= bit;
            cover_add(logic, part, cube);
        }
    return part;
}

/* The variable most cubes speak of. */
static uint32_t cover_busiest(const struct logic *logic, const struct cover *cover)
{
    uint32_t count[32] = { 0 }, best = 0;
    for (size_t i = 0; i < cover->cubes; i++)
        for (uint32_t left = cube_literals(logic, cover->cube[i]); left != 0; left &= left - 1)
            count[__builtin_ctz(left)]++;
    for (uint32_t v = 1; v < logic->variables; v++)
        if (count[v] > count[best])
            best = v;
    return 1u << best;
}

/* Drops cubes that another one contains. */
static void cover_prune(struct cover *cover)
{
    size_t kept = 0;
    for (size_t i = 0; i < cover->cubes; i++) {
        struct cube *cube = cover->cube[i];
        bool inside = false;
        for (size_t k = 0; k < cover->cubes && !inside; k++)
            inside = k != i && cover->cube[k] != NULL && cube_contains(cover->cube[k], cube);
        if (!inside)
            continue;
        free(cube);
        cover->cube[i] = NULL;
    }
    for (size_t i = 0; i < cover->cubes; i++)
        if (cover->cube[i] != NULL)
            cover->cube[kept++] = cover->cube[i];
    cover->cubes = kept;
}

/* Adds the cubes of `part`, bound to the value of the variable, except those both parts share:
 * these stay unbound. */
static void cover_bind(struct logic *logic, struct cover *whole, const struct cover *part,
    uint32_t bit, int value)
{
    for (size_t i = 0; i < part->cubes; i++) {
        struct cube cube = *part->cube[i];
        cube.may[!value] &= ~bit;
        cover_add(logic, whole, cube);
    }
}

static void cover_share(struct logic *logic, struct cover *whole,
    const struct cover *left, const struct cover *right)
{
    for (size_t i = 0; i < left->cubes; i++)
        for (size_t k = 0; k < right->cubes; k++)
            if (memcmp(left->cube[i]->may, right->cube[k]->may, sizeof left->cube[i]->may) == 0)
                cover_add(logic, whole, *left->cube[i]);
}

static void cube_invert(struct logic *logic, struct cover *whole, const struct cube *cube)
{
    for (uint32_t left = cube_literals(logic, cube); left != 0; left &= left - 1) {
        uint32_t bit = left & -left;
        struct cube inverse = { .may = { UINT32_MAX, UINT32_MAX }, .depth = cube->depth };
        inverse.may[(cube->may[1] & bit) != 0] &= ~bit;
        cover_add(logic, whole, inverse);
    }
}

/* Recursion no deeper than there are variables. */
static struct cover *cover_complement(struct logic *logic, const struct cover *cover)
{
    struct cover *whole = cover_new(logic);
    for (size_t i = 0; i < cover->cubes; i++)
        if (cube_literals(logic, cover->cube[i]) == 0)
            return whole;
    if (cover->cubes == 0)
        cover_add(logic, whole, (struct cube){ .may = { UINT32_MAX, UINT32_MAX } });
    if (cover->cubes == 1)
        cube_invert(logic, whole, cover->cube[0]);
    if (cover->cubes < 2)
        return whole;
    uint32_t bit = cover_busiest(logic, cover);
    struct cover *part[2];
    for (int value = 0; value < 2; value++) {
        struct cover *where = cover_where(logic, cover, bit, value);
        part[value] = cover_complement(logic, where);
        cover_free(where);
    }
    cover_share(logic, whole, part[0], part[1]);
    for (int value = 0; value < 2; value++) {
        cover_bind(logic, whole, part[value], bit, value);
        cover_free(part[value]);
    }
    if (whole->cubes < 200)
        cover_prune(whole);
    return whole;
}

static struct cover *cover_draw(struct logic *logic, struct draw *draw)
{
    struct cover *cover = cover_new(logic);
    uint32_t cubes = 12 + draw_below(draw, 20);
    for (uint32_t i = 0; i < cubes; i++) {
        struct cube cube = { .may = { UINT32_MAX, UINT32_MAX } };
        for (uint32_t literals = 3 + draw_below(draw, 3); literals > 0; literals--)
            cube.may[draw_below(draw, 2)] &= ~(1u << draw_below(draw, logic->variables));
        if (((cube.may[0] | cube.may[1]) ^ UINT32_MAX) == 0)
            cover_add(logic, cover, cube);
    }
    return cover;
}

/* At every point one of the two holds. */
static void check(const struct logic *logic, const struct cover *on, const struct cover *off,
    struct draw *draw)
{
    for (int i = 0; i < 50; i++) {
        uint32_t point = draw_below(draw, 1u << logic->variables);
        if (cover_holds(on, point) == cover_holds(off, point))
            work_fail("a complement is wrong");
    }
}

static void minimise(struct job *job)
{
    struct draw draw = draw_from(12);
    struct logic logic = { .job = job, .variables = 11 };
    for (size_t i = 0; i < job->rounds; i++) {
        struct cover *on = cover_draw(&logic, &draw);
        struct cover *off = cover_complement(&logic, on);
        struct cover *again = cover_complement(&logic, off);
        check(&logic, on, off, &draw);
        check(&logic, again, off, &draw);
        job->sum = mix(mix(job->sum, off->cubes), again->cubes);
        cover_free(on);
        cover_free(off);
        cover_free(again);
    }
}

const struct work logic_works[] = {
    { "logic", minimise, 3000, "complements of random logic functions" },
    { 0 },
};
