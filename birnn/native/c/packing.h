/* Weights laid out as the products read them: panels, one row of them after the other. */

#ifndef BIRNN_PACKING_H
#define BIRNN_PACKING_H

#include "layout.h"

/* Where the parts of `panels` begin, in floats. */
typedef struct {
    int64_t input, recurrent, input_bias, recurrent_bias, size;
} Panels;

INLINE Panels forward_panels(const Scan *s) {
    int64_t row = cell_of(s)->gates * groups_of(s->hidden) * LANES;
    Panels p = {.input = 0, .recurrent = row * s->features};
    p.input_bias = p.recurrent + row * s->hidden;
    p.recurrent_bias = p.input_bias + row;
    p.size = p.recurrent_bias + row;
    return p;
}

INLINE Panels backward_panels(const Scan *s) {
    int64_t row = cell_of(s)->gates * s->hidden;
    Panels p = {.input = 0, .recurrent = row * groups_of(s->features) * LANES};
    p.size = p.recurrent + row * groups_of(s->hidden) * LANES;
    return p;
}

/* to[c * to_step + r] = from[r * from_step + c] for c < columns and r < width; rows of `from` that
   are not there count as 0. */
INLINE void transpose_tile(const float *from, int64_t from_step, int64_t rows, int64_t columns,
                           float *to, int64_t to_step, int64_t width) {
    vec tile[LANES];
#pragma GCC unroll 16
    for (int r = 0; r < LANES; r++)
        tile[r] = r < rows ? load_some(from + r * from_step, columns) : (vec){0};
    transpose(tile);
#pragma GCC unroll 16
    for (int c = 0; c < LANES; c++)
        if (c < columns) store_some(to + c * to_step, tile[c], width);
}

/* Group j of W [gates * H][K] as [K][gates][LANES], and its bias as [gates][LANES]. */
static void pack_group(const float *weight, const float *bias, const int64_t *gate_rows,
                       int64_t gates, int64_t hidden, int64_t depth, int64_t j, float *panel,
                       float *bias_panel) {
    int64_t width = width_of(hidden, j);
    for (int64_t g = 0; g < gates; g++) {
        int64_t first = gate_rows[g] * hidden + j * LANES;
        store(bias_panel + g * LANES, load_some(bias + first, width));
        for (int64_t k = 0; k < depth; k += LANES)
            transpose_tile(weight + first * depth + k, depth, width, width_of(depth, k / LANES),
                           panel + (k * gates + g) * LANES, gates * LANES, LANES);
    }
}

/* Task: one group of units of one direction. */
static void pack_forward(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    const Panels at = forward_panels(s);
    Direction *d = &s->direction[task % s->directions];
    int64_t j = task / s->directions, vectors = cell->gates * LANES;
    pack_group(d->input, d->input_bias, cell->input_rows, cell->gates, s->hidden, s->features, j,
               d->panels + at.input + j * s->features * vectors,
               d->panels + at.input_bias + j * vectors);
    pack_group(d->recurrent, d->recurrent_bias, cell->recurrent_rows, cell->gates, s->hidden,
               s->hidden, j, d->panels + at.recurrent + j * s->hidden * vectors,
               d->panels + at.recurrent_bias + j * vectors);
}

/* The backward pass has panels of up to MAX_VECTORS groups of columns, as equal as may be: how
   many there are, and the first group of one. */
INLINE int64_t panels_of(int64_t size) {
    return (groups_of(size) + MAX_VECTORS - 1) / MAX_VECTORS;
}

INLINE int64_t panel_first(int64_t size, int64_t panel) {
    return panel * groups_of(size) / panels_of(size);
}

/* A panel of columns of W [gates * H][K] as [gates * H][vectors * LANES], the gates of LANES units
   beside each other and then those of the next; to its place in `panels`. */
static void pack_columns(const float *weight, const int64_t *gate_rows, int64_t gates,
                         int64_t hidden, int64_t depth, int64_t number, float *panels) {
    int64_t first = panel_first(depth, number), left = depth - first * LANES;
    int64_t width = (panel_first(depth, number + 1) - first) * LANES;
    int64_t real = left < width ? left : width;
    float *panel = panels + first * LANES * gates * hidden;
    for (int64_t j = 0; j < groups_of(hidden); j++)
        for (int64_t g = 0; g < gates; g++)
            for (int64_t lane = 0; lane < width_of(hidden, j); lane++, panel += width) {
                memset(panel, 0, (size_t)width * sizeof(float));
                int64_t row = gate_rows[g] * hidden + j * LANES + lane;
                memcpy(panel, weight + row * depth + first * LANES, (size_t)real * sizeof(float));
            }
}

/* out += rows of gates' gradients, as they are kept, times a panel of columns: the terms of the
   groups of units [first, end). */
INLINE void add_gates_product(const Scan *s, int64_t first, int64_t end, int64_t rows,
                              int64_t vectors, Product *p) {
    const int64_t gates = cell_of(s)->gates, whole = s->hidden / LANES;
    const int64_t count = (end < whole ? end : whole) - first;
    p->step = 1;
    p->panel_step = vectors * LANES;
    p->start = p->out;
    p->start_step = p->out_step;
    p->length = gates * LANES;
    p->segments = count;
    p->skip = KEPT * LANES - p->length;
    p->panel += first * p->length * p->panel_step;
    for (int64_t r = 0; r < rows; r++) p->rows[r] += first * KEPT * LANES;
    if (count) product(rows, vectors, p);
    if (end <= whole) return;
    p->panel += count * p->length * p->panel_step;
    for (int64_t r = 0; r < rows; r++) p->rows[r] += count * KEPT * LANES;
    p->length = s->hidden - whole * LANES; /* the units of the last group, whose rest is padding */
    p->segments = gates;
    p->skip = LANES - p->length;
    product(rows, vectors, p);
}

/* Groups whose terms all rows add before those of the next (slice_of). */
INLINE int64_t slice_of_groups(const Scan *s, int64_t rows) {
    const int64_t depth = cell_of(s)->gates * LANES, most = s->slice / depth;
    return slice_of(groups_of(s->hidden), rows, s->slice && !most ? 1 : most);
}

/* Task: one panel of U or (where x has a gradient) of W, of one direction. */
static void pack_backward(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    const Panels at = backward_panels(s);
    Direction *d = &s->direction[task % s->directions];
    int64_t panel = task / s->directions, recurrent = panels_of(s->hidden);
    if (panel < recurrent)
        pack_columns(d->recurrent, cell->recurrent_rows, cell->gates, s->hidden, s->hidden, panel,
                     d->panels + at.recurrent);
    else
        pack_columns(d->input, cell->input_rows, cell->gates, s->hidden, s->features,
                     panel - recurrent, d->panels + at.input);
}

#endif
