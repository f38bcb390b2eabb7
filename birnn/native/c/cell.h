/* What a cell is to the scan: its gates, and what its two functions are given. */

#ifndef BIRNN_CELL_H
#define BIRNN_CELL_H

#include "vector.h"

#define KEPT 4 /* vectors that a step keeps for each LANES units, whatever the cell */

/* Where LANES units of one row stand at one step of the forward pass. */
typedef struct {
    const float *input;     /* W x + b, [gates][LANES] */
    const float *recurrent; /* U h + c, [gates][LANES] */
    const float *before;    /* h */
    float *after;           /* h' */
    float *memory;          /* c, becomes c' (LSTM) */
    float *kept;            /* [KEPT][LANES] for the backward pass, or NULL */
    float *kept_before;     /* h, kept for the weights' gradients */
    float *kept_memory;     /* c (LSTM) */
} Units;

/* The same at one step of the backward pass. */
typedef struct {
    float *kept; /* what the forward pass kept, replaced by gradients */
    const float *kept_before;
    const float *kept_memory;
    vec state;           /* gradient of h' from outside the recurrence */
    float *carry;        /* gradient of h' from the step after, becomes that of h */
    float *memory_carry; /* the same for c (LSTM) */
} UnitGradients;

typedef struct {
    int64_t gates;
    int64_t input_rows[4];     /* the block of torch's W that each gate of `input` reads */
    int64_t recurrent_rows[4]; /* the same for U and `recurrent` */
    int64_t recurrent_kept;    /* the first of the kept vectors that are gradients of U h */
    int64_t has_memory;
} Cell;

#endif
