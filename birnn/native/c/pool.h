/* Views of the states of a sequence as one vector: their mean, their maximum, a weighted sum.

   One pass over the real steps gives all three, and one gives their gradients; steps beyond a
   length are never read. Items don't wait for each other: any number of threads may take them. */

#ifndef BIRNN_POOL_H
#define BIRNN_POOL_H

#include "layout.h"

typedef struct {
    int64_t batch, steps, size;
    const int64_t *length; /* [B] */
    const float *states;   /* [B][T][D] */
    const float *weights;  /* [B][T], of the sum */
    float *mean, *max, *sum; /* [B][D] each, or NULL: not asked for */
    int32_t *place;          /* [B][D], the first step of each maximum */
    const float *mean_gradient, *max_gradient, *sum_gradient; /* as above, or NULL: zero */
    float *state_gradient;  /* [B][T][D] */
    float *weight_gradient; /* [B][T] */
    _Atomic int64_t next;   /* the item that is taken next */
} Pool;

static void pool_mean(const float *states, int64_t length, int64_t size, float *mean) {
    memset(mean, 0, (size_t)size * sizeof(float));
    for (int64_t t = 0; t < length; t++)
        for (int64_t d = 0; d < size; d++) mean[d] += states[t * size + d];
    for (int64_t d = 0; d < size; d++) mean[d] /= (float)length;
}

static void pool_max(const float *states, int64_t length, int64_t size, float *max,
                     int32_t *place) {
    memcpy(max, states, (size_t)size * sizeof(float));
    memset(place, 0, (size_t)size * sizeof(int32_t));
    for (int64_t t = 1; t < length; t++)
        for (int64_t d = 0; d < size; d++) {
            float value = states[t * size + d], best = max[d];
            int higher = value > best || value != value; /* a NaN is met, and stays */
            max[d] = higher ? value : best;
            place[d] = higher ? (int32_t)t : place[d];
        }
}

static void pool_sum(const float *states, const float *weights, int64_t length, int64_t size,
                     float *sum) {
    memset(sum, 0, (size_t)size * sizeof(float));
    for (int64_t t = 0; t < length; t++)
        for (int64_t d = 0; d < size; d++) sum[d] += weights[t] * states[t * size + d];
}

static void pool_item(const Pool *p, int64_t i) {
    const int64_t size = p->size, length = p->length[i];
    const float *states = p->states + i * p->steps * size;
    if (p->mean) pool_mean(states, length, size, p->mean + i * size);
    if (p->max) pool_max(states, length, size, p->max + i * size, p->place + i * size);
    if (p->sum) pool_sum(states, p->weights + i * p->steps, length, size, p->sum + i * size);
}

static float dot(const float *a, const float *b, int64_t size) {
    vec lanes = {0};
    int64_t d = 0;
    for (; d + LANES <= size; d += LANES) lanes += load(a + d) * load(b + d);
    float sum = 0.0f;
    for (int64_t l = 0; l < LANES; l++) sum += lanes[l];
    for (; d < size; d++) sum += a[d] * b[d];
    return sum;
}

static void pool_item_back(const Pool *p, int64_t i) {
    const int64_t size = p->size, length = p->length[i];
    float *gradient = p->state_gradient + i * p->steps * size;
    memset(gradient, 0, (size_t)(p->steps * size) * sizeof(float));
    if (p->mean_gradient) {
        const float *given = p->mean_gradient + i * size, share = 1.0f / (float)length;
        for (int64_t t = 0; t < length; t++)
            for (int64_t d = 0; d < size; d++) gradient[t * size + d] = given[d] * share;
    }
    if (p->sum_gradient) {
        const float *given = p->sum_gradient + i * size, *weights = p->weights + i * p->steps;
        const float *states = p->states + i * p->steps * size;
        float *of_weights = p->weight_gradient + i * p->steps;
        memset(of_weights, 0, (size_t)p->steps * sizeof(float));
        for (int64_t t = 0; t < length; t++) {
            for (int64_t d = 0; d < size; d++) gradient[t * size + d] += weights[t] * given[d];
            of_weights[t] = dot(states + t * size, given, size);
        }
    }
    if (p->max_gradient) {
        const float *given = p->max_gradient + i * size;
        const int32_t *place = p->place + i * size;
        for (int64_t d = 0; d < size; d++) gradient[place[d] * size + d] += given[d];
    }
}

/* Take items until none is left: their views, or the gradients of these. */
void birnn_pool(void *pool) {
    Pool *p = pool;
    for (int64_t i; (i = atomic_fetch_add(&p->next, 1)) < p->batch;) pool_item(p, i);
}

void birnn_pool_back(void *pool) {
    Pool *p = pool;
    for (int64_t i; (i = atomic_fetch_add(&p->next, 1)) < p->batch;) pool_item_back(p, i);
}

#endif
