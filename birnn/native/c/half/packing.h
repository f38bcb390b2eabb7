/* Weights as products of bfloat16 read them: panels of pairs. */

#ifndef BIRNN_HALF_PACKING_H
#define BIRNN_HALF_PACKING_H

#include "../packing.h"
#include "makes.h"

INLINE Panels half_forward_panels(const Scan *s) {
    int64_t row = cell_of(s)->gates * groups_of(s->hidden) * LANES;
    Panels p = {.input = 0, .recurrent = row * words_of(s->features)};
    p.input_bias = p.recurrent + row * words_of(s->hidden);
    p.recurrent_bias = p.input_bias + row;
    p.size = p.recurrent_bias + row;
    return p;
}

/* Words of a row of the gates' gradients, [J][gates][LANES]. */
INLINE int64_t gradient_words(const Scan *s) {
    return words_of(cell_of(s)->gates * groups_of(s->hidden) * LANES);
}

INLINE Panels half_backward_panels(const Scan *s) {
    Panels p = {.recurrent = gradient_words(s) * groups_of(s->features) * LANES};
    p.size = p.recurrent + gradient_words(s) * groups_of(s->hidden) * LANES;
    return p;
}

/* Group j of W [gates * H][K] as [words_of(K)][gates][LANES], and its bias as [gates][LANES]. */
static void pack_half_group(const float *weight, const float *bias, const int64_t *gate_rows,
                            int64_t gates, int64_t hidden, int64_t depth, int64_t j,
                            uint32_t *panel, float *bias_panel) {
    const int64_t width = width_of(hidden, j);
    for (int64_t g = 0; g < gates; g++) {
        const int64_t first = gate_rows[g] * hidden + j * LANES;
        for (int64_t k = 0; k < words_of(depth); k += TILE) {
            uint32_t words[TILE][TILE] = {0};
            __m512i rows[TILE];
            for (int64_t lane = 0; lane < width; lane++)
                for (int64_t half = 0; half < 2; half++) {
                    const int64_t from = 2 * k + half * LANES;
                    store_rounded(words[lane] + half * LANES / 2,
                                  load_first(weight + (first + lane) * depth + from, depth - from));
                }
            for (int lane = 0; lane < TILE; lane++) rows[lane] = load_words(words[lane]);
            transpose_words(rows);
            for (int64_t i = 0; i < TILE; i++)
                store_words(panel + ((k + i) * gates + g) * LANES, rows[i]);
        }
        store(bias_panel + g * LANES, load_some(bias + first, width));
    }
}

/* Task: one group of units of one direction. */
static void pack_half_forward(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    const Panels at = half_forward_panels(s);
    Direction *d = &s->direction[task % s->directions];
    const int64_t j = task / s->directions, vectors = cell->gates * LANES;
    uint32_t *panels = (uint32_t *)d->panels;
    pack_half_group(d->input, d->input_bias, cell->input_rows, cell->gates, s->hidden, s->features,
                    j, panels + at.input + j * words_of(s->features) * vectors,
                    d->panels + at.input_bias + j * vectors);
    pack_half_group(d->recurrent, d->recurrent_bias, cell->recurrent_rows, cell->gates, s->hidden,
                    s->hidden, j, panels + at.recurrent + j * words_of(s->hidden) * vectors,
                    d->panels + at.recurrent_bias + j * vectors);
}

/* A panel of columns of W [gates * H][K] as pairs of [J][gates][LANES] rows; to its place. */
static void pack_half_columns(const float *weight, const int64_t *gate_rows, int64_t gates,
                              int64_t hidden, int64_t depth, int64_t number, uint32_t *panels) {
    const int64_t first = panel_first(depth, number) * LANES;
    const int64_t width = panel_first(depth, number + 1) * LANES - first;
    const int64_t rows = gates * groups_of(hidden) * LANES;
    uint32_t *panel = panels + first * words_of(rows);
    for (int64_t k = 0; k < 2 * words_of(rows); k += 2, panel += width) {
        const int64_t j = k / (gates * LANES), g = k / LANES % gates, lane = k % LANES;
        const int64_t left = k < rows ? width_of(hidden, j) - lane : 0;
        const float *from = weight + (gate_rows[g] * hidden + j * LANES + lane) * depth + first;
        for (int64_t v = 0; v < width; v += LANES) {
            const int64_t real = depth - first - v;
            const vec one = load_first(from + v, left > 0 ? real : 0);
            const vec two = load_first(from + depth + v, left > 1 ? real : 0);
            store_words(panel + v, paired(one, two));
        }
    }
}

/* Task: one panel of U or (where x has a gradient) of W, of one direction. */
static void pack_half_backward(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    const Panels at = half_backward_panels(s);
    Direction *d = &s->direction[task % s->directions];
    const int64_t panel = task / s->directions, recurrent = panels_of(s->hidden);
    uint32_t *panels = (uint32_t *)d->panels;
    if (panel < recurrent)
        pack_half_columns(d->recurrent, cell->recurrent_rows, cell->gates, s->hidden, s->hidden,
                          panel, panels + at.recurrent);
    else
        pack_half_columns(d->input, cell->input_rows, cell->gates, s->hidden, s->features,
                          panel - recurrent, panels + at.input);
}

#endif
