/* Gradients of the weights and of x, from those of all steps' gates. */

#ifndef BIRNN_GRADIENTS_H
#define BIRNN_GRADIENTS_H

#include "packing.h"

#define FAR 16    /* steps from one that is read to one that the caches should fetch by then */
#define INPUT_ROWS 96 /* rows of x whose gradients one task finds */
#define DEPTH 128 /* steps that a weight's gradient sums before it moves on */

/* sums += kept[step][gates] times rows[step][depth] over `count` steps, for one group of units.
   The steps are summed apart from what stood there: many short sums round less than a long one. */
static void weight_gradient(const Scan *s, const float *panel, int64_t count, const float *rows,
                            int64_t row_step, int64_t depth, float *sums) {
    const int64_t vectors = cell_of(s)->gates;
    Product p = {.step = row_step, .length = count, .segments = 1, .panel_step = KEPT * LANES};
    p.panel = panel;
    p.out_step = vectors * LANES;
    p.ahead = DEPTH * row_step;
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

/* The kept vectors of one group over `count` steps, side by side; bias += their sum. */
static void take_panel(const float *kept, int64_t step, int64_t count, float *panel, float *bias) {
    vec sum[KEPT] = {0};
    for (int64_t i = 0; i < count; i++, kept += step, panel += KEPT * LANES)
#pragma GCC unroll 4
        for (int64_t v = 0; v < KEPT; v++) {
            __builtin_prefetch(kept + FAR * step + v * LANES);
            vec value = load(kept + v * LANES);
            store(panel + v * LANES, value);
            sum[v] += value;
        }
    for (int64_t v = 0; v < KEPT; v++)
        store(bias + v * LANES, load(bias + v * LANES) + sum[v]);
}

/* Sums of one group of units, as torch lays weights out. */
static void give_weight_gradients(const Scan *s, const Direction *d, int64_t j, const float *bias,
                                  const float *input, const float *recurrent) {
    const Cell *cell = cell_of(s);
    unpack_gradient(s, input, cell->input_rows, j, s->features, d->input_gradient);
    unpack_gradient(s, recurrent, cell->recurrent_rows, j, s->hidden, d->recurrent_gradient);
    unpack_gradient(s, bias, cell->input_rows, j, 1, d->input_bias_gradient);
    unpack_gradient(s, bias + cell->recurrent_kept * LANES, cell->recurrent_rows, j, 1,
                    d->recurrent_bias_gradient);
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
        take_panel(d->kept + (row * groups + j) * kept, groups * kept, count, panel, bias);
        weight_gradient(s, panel, count, s->x + row * s->features, s->features, s->features, input);
        weight_gradient(s, panel + cell->recurrent_kept * LANES, count, d->before + row * units,
                        units, s->hidden, recurrent);
    }
    give_weight_gradients(s, d, j, bias, input, recurrent);
    return 1;
}

/* Those of the packed rows [first, end) that are the sequence's, to its place; and its padding. */
static void give_input_gradient(const Scan *s, int64_t b, int64_t first, int64_t end,
                                const float *rows, int64_t columns) {
    const int64_t begin = s->packed[b], past = begin + s->length[b];
    float *out = s->x_gradient + s->dense[b] * s->features;
    for (int64_t row = begin > first ? begin : first; row < (past < end ? past : end); row++)
        memcpy(out + (row - begin) * s->features, rows + (row - first) * columns,
               (size_t)s->features * sizeof(float));
    if (first <= begin && begin < end)
        memset(out + s->length[b] * s->features, 0,
               (size_t)((s->steps - s->length[b]) * s->features) * sizeof(float));
}

/* rows [count][columns] += kept of packed rows from `first` on times a panel of W. */
static void add_input_gradient(const Scan *s, const Direction *d, int64_t panel, int64_t first,
                               int64_t count, float *rows) {
    const int64_t groups = groups_of(s->hidden), kept = groups * KEPT * LANES;
    const int64_t f = panel_first(s->features, panel), slice = slice_of_groups(s, count);
    const int64_t vectors = panel_first(s->features, panel + 1) - f;
    Product p = {.out_step = groups_of(s->features) * LANES};
    for (int64_t begin = 0; begin < groups; begin += slice) {
        int64_t end = begin + slice < groups ? begin + slice : groups;
        for (int64_t row = 0, block; row < count; row += block) {
            block = next_block(count - row, ROWS_BESIDE(vectors));
            for (int64_t r = 0; r < block; r++) p.rows[r] = d->kept + (first + row + r) * kept;
            p.panel = d->panels + backward_panels(s).input + f * LANES * cell_of(s)->gates * s->hidden;
            p.out = rows + row * p.out_step + f * LANES;
            add_gates_product(s, begin, end, block, vectors, &p);
        }
    }
}

/* Task: the gradient of up to INPUT_ROWS rows of x, the sum over directions of kept times W. */
static int input_gradient(const Scan *s, int64_t task) {
    const int64_t columns = groups_of(s->features) * LANES, first = task * INPUT_ROWS;
    const int64_t count = s->rows - first < INPUT_ROWS ? s->rows - first : INPUT_ROWS;
    float *rows = scratch(INPUT_ROWS * columns);
    if (!rows) return 0;
    memset(rows, 0, (size_t)(count * columns) * sizeof(float));
    for (int64_t i = 0; i < s->directions; i++)
        for (int64_t panel = 0; panel < panels_of(s->features); panel++)
            add_input_gradient(s, &s->direction[i], panel, first, count, rows);
    for (int64_t b = 0; b < s->batch; b++)
        give_input_gradient(s, b, first, first + count, rows, columns);
    return 1;
}

#endif
