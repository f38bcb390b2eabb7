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
#include "phases.h"
#include "product.h"

typedef struct {
    const float *input, *recurrent, *input_bias, *recurrent_bias; /* as torch lays them out */
    float *panels; /* what pack_forward makes of them: PANELS floats */
    float *kept;   /* [N][J][KEPT][LANES]; NULL: nothing will be differentiated */
    float *before; /* [N][U] */
    float *memory; /* [N][U], LSTM */
    float *input_gradient, *recurrent_gradient, *input_bias_gradient, *recurrent_bias_gradient;
    /* [B][H] each, or NULL: h and c before the first step, and c after the last (LSTM). */
    const float *first_state, *first_memory;
    float *last_memory;
    /* Their gradients: those of what comes before are found, that of what comes after is given. */
    float *first_state_gradient, *first_memory_gradient;
    const float *last_memory_gradient;
} Direction;

typedef struct {
    int64_t lstm, directions, batch, steps, features, hidden;
    int64_t rows;          /* N */
    int64_t blocks;        /* parts of the batch, each a task of its own */
    int64_t slice;         /* terms that the products sum at once (slice_of); 0: all */
    int64_t half;          /* 0: products in float32; else the make of those in bfloat16 */
    const int64_t *length; /* [B], descending */
    const int64_t *packed; /* [B], the first packed row of each sequence */
    const int64_t *dense;  /* [B], the first row of each sequence in [B * T] */
    const float *whole;    /* x [B][T][F], whose padding is never read */
    float *x;              /* [N][F], its real rows; NULL: they are read where they lie */
    float *states;         /* [B][T][D * H] */
    const float *state_gradient; /* [B][T][D * H] */
    float *x_gradient;           /* [B][T][F], or NULL */
    uint32_t *transposed;        /* room for x and h before the gradients, in bfloat16 */
    Direction direction[2];
    int64_t first, last;            /* phases to run */
    int64_t tasks[PHASES];          /* of each phase */
    _Atomic int64_t next[PHASES];   /* the task that is taken next */
    _Atomic int64_t done[PHASES];   /* tasks that are over */
    _Atomic int64_t failed;         /* 1: out of memory */
} Scan;

static const Cell GRU = {3, {2, 0, 1}, {0, 1, 2}, 1, 0};
static const Cell LSTM = {4, {0, 1, 2, 3}, {0, 1, 2, 3}, 0, 1};

INLINE const Cell *cell_of(const Scan *s) { return s->lstm ? &LSTM : &GRU; }

/* Not by pointers: where the cell is known to the compiler, what its curves need stays in
   registers from row to row. */
INLINE void cell_forward(const Cell *cell, const Units *at) {
    if (cell == &LSTM)
        lstm_forward(at);
    else
        gru_forward(at);
}

INLINE void cell_backward(const Cell *cell, const UnitGradients *at) {
    if (cell == &LSTM)
        lstm_backward(at);
    else
        gru_backward(at);
}

INLINE int64_t groups_of(int64_t size) { return (size + LANES - 1) / LANES; }

/* Units of group j that are real; the rest are padding, whose weights are 0. */
INLINE int64_t width_of(int64_t size, int64_t j) {
    int64_t left = size - j * LANES;
    return left < LANES ? left : LANES;
}

/* Memory that a thread keeps from task to task, on a cache line's edge; NULL: there is none. */
static float *scratch(int64_t floats) {
    static _Thread_local float *memory;
    static _Thread_local int64_t size;
    const int64_t line = 16;
    if (floats > size) {
        free(memory);
        memory = malloc((size_t)(floats + line) * sizeof(float));
        size = memory ? floats : 0;
    }
    return memory ? memory + (line - (intptr_t)memory / 4 % line) : NULL;
}

#endif
