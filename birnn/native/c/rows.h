/* AdamW and an average for the rows of a table that a step reads; see birnn/training/tables.py.

   A row is first brought up to the last step that is done, then, if there are gradients, takes the
   next one. Rows don't wait for each other. */

#ifndef BIRNN_ROWS_H
#define BIRNN_ROWS_H

#include "adam.h"

#define ROWS_PART 64 /* rows that a thread takes at once */

typedef struct {
    int64_t count, size, parts; /* U, D */
    const int64_t *rows;        /* [U], each once */
    const float *gradient;      /* [U][D], or NULL: no step is taken */
    float *weight, *average, *first, *second; /* [R][D]; average may be NULL */
    int64_t *last;                            /* [R] */
    const double *drift, *lag, *kept;         /* of each step from `base` on */
    int64_t done, base;
    double rate, root; /* of the step that comes, as adam.h has them */
    Constants constants;
    _Atomic int64_t next; /* the part that is taken next */
} Rows;

/* From step `last` to the one that is done, as if the gradient had been zero in between. */
static void rows_catch_up(const Rows *r, int64_t row) {
    const int64_t at = row * r->size, since = r->last[row] - r->base;
    const double gap = (double)(r->done - r->last[row]);
    const float drift = (float)r->drift[since], lag = (float)r->lag[since];
    const float kept = (float)r->kept[since], eps = (float)r->constants.eps;
    const float beta = (float)pow(r->constants.beta, gap);
    const float gamma = (float)pow(r->constants.gamma, gap);
    float *weight = r->weight + at, *first = r->first + at, *second = r->second + at;
    float *average = r->average ? r->average + at : NULL;
    for (int64_t d = 0; d < r->size; d++) {
        float along = first[d] / (sqrtf(second[d]) + eps);
        if (average) average[d] = weight[d] + kept * (average[d] - weight[d]) - along * lag;
        weight[d] -= along * drift;
        first[d] *= beta;
        second[d] *= gamma;
    }
}

static void rows_step(const Rows *r, int64_t row, const float *gradient) {
    const int64_t at = row * r->size;
    const AdamPart part = {.weight = r->weight + at, .average = r->average ? r->average + at : NULL,
                           .first = r->first + at, .second = r->second + at, .gradient = gradient,
                           .shrink = 1.0, .rate = r->rate, .root = r->root};
    adam_update(&r->constants, &part, 0, r->size);
}

/* Take parts until none is left. */
void birnn_rows(void *rows) {
    Rows *r = rows;
    for (int64_t part; (part = atomic_fetch_add(&r->next, 1)) < r->parts;) {
        const int64_t end = (part + 1) * ROWS_PART < r->count ? (part + 1) * ROWS_PART : r->count;
        for (int64_t i = part * ROWS_PART; i < end; i++) {
            const int64_t row = r->rows[i];
            if (r->last[row] < r->done) rows_catch_up(r, row);
            if (r->gradient) rows_step(r, row, r->gradient + i * r->size);
            r->last[row] = r->done + (r->gradient != NULL);
        }
    }
}

#endif
