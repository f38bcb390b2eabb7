/* AdamW (Loshchilov & Hutter 2019) and a moving average of the weights, in one pass over both. */

#ifndef BIRNN_ADAM_H
#define BIRNN_ADAM_H

#include <math.h>

#include "layout.h"

#define ADAM_CHUNK 8192 /* weights that a thread takes at once */

/* What is the same for all weights. */
typedef struct {
    double beta, gamma, eps;
    double scale; /* of gradients as they are given */
    double decay; /* of the average */
} Constants;

/* Weights of one kind, one after the other. */
typedef struct {
    float *weight, *average, *first, *second; /* [count]; average may be NULL */
    const float *gradient;                    /* NULL: there is none, and only the average moves */
    int64_t count, chunk; /* the first of their chunks among all */
    double shrink;        /* 1 - η λ: weight decay */
    double rate, root;    /* η / (1 - β1^t) and √(1 - β2^t) */
} AdamPart;

typedef struct {
    int64_t parts, chunks;
    const AdamPart *part;
    Constants constants;
    _Atomic int64_t next; /* the chunk that is taken next */
} Adam;

/* The weights from `start` up to `end`. */
INLINE void adam_update(const Constants *c, const AdamPart *p, int64_t start, int64_t end) {
    const float beta = (float)(1.0 - c->beta), gamma = (float)c->gamma;
    const float rest = (float)(1.0 - c->gamma), eps = (float)c->eps, scale = (float)c->scale;
    const float shrink = (float)p->shrink, rate = (float)p->rate, root = (float)(1.0 / p->root);
    const float take = (float)(1.0 - c->decay);
    float *restrict weight = p->weight, *restrict average = p->average;
    float *restrict first = p->first, *restrict second = p->second;
    const float *restrict gradient = p->gradient;
    for (int64_t i = start; gradient && i < end; i++) {
        float g = gradient[i] * scale;
        first[i] += beta * (g - first[i]);
        second[i] = gamma * second[i] + rest * g * g;
        weight[i] = weight[i] * shrink - rate * first[i] / (sqrtf(second[i]) * root + eps);
    }
    if (average)
        for (int64_t i = start; i < end; i++) average[i] += take * (weight[i] - average[i]);
}

/* Take chunks until none is left. */
void birnn_adam(void *adam) {
    Adam *a = adam;
    const AdamPart *p = a->part;
    for (int64_t chunk; (chunk = atomic_fetch_add(&a->next, 1)) < a->chunks;) {
        while (p + 1 < a->part + a->parts && p[1].chunk <= chunk) p++;
        const int64_t start = (chunk - p->chunk) * ADAM_CHUNK, end = start + ADAM_CHUNK;
        adam_update(&a->constants, p, start, end < p->count ? end : p->count);
    }
}

#endif
