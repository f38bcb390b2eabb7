/* Numbers in bfloat16 (the upper half of a float32), and what rows of floats become in it.

   Products read pairs: two factors that follow each other in a sum stand in one 32-bit word, the
   first in its lower half. A row of K of them takes words_of(K), zeros at its end, so that whole
   tiles fit. All is rounded to the nearest, ties to even. */

#ifndef BIRNN_NUMBERS_H
#define BIRNN_NUMBERS_H

#include "../layout.h"

#include <immintrin.h>

#define TILE 16 /* rows, columns and pairs of a tile */

INLINE int64_t words_of(int64_t depth) { return (depth + 2 * TILE - 1) / (2 * TILE) * TILE; }

INLINE __m512i load_words(const void *from) { return _mm512_loadu_si512(from); }
INLINE void store_words(uint32_t *to, __m512i words) { _mm512_storeu_si512(to, words); }

/* The first `width` numbers alone, the others 0, without a branch. */
INLINE vec load_first(const float *from, int64_t width) {
    const uint32_t first = width >= LANES ? 0xffff : width <= 0 ? 0 : (1u << width) - 1;
    return (vec)_mm512_maskz_loadu_ps((__mmask16)first, from);
}

/* LANES numbers of a row, as half as many words. */
INLINE void store_rounded(uint32_t *to, vec value) {
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)value));
}

/* A row of floats as words_of(size) words. */
static void round_row(const float *from, int64_t size, uint32_t *to) {
    for (int64_t i = 0; i < 2 * words_of(size); i += LANES)
        store_rounded(to + i / 2, load_first(from + i, size - i));
}

/* Pairs of what two rows hold in the same places. */
INLINE __m512i paired(vec first, vec second) {
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)first));
    const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)second));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

/* One turn of transposing 16 x 16 words: where bit `step` of row and column differ, swap them. */
INLINE void swap_blocks(__m512i *rows, const int step) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i by = _mm512_set1_epi32(step);
    const __mmask16 set = _mm512_test_epi32_mask(lane, by);
    const __m512i other = _mm512_or_si512(lane, _mm512_set1_epi32(LANES));
    const __m512i upper = _mm512_mask_sub_epi32(lane, set, other, by);
    const __m512i lower = _mm512_mask_mov_epi32(_mm512_add_epi32(lane, by), set, other);
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
        if (i & step) continue;
        __m512i first = rows[i], second = rows[i + step];
        rows[i] = _mm512_permutex2var_epi32(first, upper, second);
        rows[i + step] = _mm512_permutex2var_epi32(first, lower, second);
    }
}

INLINE void transpose_words(__m512i *rows) {
    swap_blocks(rows, 8);
    swap_blocks(rows, 4);
    swap_blocks(rows, 2);
    swap_blocks(rows, 1);
}

#endif
