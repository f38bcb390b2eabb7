/* A batch of sequences, its weights, and how they lie in memory.

   Letters: B sequences, T steps, F features, H units; J = ceil(H / LANES) groups of units and
   U = J * LANES, so that no loop over units has a tail; D directions; N = the sum of lengths.
   Sequences come sorted, longest first. What is kept lies packed: the N real steps, one
   sequence after the other. */

#ifndef BIRNN_LAYOUT_H
#define BIRNN_LAYOUT_H

#include <stdatomic.h>
#include <stdlib.h>

#include "gru.h"
#include "lstm.h"
#include "product.h"

typedef struct {
    const float *input, *recurrent, *input_bias, *recurrent_bias; /* as torch lays them out */
    float *panels; /* what pack_forward makes of them: PANELS floats */
    float *kept;   /* [N][J][KEPT][LANES]; NULL: nothing will be differentiated */
    float *before; /* [N][U] */
    float *memory; /* [N][U], LSTM */
    float *input_gradient, *recurrent_gradient, *input_bias_gradient, *recurrent_bias_gradient;
} Direction;

typedef struct {
    int64_t lstm, directions, batch, steps, features, hidden;
    int64_t rows;          /* N */
    int64_t blocks;        /* parts of the batch, each a task of its own */
    const int64_t *length; /* [B], descending */
    const int64_t *packed; /* [B], the first packed row of each sequence */
    const int64_t *dense;  /* [B], the first row of each sequence in [B * T] */
    const float *x;        /* [N][F] */
    float *states;         /* [B][T][D * H] */
    const float *state_gradient; /* [B][T][D * H] */
    float *x_gradient;           /* [B][T][F], or NULL */
    Direction direction[2];
    int64_t phase, tasks;
    _Atomic int64_t next;   /* the task that is taken next */
    _Atomic int64_t failed; /* 1: out of memory */
} Scan;

static const Cell GRU = {3, {2, 0, 1}, {0, 1, 2}, 1, 0, gru_forward, gru_backward};
static const Cell LSTM = {4, {0, 1, 2, 3}, {0, 1, 2, 3}, 0, 1, lstm_forward, lstm_backward};

INLINE const Cell *cell_of(const Scan *s) { return s->lstm ? &LSTM : &GRU; }
INLINE int64_t groups_of(int64_t size) { return (size + LANES - 1) / LANES; }

/* Units of group j that are real; the rest are padding, whose weights are 0. */
INLINE int64_t width_of(int64_t size, int64_t j) {
    int64_t left = size - j * LANES;
    return left < LANES ? left : LANES;
}

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
    int64_t row = cell_of(s)->gates * groups_of(s->hidden) * LANES;
    Panels p = {.input = 0, .recurrent = row * groups_of(s->features) * LANES};
    p.size = p.recurrent + row * groups_of(s->hidden) * LANES;
    return p;
}

/* Group j of W [gates * H][K] as [K][gates][LANES], and its bias as [gates][LANES]. */
static void pack_group(const float *weight, const float *bias, const int64_t *gate_rows,
                       int64_t gates, int64_t hidden, int64_t depth, int64_t j, float *panel,
                       float *bias_panel) {
    int64_t width = width_of(hidden, j);
    for (int64_t g = 0; g < gates; g++) {
        int64_t first = gate_rows[g] * hidden + j * LANES;
        for (int64_t lane = 0; lane < LANES; lane++) {
            float *to = panel + g * LANES + lane;
            if (lane < width) {
                const float *from = weight + (first + lane) * depth;
                for (int64_t k = 0; k < depth; k++) to[k * gates * LANES] = from[k];
            } else {
                for (int64_t k = 0; k < depth; k++) to[k * gates * LANES] = 0.0f;
            }
            bias_panel[g * LANES + lane] = lane < width ? bias[first + lane] : 0.0f;
        }
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

/* Columns of a panel of the backward pass: up to MAX_VECTORS groups from group `first` on. */
INLINE int64_t vectors_from(int64_t size, int64_t first) {
    int64_t left = groups_of(size) - first;
    return left < MAX_VECTORS ? left : MAX_VECTORS;
}

/* Columns of W [gates * H][K], from group `first` on, as [J][gates][LANES][vectors * LANES]. */
static void pack_columns(const float *weight, const int64_t *gate_rows, int64_t gates,
                         int64_t hidden, int64_t depth, int64_t first, float *panel) {
    int64_t width = vectors_from(depth, first) * LANES, left = depth - first * LANES;
    int64_t real = left < width ? left : width;
    for (int64_t j = 0; j < groups_of(hidden); j++)
        for (int64_t g = 0; g < gates; g++)
            for (int64_t lane = 0; lane < LANES; lane++, panel += width) {
                memset(panel, 0, (size_t)width * sizeof(float));
                if (lane >= width_of(hidden, j)) continue;
                int64_t row = gate_rows[g] * hidden + j * LANES + lane;
                memcpy(panel, weight + row * depth + first * LANES, (size_t)real * sizeof(float));
            }
}

/* Task: one panel of U or (where x has a gradient) of W, of one direction. */
static void pack_backward(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    const Panels at = backward_panels(s);
    Direction *d = &s->direction[task % s->directions];
    int64_t first = task / s->directions * MAX_VECTORS, groups = groups_of(s->hidden);
    int64_t row = cell->gates * groups * LANES;
    if (first < groups) {
        pack_columns(d->recurrent, cell->recurrent_rows, cell->gates, s->hidden, s->hidden, first,
                     d->panels + at.recurrent + first * LANES * row);
        return;
    }
    first -= (groups + MAX_VECTORS - 1) / MAX_VECTORS * MAX_VECTORS;
    pack_columns(d->input, cell->input_rows, cell->gates, s->hidden, s->features, first,
                 d->panels + at.input + first * LANES * row);
}

/* Memory that a thread keeps from task to task; NULL when there is none. */
static float *scratch(int64_t floats) {
    static _Thread_local float *memory;
    static _Thread_local int64_t size;
    if (floats > size) {
        free(memory);
        memory = malloc((size_t)floats * sizeof(float));
        size = memory ? floats : 0;
    }
    return memory;
}

#endif
