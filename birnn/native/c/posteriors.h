/* Forward-backward over a linear chain of tags (Rabiner 1989), one item after the other.

   Messages are probabilities, scaled to a sum of 1 at each step. A floor is added to each, so that
   what underflows is overrated and never lost; where that might show in a rounding, or a number is
   none, the item is given up, and whoever asked computes with logarithms instead. Letters as in
   chain.h; V = K rounded up to whole vectors, whose columns beyond K are 0. */

#ifndef BIRNN_POSTERIORS_H
#define BIRNN_POSTERIORS_H

#include <float.h>
#include <math.h>

#include "chain.h"

#define FLOOR 5e-31f      /* added to each number of a message */
#define LOG_FLOOR -69.77f /* its logarithm */
#define LEAST 4.2e-24f    /* a sum below is too near to it: the floor over the smallest rounding */

typedef struct {
    int64_t batch, steps, tags;
    const int64_t *length;    /* [B] */
    const int64_t *gold;      /* [B][T], or NULL: only the sum of all sequences is asked for */
    const float *emissions;   /* [B][T][K] */
    const float *moves, *start, *end; /* [K][K], from row to column, and [K]; -inf is forbidden */
    float *onward, *back;     /* [K][V] each: exp(moves - peak), and from column to row */
    float *first, *last;      /* [V] each: exp(start - peak), exp(end - peak) */
    float *unary;             /* [B][T][K], p(tag), less 1 at gold tags; 0 in the padding */
    float *expected;          /* [B][K][K], how often a move is expected, less gold's */
    float *value;             /* [B], the log-partition, less gold's score if it is asked for */
    float *score;             /* [B], gold's, of emissions less each step's highest */
    double peak;              /* of all potentials */
    _Atomic int64_t next;     /* the item that is taken next */
    _Atomic int64_t given_up; /* whether any item was */
} Posteriors;

INLINE int64_t padded_tags(int64_t tags) { return groups_of(tags) * LANES; }

/* What stands in each thread's scratch memory for an item: [T][V] each, and [T]. */
typedef struct {
    float *weight, *left, *right, *beyond;
    double *norm;
} Heard;

INLINE float total(const float *values, int64_t padded) {
    vec sum = {0};
    for (int64_t k = 0; k < padded; k += LANES) sum += load(values + k);
    float all = 0.0f;
    for (int64_t lane = 0; lane < LANES; lane++) all += sum[lane];
    return all;
}

/* message = floor + heard * weight, to a sum of 1; returns what the sum was. */
static float scaled(const float *heard, const float *weight, int64_t tags, int64_t padded,
                    float *message) {
    for (int64_t k = 0; k < tags; k++) message[k] = FLOOR + heard[k] * weight[k];
    for (int64_t k = tags; k < padded; k++) message[k] = 0.0f;
    const float sum = total(message, padded);
    for (int64_t k = 0; k < padded; k++) message[k] /= sum;
    return sum;
}

/* out = state times a matrix [K][V]. */
static void moved(const float *state, const float *matrix, int64_t tags, int64_t padded,
                  float *out) {
    for (int64_t k = 0; k < padded; k += LANES) {
        vec sum = {0};
        for (int64_t from = 0; from < tags; from++)
            sum += broadcast(state[from]) * load(matrix + from * padded + k);
        store(out + k, sum);
    }
}

/* exp of the emissions, less each step's highest; what an impossible number makes is none. */
static void weigh(const Posteriors *p, const float *emission, float *weight) {
    float top = -INFINITY;
    for (int64_t k = 0; k < p->tags; k++) top = emission[k] > top ? emission[k] : top;
    for (int64_t k = 0; k < p->tags; k++) {
        float less = emission[k] - top;
        weight[k] = expf(less < LOG_FLOOR ? LOG_FLOOR : less);
    }
}

/* What each step hears from both sides. Returns the smallest sum met; not above 0: a number is
   none. */
static float listen(const Posteriors *p, int64_t item, const Heard *h) {
    const int64_t tags = p->tags, padded = padded_tags(tags), length = p->length[item];
    const float *emissions = p->emissions + item * p->steps * tags;
    float least = INFINITY, heard[padded];
    for (int64_t t = 0; t < length; t++) {
        weigh(p, emissions + t * tags, h->weight + t * padded);
        if (t) moved(h->left + (t - 1) * padded, p->onward, tags, padded, heard);
        float sum = scaled(t ? heard : p->first, h->weight + t * padded, tags, padded,
                           h->left + t * padded);
        if (!(sum > 0.0f)) return 0.0f;
        h->norm[t] = sum;
        least = sum < least ? sum : least;
    }
    memcpy(h->beyond + (length - 1) * padded, p->last, (size_t)padded * sizeof(float));
    for (int64_t t = length - 1; t >= 0; t--) {
        float *beyond = h->beyond + t * padded, *right = h->right + t * padded;
        if (t < length - 1) moved(right + padded, p->back, tags, padded, beyond);
        float sum = scaled(beyond, h->weight + t * padded, tags, padded, right);
        if (!(sum > 0.0f)) return 0.0f;
        least = sum < least ? sum : least;
    }
    return least;
}

