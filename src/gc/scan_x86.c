/* scan_x86.c - four or eight words a step, where the processor can; empty on others. */
#include "gc/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* -- AVX2: four words, those that count moved to the front by a table -------------------------- */

/* Lanes of 32 bits to take, by which of the four words count: each word is two lanes; what stands
 * behind the words that count is overwritten by the next step. */
#define PAIR(i)           2 * (i), 2 * (i) + 1
#define LANES(a, b, c, d) { PAIR(a), PAIR(b), PAIR(c), PAIR(d) }
static const uint32_t front_lanes[16][8] ALIGNED(64) = {
    LANES(0, 1, 2, 3), LANES(0, 1, 2, 3), LANES(1, 0, 2, 3), LANES(0, 1, 2, 3),
    LANES(2, 0, 1, 3), LANES(0, 2, 1, 3), LANES(1, 2, 0, 3), LANES(0, 1, 2, 3),
    LANES(3, 0, 1, 2), LANES(0, 3, 1, 2), LANES(1, 3, 0, 2), LANES(0, 1, 3, 2),
    LANES(2, 3, 0, 1), LANES(0, 2, 3, 1), LANES(1, 2, 3, 0), LANES(0, 1, 2, 3),
};

/* There are only signed comparisons: 2^63 is added to both sides, to the left one by `base`. */
__attribute__((target("avx2,popcnt"))) SCAN_ANYTHING
static size_t scan_avx2(const word *at, size_t words, word base, word reach, word *out)
{
    const word sign = (word)1 << 63;
    const __m256i low = _mm256_set1_epi64x((long long)(base + sign));
    const __m256i limit = _mm256_set1_epi64x((long long)(reach ^ sign));
    size_t found = 0, i = 0;
#pragma GCC unroll 4
    for (; i + 4 <= words; i += 4) {
        __m256i four = _mm256_loadu_si256((const __m256i_u *)(at + i));
        __m256i hits = _mm256_cmpgt_epi64(limit, _mm256_sub_epi64(four, low));
        unsigned mask = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(hits));
        __m256i lanes = _mm256_load_si256((const __m256i *)front_lanes[mask]);
        _mm256_storeu_si256((__m256i_u *)(out + found),
                            _mm256_permutevar8x32_epi32(four, lanes));
        found += (unsigned)__builtin_popcount(mask);
    }
    for (; i < words; i++) {
        out[found] = at[i];
        found += at[i] - base < reach;
    }
    return found;
}

/* -- AVX-512: eight words, and an instruction that does it ------------------------------------- */

#define AVX512 __attribute__((target("avx512f,popcnt")))

/* Those of eight words that are in the window are written to `out`; how many. `there` says which of
 * them are in the range: the others are not read. Compressed in a register, then stored whole:
 * compressing into memory is slow on some processors. */
AVX512 SCAN_ANYTHING INLINE
unsigned eight_words(const word *at, __mmask8 there, __m512i low, __m512i limit, word *out)
{
    __m512i eight = _mm512_maskz_loadu_epi64(there, at);
    __mmask8 hits = _mm512_mask_cmplt_epu64_mask(there, _mm512_sub_epi64(eight, low), limit);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi64(hits, eight));
    return (unsigned)__builtin_popcount(hits);
}

AVX512 SCAN_ANYTHING
static size_t scan_avx512(const word *at, size_t words, word base, word reach, word *out)
{
    const __m512i low = _mm512_set1_epi64((long long)base);
    const __m512i limit = _mm512_set1_epi64((long long)reach);
    size_t found = 0, i = 0;
#pragma GCC unroll 4
    for (; i + 8 <= words; i += 8)
        found += eight_words(at + i, 0xff, low, limit, out + found);
    if (i < words)
        found += eight_words(at + i, (__mmask8)((1u << (words - i)) - 1), low, limit, out + found);
    return found;
}

/* Asked for by name, the builtin also looks whether the system saves these registers. */
size_t scan_versions_x86(struct scan_version *out)
{
    size_t count = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"))
        out[count++] = (struct scan_version){ "avx2", scan_avx2 };
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("popcnt"))
        out[count++] = (struct scan_version){ "avx512", scan_avx512 };
    return count;
}

#else

size_t scan_versions_x86(struct scan_version *out)
{
    (void)out;
    return 0;
}

#endif
