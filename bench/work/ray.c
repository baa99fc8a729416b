/* ray.c - a ray tracer: balls over a chequered floor, mirrors in each other.
 * Job         The mix of one: a scene that lives long, rows of pixels that live for a picture, and
 *             for each ray a handful of small blocks (the ray, a list of hits, a colour) that live
 *             for a moment.
 */
#include "work.h"

#include <math.h>

struct point {
    double x, y, z;
};

struct ball {
    struct ball *next;
    struct point centre, colour;
    double radius, mirror;
};

struct hit {
    struct hit *next;
    const struct ball *ball;    /* NULL: the floor */
    double distance;
};

struct ray {
    struct point from, way;
    struct hit *hits;           /* nearest first */
    unsigned bounces;
};

struct scene {
    struct ball *cell[16];      /* balls by the strip of x they stand in */
    struct job *job;
};

static struct point plus(struct point a, struct point b, double times)
{
    return (struct point){ a.x + b.x * times, a.y + b.y * times, a.z + b.z * times };
}

static double dot(struct point a, struct point b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct point unit(struct point a)
{
    double length = sqrt(dot(a, a));
    return (struct point){ a.x / length, a.y / length, a.z / length };
}

/* -- hits -------------------------------------------------------------------------------------- */

static void hit_add(struct scene *scene, struct ray *ray, const struct ball *ball, double distance)
{
    struct hit *hit = take(sizeof *hit), **at = &ray->hits;
    while (*at != NULL && (*at)->distance < distance)
        at = &(*at)->next;
    *hit = (struct hit){ .next = *at, .ball = ball, .distance = distance };
    *at = hit;
    scene->job->blocks++;
}

static void hit_ball(struct scene *scene, struct ray *ray, const struct ball *ball)
{
    struct point gap = plus(ball->centre, ray->from, -1);
    double along = dot(gap, ray->way);
    double inside = ball->radius * ball->radius - dot(gap, gap) + along * along;
    if (inside <= 0)
        return;
    double half = sqrt(inside);
    if (along - half > 1e-6)
        hit_add(scene, ray, ball, along - half);
    if (along + half > 1e-6)
        hit_add(scene, ray, ball, along + half);
}

static void ray_meet(struct scene *scene, struct ray *ray)
{
    for (int cell = 0; cell < 16; cell++)
        for (const struct ball *ball = scene->cell[cell]; ball != NULL; ball = ball->next)
            hit_ball(scene, ray, ball);
    if (ray->way.y < -1e-6)
        hit_add(scene, ray, NULL, -ray->from.y / ray->way.y);
}

static void ray_free(struct ray *ray)
{
    for (struct hit *hit = ray->hits, *next; hit != NULL; hit = next) {
        next = hit->next;
        free(hit);
    }
    free(ray);
}

/* -- colours ----------------------------------------------------------------------------------- */

static struct point *colour_new(struct scene *scene, struct point value)
{
    struct point *colour = take(sizeof *colour);
    *colour = value;
    scene->job->blocks++;
    return colour;
}

static struct ray *ray_new(struct scene *scene, struct point from, struct point way,
    unsigned bounces)
{
    struct ray *ray = take(sizeof *ray);
    *ray = (struct ray){ .from = from, .way = unit(way), .bounces = bounces };
    scene->job->blocks++;
    return ray;
}

static struct point *floor_colour(struct scene *scene, struct point at)
{
    double shade = ((long)floor(at.x) + (long)floor(at.z)) & 1 ? 0.9 : 0.2;
    return colour_new(scene, (struct point){ shade, shade, shade });
}

static struct point *ray_colour(struct scene *scene, struct ray *ray);

static struct point *ball_colour(struct scene *scene, const struct ray *ray,
    const struct ball *ball, struct point at)
{
    struct point normal = unit(plus(at, ball->centre, -1));
    double light = fmax(0.1, dot(normal, unit((struct point){ 1, 2, -1 })));
    struct point *colour = colour_new(scene, plus((struct point){ 0 }, ball->colour, light));
    if (ball->mirror <= 0 || ray->bounces == 0)
        return colour;
    struct point way = plus(ray->way, normal, -2 * dot(ray->way, normal));
    struct point *seen = ray_colour(scene, ray_new(scene, at, way, ray->bounces - 1));
    *colour = plus(plus((struct point){ 0 }, *colour, 1 - ball->mirror), *seen, ball->mirror);
    free(seen);
    return colour;
}

/* Takes the ray away. Recursion as deep as a ray may bounce, which is 4. */
static struct point *ray_colour(struct scene *scene, struct ray *ray)
{
    ray_meet(scene, ray);
    struct point *colour;
    if (ray->hits == NULL)
        colour = colour_new(scene, (struct point){ 0.3, 0.5, 0.5 + ray->way.y / 2 });
    else {
        struct point at = plus(ray->from, ray->way, ray->hits->distance);
        const struct ball *ball = ray->hits->ball;
        colour = ball != NULL ? ball_colour(scene, ray, ball, at) : floor_colour(scene, at);
    }
    ray_free(ray);
    return colour;
}

/* -- pictures ---------------------------------------------------------------------------------- */

enum { WIDTH = 160, HEIGHT = 100 };

static void scene_build(struct scene *scene, struct draw *draw)
{
    for (int i = 0; i < 24; i++) {
        struct ball *ball = take(sizeof *ball);
        int cell = (int)draw_below(draw, 16);
        double part[4];
        for (int k = 0; k < 4; k++)
            part[k] = draw_below(draw, 1000) / 1000.0;
        *ball = (struct ball){
            .next = scene->cell[cell], .radius = 0.3 + part[0] * 0.5, .mirror = i % 3 * 0.4,
            .centre = { cell * 0.5 - 4 + part[1] * 0.5, 0.5 + part[2], 2 + part[3] * 4 },
            .colour = { part[1], part[2], part[3] },
        };
        scene->cell[cell] = ball;
    }
}

static void scene_free(struct scene *scene)
{
    for (int cell = 0; cell < 16; cell++)
        for (struct ball *ball = scene->cell[cell], *next; ball != NULL; ball = next) {
            next = ball->next;
            free(ball);
        }
}

static struct point **row_new(struct scene *scene, int y)
{
    struct point **row = take(WIDTH * sizeof *row);
    for (int x = 0; x < WIDTH; x++) {
        struct point way = { (x - WIDTH / 2) / 80.0, (HEIGHT / 2 - y) / 80.0 - 0.1, 1 };
        row[x] = ray_colour(scene, ray_new(scene, (struct point){ 0, 1.2, -3 }, way, 4));
    }
    return row;
}

static uint64_t row_free(struct point **row)
{
    uint64_t sum = 0;
    for (int x = 0; x < WIDTH; x++) {
        sum = mix(sum, (uint64_t)((row[x]->x + row[x]->y + row[x]->z) * 65536));
        free(row[x]);
    }
    free(row);
    return sum;
}

static void ray(struct job *job)
{
    struct draw draw = draw_from(13);
    for (size_t i = 0; i < job->rounds; i++) {
        struct scene scene = { .job = job };
        struct point **row[HEIGHT];
        scene_build(&scene, &draw);
        for (int y = 0; y < HEIGHT; y++)
            row[y] = row_new(&scene, y);
        for (int y = 0; y < HEIGHT; y++)
            job->sum = mix(job->sum, row_free(row[y * 7 % HEIGHT]));
        scene_free(&scene);
    }
}

const struct work ray_works[] = {
    { "ray", ray, 150, "pictures of mirrored balls" },
    { 0 },
};