/* Posteriors of an item's tags and moves from what is heard; returns the smallest sum met. */
static float judge(const Posteriors *p, int64_t item, const Heard *h, float *met) {
    const int64_t tags = p->tags, padded = padded_tags(tags), length = p->length[item];
    float *unary = p->unary + item * p->steps * tags, *expected = p->expected + item * tags * tags;
    float least = INFINITY;
    memset(expected, 0, (size_t)(tags * tags) * sizeof(float));
    memset(unary + length * tags, 0, (size_t)((p->steps - length) * tags) * sizeof(float));
    for (int64_t t = 0; t < length; t++) {
        float *left = h->left + t * padded, *beyond = h->beyond + t * padded, sum = 0.0f;
        const float *next = h->right + (t + 1) * padded;
        for (int64_t k = 0; k < tags; k++) sum += left[k] * beyond[k];
        if (!(sum > 0.0f)) return 0.0f;
        least = sum < least ? sum : least;
        for (int64_t k = 0; k < tags; k++) {
            left[k] /= sum;
            unary[t * tags + k] = left[k] * beyond[k];
        }
        *met = sum;
        if (t == length - 1) break;
        for (int64_t from = 0; from < tags; from++)
            for (int64_t to = 0; to < tags; to++)
                expected[from * tags + to] += left[from] * next[to];
    }
    for (int64_t from = 0; from < tags; from++)
        for (int64_t to = 0; to < tags; to++)
            expected[from * tags + to] *= p->onward[from * padded + to];
    return least;
}

/* Take the gold tags off; 0: one of them is none. */
static int observe(const Posteriors *p, int64_t item, double *score) {
    const int64_t tags = p->tags, length = p->length[item], *gold = p->gold + item * p->steps;
    const float *emissions = p->emissions + item * p->steps * tags;
    *score = 0.0;
    for (int64_t t = 0; t < length; t++) {
        if (gold[t] < 0 || gold[t] >= tags) return 0;
        const float *emission = emissions + t * tags;
        *score += emission[gold[t]] - highest(emission, tags);
        *score += t ? p->moves[gold[t - 1] * tags + gold[t]] : p->start[gold[0]];
        p->unary[(item * p->steps + t) * tags + gold[t]] -= 1.0f;
        if (t) p->expected[(item * tags + gold[t - 1]) * tags + gold[t]] -= 1.0f;
    }
    *score += p->end[gold[length - 1]];
    return 1;
}

/* 0: given up. */
static int posteriors_of(const Posteriors *p, int64_t item) {
    const int64_t padded = padded_tags(p->tags), size = p->steps * padded;
    float *memory = scratch(4 * size + 2 * p->steps + 2), met = 0.0f;
    if (!memory) return 0;
    Heard h = {memory, memory + size, memory + 2 * size, memory + 3 * size,
               (double *)(memory + 4 * size)};
    const float low = listen(p, item, &h);
    if (!(low > 0.0f) || !(low * judge(p, item, &h, &met) > LEAST)) return 0;
    double value = log(met) + p->peak * (double)(p->length[item] + 1), score = 0.0;
    for (int64_t t = 0; t < p->length[item]; t++) value += log(h.norm[t]);
    if (p->gold) {
        if (!observe(p, item, &score)) return 0;
        p->score[item] = (float)score;
    } else {
        const float *emissions = p->emissions + item * p->steps * p->tags;
        for (int64_t t = 0; t < p->length[item]; t++)
            value += highest(emissions + t * p->tags, p->tags);
    }
    p->value[item] = (float)(value - score);
    return 1;
}

/* Ready the potentials; alone, before any thread takes items. */
void birnn_posteriors_begin(Posteriors *p) {
    const int64_t tags = p->tags, padded = padded_tags(tags);
    float peak = -FLT_MAX;
    for (int64_t i = 0; i < tags * tags; i++) peak = p->moves[i] > peak ? p->moves[i] : peak;
    for (int64_t k = 0; k < tags; k++) {
        peak = p->start[k] > peak ? p->start[k] : peak;
        peak = p->end[k] > peak ? p->end[k] : peak;
    }
    for (int64_t from = 0; from < tags; from++)
        for (int64_t to = 0; to < padded; to++) {
            p->onward[from * padded + to] =
                to < tags ? expf(p->moves[from * tags + to] - peak) : 0.0f;
            p->back[from * padded + to] =
                to < tags ? expf(p->moves[to * tags + from] - peak) : 0.0f;
        }
    for (int64_t k = 0; k < padded; k++) {
        p->first[k] = k < tags ? expf(p->start[k] - peak) : 0.0f;
        p->last[k] = k < tags ? expf(p->end[k] - peak) : 0.0f;
    }
    p->peak = peak;
}

/* Take items until none is left. */
void birnn_posteriors(void *posteriors) {
    Posteriors *p = posteriors;
    for (int64_t item; (item = atomic_fetch_add(&p->next, 1)) < p->batch;)
        if (!posteriors_of(p, item)) atomic_store(&p->given_up, 1);
}

#endif
