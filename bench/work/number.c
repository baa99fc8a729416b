/* number.c - factor integers of 72 bits; each result of a calculation is a block of its own.
 * Job         Pollard's rho (J. Pollard, "A Monte Carlo method for factorization", 1975) takes
 *             some hundred thousand steps a factor; a step makes and drops about twenty numbers of
 *             8 to 40 bytes.
 */
#include "work.h"

#include <string.h>

typedef unsigned __int128 wide;

/* Least limb first; no leading zero limbs; zero has no limbs. */
struct number {
    uint32_t limbs;
    uint32_t limb[];
};

static uint64_t numbers;

static struct number *number_new(uint32_t limbs)
{
    struct number *number = take(sizeof *number + limbs * sizeof number->limb[0]);
    number->limbs = limbs;
    numbers++;
    return number;
}

static struct number *number_trim(struct number *number)
{
    while (number->limbs != 0 && number->limb[number->limbs - 1] == 0)
        number->limbs--;
    return number;
}

static struct number *number_from(wide value)
{
    struct number *number = number_new(4);
    for (int i = 0; i < 4; i++, value >>= 32)
        number->limb[i] = (uint32_t)value;
    return number_trim(number);
}

static wide number_value(const struct number *number)
{
    wide value = 0;
    for (uint32_t i = number->limbs; i-- > 0;)
        value = value << 32 | number->limb[i];
    return value;
}

static struct number *number_copy(const struct number *number)
{
    struct number *copy = number_new(number->limbs);
    memcpy(copy->limb, number->limb, number->limbs * sizeof number->limb[0]);
    return copy;
}

static bool number_less(const struct number *left, const struct number *right)
{
    if (left->limbs != right->limbs)
        return left->limbs < right->limbs;
    for (uint32_t i = left->limbs; i-- > 0;)
        if (left->limb[i] != right->limb[i])
            return left->limb[i] < right->limb[i];
    return false;
}

static struct number *number_plus(const struct number *number, uint32_t addend)
{
    struct number *sum = number_new(number->limbs + 1);
    uint64_t carry = addend;
    for (uint32_t i = 0; i < number->limbs; i++, carry >>= 32)
        sum->limb[i] = (uint32_t)(carry += number->limb[i]);
    sum->limb[number->limbs] = (uint32_t)carry;
    return number_trim(sum);
}

/* |left - right| */
static struct number *number_distance(const struct number *left, const struct number *right)
{
    const struct number *more = number_less(left, right) ? right : left;
    const struct number *less = more == left ? right : left;
    struct number *distance = number_new(more->limbs);
    int64_t borrow = 0;
    for (uint32_t i = 0; i < more->limbs; i++, borrow >>= 32) {
        borrow += (int64_t)more->limb[i] - (i < less->limbs ? less->limb[i] : 0);
        distance->limb[i] = (uint32_t)borrow;
    }
    return number_trim(distance);
}

static struct number *number_times(const struct number *left, const struct number *right)
{
    struct number *product = number_new(left->limbs + right->limbs);
    memset(product->limb, 0, product->limbs * sizeof product->limb[0]);
    for (uint32_t i = 0; i < left->limbs; i++) {
        uint64_t carry = 0;
        for (uint32_t k = 0; k < right->limbs; k++, carry >>= 32)
            product->limb[i + k] = (uint32_t)(carry += product->limb[i + k] +
                (uint64_t)left->limb[i] * right->limb[k]);
        product->limb[i + right->limbs] = (uint32_t)carry;
    }
    return number_trim(product);
}

static struct number *number_shift(const struct number *number, unsigned left, uint32_t limbs)
{
    struct number *shifted = number_new(limbs);
    uint64_t carry = 0;
    for (uint32_t i = 0; i < limbs; i++, carry >>= 32) {
        carry |= (uint64_t)(i < number->limbs ? number->limb[i] : 0) << left;
        shifted->limb[i] = (uint32_t)carry;
    }
    return shifted;
}

/* Takes `quotient` times `divisor` from the limbs at `rest`; whether that was too much. */
static bool limbs_take(uint32_t *rest, const struct number *divisor, uint64_t quotient)
{
    uint64_t carry = 0;
    int64_t borrow = 0;
    for (uint32_t i = 0; i <= divisor->limbs; i++, carry >>= 32, borrow >>= 32) {
        carry += quotient * (i < divisor->limbs ? divisor->limb[i] : 0);
        borrow += (int64_t)rest[i] - (uint32_t)carry;
        rest[i] = (uint32_t)borrow;
    }
    return borrow != 0;
}

static void limbs_give(uint32_t *rest, const struct number *divisor)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i <= divisor->limbs; i++, carry >>= 32) {
        carry += (uint64_t)rest[i] + (i < divisor->limbs ? divisor->limb[i] : 0);
        rest[i] = (uint32_t)carry;
    }
}

