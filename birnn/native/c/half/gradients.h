/* Gradients of the weights and of x with products in bfloat16; otherwise as ../gradients.h. */

#ifndef BIRNN_HALF_GRADIENTS_H
#define BIRNN_HALF_GRADIENTS_H

#include "../gradients.h"
#include "backward.h"

#define CHUNK_WORDS (DEPTH / 2) /* of a row that holds the same feature of DEPTH steps */

INLINE int64_t chunks_of(const Scan *s) { return (s->rows + DEPTH - 1) / DEPTH; }

/* Where chunks of x, then of h of each direction, stand transposed; tasks count in that order. */
INLINE uint32_t *transposed(const Scan *s, int64_t part, int64_t chunk) {
    const int64_t x_size = groups_of(s->features) * LANES * CHUNK_WORDS;
    const int64_t h_size = groups_of(s->hidden) * LANES * CHUNK_WORDS, chunks = chunks_of(s);
    if (!part) return s->transposed + chunk * x_size;
    return s->transposed + chunks * x_size + ((part - 1) * chunks + chunk) * h_size;
}

INLINE int64_t transposed_words(const Scan *s) {
    return transposed(s, 1 + s->directions, 0) - s->transposed;
}

/* `count` rows of `size` floats, `step` apart, as [groups_of(size) * LANES][CHUNK_WORDS]. */
static void transpose_rows(const float *rows, int64_t step, int64_t count, int64_t size,
                           uint32_t *to) {
    for (int64_t k = 0; k < size; k += LANES)
        for (int64_t row = 0; row < DEPTH; row += 2 * TILE) {
            __m512i words[TILE];
            for (int64_t i = 0; i < TILE; i++) {
                const int64_t first = row + 2 * i;
                const float *from = rows + first * step + k;
                const vec one = load_first(from, first < count ? size - k : 0);
                const vec two = load_first(from + step, first + 1 < count ? size - k : 0);
                words[i] = paired(one, two);
            }
            transpose_words(words);
            for (int64_t i = 0; i < TILE; i++)
                store_words(to + (k + i) * CHUNK_WORDS + row / 2, words[i]);
        }
}

/* Task: one chunk of x, or of the states before each step of one direction. */
static void transpose_chunk(Scan *s, int64_t task) {
    const int64_t chunk = task % chunks_of(s), part = task / chunks_of(s), row = chunk * DEPTH;
    const int64_t count = s->rows - row < DEPTH ? s->rows - row : DEPTH;
    const int64_t units = groups_of(s->hidden) * LANES;
    if (part)
        transpose_rows(s->direction[part - 1].before + row * units, units, count, units,
                       transposed(s, part, chunk));
    else
        transpose_rows(s->x + row * s->features, s->features, count, s->features,
                       transposed(s, part, chunk));
}

/* The gates' gradients of a chunk of one group of units as pairs, [CHUNK_WORDS][KEPT][LANES]; their
   sums, not rounded, are added to `bias`. */
static void pair_gradients(const float *kept, int64_t step, int64_t count, uint32_t *panel,
                           float *bias) {
    for (int64_t v = 0; v < KEPT * LANES; v += LANES) {
        vec sum = {0};
        for (int64_t i = 0; i < DEPTH; i += 2) {
            const vec one = i < count ? load(kept + i * step + v) : (vec){0};
            const vec two = i + 1 < count ? load(kept + (i + 1) * step + v) : (vec){0};
            store_words(panel + i / 2 * KEPT * LANES + v, paired(one, two));
            sum += one;
            sum += two;
        }
        store(bias + v, load(bias + v) + sum);
    }
}

/* sums += the product of one chunk, for one group of units. */
static void half_weight_gradient(const Scan *s, const uint32_t *panel, int64_t count,
                                 const uint32_t *rows, int64_t depth, float *sums) {
    const int64_t gates = cell_of(s)->gates;
    Halves p = {.rows = rows, .row_step = CHUNK_WORDS, .count = depth, .pairs = (count + 1) / 2};
    p.panel = panel;
    p.panel_step = KEPT * LANES;
    p.out = sums;
    p.out_step = gates * LANES;
    half_product(s->half, gates, &p);
}

/* Task: the weights of one group of units of one direction. */
static int half_weight_gradients(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    Direction *d = &s->direction[task % s->directions];
    const int64_t j = task / s->directions, groups = groups_of(s->hidden), kept = KEPT * LANES;
    const int64_t vectors = cell->gates * LANES, part = 1 + task % s->directions;
    const int64_t sums_size = (s->features + s->hidden) * vectors;
    float *bias = scratch(kept + sums_size + CHUNK_WORDS * kept);
    if (!bias) return 0;
    float *input = bias + kept, *recurrent = input + s->features * vectors;
    uint32_t *panel = (uint32_t *)bias + kept + sums_size;
    memset(bias, 0, (size_t)(kept + sums_size) * sizeof(float));
    for (int64_t chunk = 0; chunk < chunks_of(s); chunk++) {
        const int64_t row = chunk * DEPTH, left = s->rows - row, count = left < DEPTH ? left : DEPTH;
        pair_gradients(d->kept + (row * groups + j) * kept, groups * kept, count, panel, bias);
        half_weight_gradient(s, panel, count, transposed(s, 0, chunk), s->features, input);
        half_weight_gradient(s, panel + cell->recurrent_kept * LANES, count,
                             transposed(s, part, chunk), s->hidden, recurrent);
    }
    give_weight_gradients(s, d, j, bias, input, recurrent);
    return 1;
}

/* Task: the gradient of up to INPUT_ROWS rows of x, the sum over directions of kept times W. */
static int half_input_gradient(const Scan *s, int64_t task) {
    const int64_t kept = groups_of(s->hidden) * KEPT * LANES, first = task * INPUT_ROWS;
    const int64_t columns = groups_of(s->features) * LANES, words = gradient_words(s);
    const int64_t count = s->rows - first < INPUT_ROWS ? s->rows - first : INPUT_ROWS;
    float *sums = scratch(INPUT_ROWS * columns + (INPUT_ROWS + TILE) * words);
    if (!sums) return 0;
    uint32_t *rows = (uint32_t *)sums + INPUT_ROWS * columns;
    memset(sums, 0, (size_t)(count * columns) * sizeof(float));
    for (int64_t i = 0; i < s->directions; i++) {
        const Direction *d = &s->direction[i];
        for (int64_t r = 0; r < count; r++)
            round_gradients(s, d->kept + (first + r) * kept, 0, rows + r * words);
        add_half_products(s, (const uint32_t *)d->panels + half_backward_panels(s).input,
                          s->features, rows, count, sums);
    }
    for (int64_t b = 0; b < s->batch; b++)
        give_input_gradient(s, b, first, first + count, sums, columns);
    return 1;
}

#endif
