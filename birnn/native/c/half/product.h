/* Rows times a panel with factors in bfloat16 and sums in float32.

       out[r][v] = start[r][v] + sum over k of rows[r][k] * panel[k][v]

   for any number of rows and up to 4 vectors of columns. Two makes: the processor's product of
   pairs (AVX512-BF16), and tiles (AMX, tiles.h), each with an order of its own in which it sums.
   Within a make the order is one, however many rows stand side by side. */

#ifndef BIRNN_HALF_PRODUCT_H
#define BIRNN_HALF_PRODUCT_H

#include "numbers.h"

typedef struct {
    const uint32_t *rows; /* each padded to words_of(K); TILE more rows can be read after them */
    int64_t row_step;     /* words from row to row */
    int64_t count, pairs; /* rows, and words that are not padding */
    const uint32_t *panel;
    int64_t panel_step; /* words from a pair's row of the panel to the next */
    const float *start; /* NULL: what stands in `out` counts too, first or last */
    int64_t start_step; /* 0: all rows start from the same (a bias) */
    float *out;
    int64_t out_step;
} Halves;

INLINE void pairs_of_size(const int rows, const int vectors, const Halves *p) {
    vec sum[MAX_ROWS][MAX_VECTORS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            sum[r][v] = broadcast(0);
            if (p->start) sum[r][v] = load(p->start + r * p->start_step + v * LANES);
        }
    const uint32_t *panel = p->panel;
    const int64_t panel_step = p->panel_step, pairs = p->pairs;
    const uint32_t *row[MAX_ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) row[r] = p->rows + r * p->row_step;
    for (int64_t k = 0; k < pairs; k++) {
        __m512i column[MAX_VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            column[v] = load_words(panel + v * LANES);
            if (rows > 1) IN_REGISTER(column[v]);
        }
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            __m512i factor = _mm512_set1_epi32((int)row[r][k]);
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sum[r][v] = (vec)_mm512_dpbf16_ps((__m512)sum[r][v], (__m512bh)factor,
                                                  (__m512bh)column[v]);
        }
        panel += panel_step;
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            float *to = p->out + r * p->out_step + v * LANES;
            if (!p->start) sum[r][v] += load(to);
            store(to, sum[r][v]);
        }
}

#define SIZED_PAIRS(rows, vectors) \
    static void pairs_##rows##_##vectors(const Halves *p) { pairs_of_size(rows, vectors, p); }
ROWS_1_TO_8(SIZED_PAIRS, 1)
ROWS_1_TO_8(SIZED_PAIRS, 2)
ROWS_1_TO_8(SIZED_PAIRS, 3)
ROWS_1_TO_8(SIZED_PAIRS, 4)

#define NAMED_PAIRS(rows, vectors) pairs_##rows##_##vectors,
static void (*const PAIR_PRODUCTS[MAX_VECTORS][MAX_ROWS])(const Halves *) = {
    {ROWS_1_TO_8(NAMED_PAIRS, 1)},
    {ROWS_1_TO_8(NAMED_PAIRS, 2)},
    {ROWS_1_TO_8(NAMED_PAIRS, 3)},
    {ROWS_1_TO_8(NAMED_PAIRS, 4)},
};

/* The same product of `count` rows from row `first` on. */
INLINE Halves rows_from(const Halves *p, int64_t first, int64_t count) {
    Halves part = *p;
    part.count = count;
    part.rows += first * p->row_step;
    if (p->start) part.start += first * p->start_step;
    part.out += first * p->out_step;
    return part;
}

static void pairs_product(int64_t vectors, const Halves *p) {
    if (p->count <= ROWS_BESIDE(vectors)) {
        PAIR_PRODUCTS[vectors - 1][p->count - 1](p);
        return;
    }
    for (int64_t i = 0, block; i < p->count; i += block) {
        block = next_block(p->count - i, ROWS_BESIDE(vectors));
        Halves part = rows_from(p, i, block);
        PAIR_PRODUCTS[vectors - 1][block - 1](&part);
    }
}

#endif