static void number_unshift(struct number *number, unsigned right)
{
    for (uint32_t i = 0; i < number->limbs; i++) {
        uint64_t above = i + 1 < number->limbs ? number->limb[i + 1] : 0;
        number->limb[i] = (uint32_t)((above << 32 | number->limb[i]) >> right);
    }
}

/* Long division (D. Knuth, "The Art of Computer Programming", 4.3.1, algorithm D); only the rest
 * is kept. */
static struct number *number_rest(const struct number *number, const struct number *modulus)
{
    if (number_less(number, modulus))
        return number_copy(number);
    unsigned shift = (unsigned)__builtin_clz(modulus->limb[modulus->limbs - 1]);
    struct number *divisor = number_shift(modulus, shift, modulus->limbs);
    struct number *rest = number_shift(number, shift, number->limbs + 1);
    uint64_t top = divisor->limb[divisor->limbs - 1];
    for (uint32_t i = number->limbs - modulus->limbs + 1; i-- > 0;) {
        uint32_t *high = &rest->limb[i + divisor->limbs];
        uint64_t quotient = ((uint64_t)high[0] << 32 | high[-1]) / top;
        if (quotient > UINT32_MAX)
            quotient = UINT32_MAX;
        bool over = limbs_take(&rest->limb[i], divisor, quotient);
        for (int guard = 0; over && guard < 3; guard++) {
            limbs_give(&rest->limb[i], divisor);
            over = *high != 0;
        }
    }
    rest->limbs = divisor->limbs;
    number_unshift(rest, shift);
    free(divisor);
    return number_trim(rest);
}

/* -- factoring --------------------------------------------------------------------------------- */

static struct number *times_rest(const struct number *left, const struct number *right,
    const struct number *modulus)
{
    struct number *product = number_times(left, right);
    struct number *rest = number_rest(product, modulus);
    free(product);
    return rest;
}

static void step(struct number **at, uint32_t addend, const struct number *modulus)
{
    struct number *square = times_rest(*at, *at, modulus);
    struct number *sum = number_plus(square, addend);
    free(square);
    free(*at);
    *at = number_rest(sum, modulus);
    free(sum);
}

static struct number *common(const struct number *left, const struct number *right)
{
    struct number *a = number_copy(left), *b = number_copy(right);
    while (b->limbs != 0) {
        struct number *rest = number_rest(a, b);
        free(a);
        a = b;
        b = rest;
    }
    free(b);
    return a;
}

/* A divisor of `modulus`, perhaps itself: distances of a tortoise and a hare are multiplied, 64 a
 * batch. */
static struct number *rho(const struct number *modulus, uint32_t addend)
{
    struct number *tortoise = number_from(2), *hare = number_from(2), *divisor = number_from(1);
    while (divisor->limbs == 1 && divisor->limb[0] == 1) {
        struct number *product = number_from(1);
        for (int i = 0; i < 64; i++) {
            step(&tortoise, addend, modulus);
            step(&hare, addend, modulus);
            step(&hare, addend, modulus);
            struct number *distance = number_distance(tortoise, hare);
            struct number *next = times_rest(product, distance, modulus);
            free(distance);
            free(product);
            product = next;
        }
        free(divisor);
        divisor = common(modulus, product);
        free(product);
    }
    free(tortoise);
    free(hare);
    return divisor;
}

static uint64_t power_rest(uint64_t base, uint64_t exponent, uint64_t modulus)
{
    uint64_t power = 1;
    for (; exponent != 0; exponent >>= 1, base = (uint64_t)((wide)base * base % modulus))
        if (exponent & 1)
            power = (uint64_t)((wide)power * base % modulus);
    return power;
}

/* Fermat's test with four bases: a number that fools it is no worse to factor. */
static uint64_t prime_after(uint64_t number)
{
    for (number |= 1;; number += 2)
        if (power_rest(2, number - 1, number) == 1 && power_rest(3, number - 1, number) == 1 &&
            power_rest(5, number - 1, number) == 1 && power_rest(7, number - 1, number) == 1)
            return number;
}

static void factor(struct job *job)
{
    struct draw draw = draw_from(11);
    for (size_t i = 0; i < job->rounds; i++) {
        uint64_t p = prime_after((1ull << 29) + draw_below(&draw, 1u << 29));
        uint64_t q = prime_after((1ull << 42) + draw_next(&draw));
        struct number *number = number_from((wide)p * q), *divisor = NULL;
        uint64_t found = 0;
        for (uint32_t addend = 1; addend < 50 && found != p && found != q; addend += 2) {
            divisor = rho(number, addend);
            found = divisor->limbs <= 2 ? (uint64_t)number_value(divisor) : 0;
            free(divisor);
        }
        if (found != p && found != q)
            work_fail("a product of two primes was not factored");
        job->sum = mix(job->sum, found);
        free(number);
    }
    job->blocks = numbers;
}

const struct work number_works[] = {
    { "factor", factor, 28, "72-bit numbers factored, each result a block" },
    { 0 },
};
