/* Gradients of the weights and of x, from those of all steps' gates. */

#ifndef BIRNN_GRADIENTS_H
#define BIRNN_GRADIENTS_H

#include "packing.h"

#define DEPTH 128     /* steps that a weight's gradient sums before it moves on */

/* sums += kept[step][gates] times rows[step][depth] over `count` steps, for one group of units.
   The steps are summed apart from what stood there: many short sums round less than a long one. */
static void weight_gradient(const Scan *s, const float *panel, int64_t count, const float *rows,
                            int64_t row_step, int64_t depth, float *sums) {
    const int64_t vectors = cell_of(s)->gates;
    Product p = {.step = row_step, .length = count, .segments = 1, .panel_step = KEPT * LANES};
    p.panel = panel;
    p.out_step = vectors * LANES;
    for (int64_t k = 0, block; k < depth; k += block) {
        block = next_block(depth - k, ROWS_BESIDE(vectors));
        for (int64_t r = 0; r < block; r++) p.rows[r] = rows + k + r;
        p.out = sums + k * vectors * LANES;
        product(block, vectors, &p);
    }
}

/* [depth][gates][LANES] → rows of torch's [gates * H][depth]. */
static void unpack_gradient(const Scan *s, const float *sums, const int64_t *gate_rows, int64_t j,
                            int64_t depth, float *to) {
    const int64_t gates = cell_of(s)->gates, width = width_of(s->hidden, j);
    for (int64_t k = 0; k < depth; k += LANES)
        for (int64_t g = 0; g < gates; g++)
            transpose_tile(sums + (k * gates + g) * LANES, gates * LANES, width_of(depth, k / LANES),
                           width, to + (gate_rows[g] * s->hidden + j * LANES) * depth + k, depth,
                           width_of(depth, k / LANES));
}

/* Task: the weights of one group of units of one direction. */
static int weight_gradients(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    Direction *d = &s->direction[task % s->directions];
    const int64_t j = task / s->directions, groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = cell->gates * LANES, kept = KEPT * LANES;
    const int64_t sums_size = (s->features + s->hidden) * vectors;
    float *panel = scratch(DEPTH * kept + kept + sums_size);
    if (!panel) return 0;
    float *bias = panel + DEPTH * kept, *input = bias + kept;
    float *recurrent = input + s->features * vectors;
    memset(bias, 0, (size_t)(kept + sums_size) * sizeof(float));
    for (int64_t row = 0; row < s->rows; row += DEPTH) {
        int64_t count = s->rows - row < DEPTH ? s->rows - row : DEPTH;
        for (int64_t v = 0; v < kept; v += LANES) {
            vec sum = {0};
            for (int64_t i = 0; i < count; i++) {
                vec value = load(d->kept + ((row + i) * groups + j) * kept + v);
                store(panel + i * kept + v, value);
                sum += value;
            }
            store(bias + v, load(bias + v) + sum);
        }
        weight_gradient(s, panel, count, s->x + row * s->features, s->features, s->features, input);
        weight_gradient(s, panel + cell->recurrent_kept * LANES, count, d->before + row * units,
                        units, s->hidden, recurrent);
    }
    unpack_gradient(s, input, cell->input_rows, j, s->features, d->input_gradient);
    unpack_gradient(s, recurrent, cell->recurrent_rows, j, s->hidden, d->recurrent_gradient);
    unpack_gradient(s, bias, cell->input_rows, j, 1, d->input_bias_gradient);
    unpack_gradient(s, bias + cell->recurrent_kept * LANES, cell->recurrent_rows, j, 1,
                    d->recurrent_bias_gradient);
    return 1;
}

/* Task: the gradient of x of one sequence, the sum over directions of kept times W. */
static int input_gradient(const Scan *s, int64_t b) {
    const Cell *cell = cell_of(s);
    const int64_t groups = groups_of(s->hidden), kept = groups * KEPT * LANES;
    const int64_t depth = cell->gates * LANES, columns = groups_of(s->features) * LANES;
    float *out = s->x_gradient + s->dense[b] * s->features;
    float *rows = scratch(MAX_ROWS * columns);
    if (!rows) return 0;
    Product p = {.step = 1, .length = depth, .segments = groups, .skip = KEPT * LANES - depth};
    p.start_step = p.out_step = columns;
    for (int64_t t = 0, block; t < s->length[b]; t += block) {
        block = next_block(s->length[b] - t, ROWS_BESIDE(MAX_VECTORS));
        memset(rows, 0, (size_t)(block * columns) * sizeof(float));
        for (int64_t i = 0; i < s->directions; i++)
            for (int64_t f = 0; f < groups_of(s->features); f += MAX_VECTORS) {
                const Direction *d = &s->direction[i];
                int64_t vectors = vectors_from(s->features, f);
                p.panel = d->panels + backward_panels(s).input + f * LANES * groups * depth;
                p.panel_step = vectors * LANES;
                p.start = p.out = rows + f * LANES;
                for (int64_t r = 0; r < block; r++)
                    p.rows[r] = d->kept + (s->packed[b] + t + r) * kept;
                product(block, vectors, &p);
            }
        for (int64_t r = 0; r < block; r++)
            memcpy(out + (t + r) * s->features, rows + r * columns,
                   (size_t)s->features * sizeof(float));
    }
    memset(out + s->length[b] * s->features, 0,
           (size_t)((s->steps - s->length[b]) * s->features) * sizeof(float));
    return 1;
}

#endif
