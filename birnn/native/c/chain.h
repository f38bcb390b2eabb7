/* The best sequence of a linear chain of tags (Viterbi 1967), one item after the other.

   The way there keeps the best score up to each tag; which tag it came from is asked on the way
   back, for the chosen tags alone. Emissions are taken less the step's highest, and scores less
   theirs, so that sums over any length keep their digits. Ties go to the lower tag. */

#ifndef BIRNN_CHAIN_H
#define BIRNN_CHAIN_H

#include <math.h>

#include "layout.h"

#define WILDEST 1e30f /* an emission beyond is read as this, a NaN as its opposite */

typedef struct {
    int64_t batch, steps, tags;
    const int64_t *length;      /* [B] */
    const float *emissions;     /* [B][T][K] */
    const float *moves;         /* [K][K], from row to column; -inf is forbidden */
    const float *start, *end;   /* [K] */
    int64_t *path;              /* [B][T], 0 in the padding */
} Chain;

INLINE float tame(float emission) {
    if (!(emission > -WILDEST)) return -WILDEST;
    return emission > WILDEST ? WILDEST : emission;
}

static float highest(const float *values, int64_t count) {
    float top = -INFINITY;
    for (int64_t k = 0; k < count; k++) top = values[k] > top ? values[k] : top;
    return top;
}

/* The best scores up to each tag at one step, from those of the step before. */
static void chain_step(const Chain *c, const float *emission, const float *before, float *after) {
    const int64_t tags = c->tags;
    if (before) {
        for (int64_t to = 0; to < tags; to++) after[to] = -INFINITY;
        for (int64_t from = 0; from < tags; from++) {
            const float *moves = c->moves + from * tags, score = before[from];
            for (int64_t to = 0; to < tags; to++) {
                float found = score + moves[to];
                after[to] = found > after[to] ? found : after[to];
            }
        }
    } else {
        memcpy(after, c->start, (size_t)tags * sizeof(float));
    }
    float top = -INFINITY;
    for (int64_t k = 0; k < tags; k++) top = tame(emission[k]) > top ? tame(emission[k]) : top;
    for (int64_t k = 0; k < tags; k++) after[k] += tame(emission[k]) - top;
    top = highest(after, tags);
    if (top > -INFINITY)
        for (int64_t k = 0; k < tags; k++) after[k] -= top;
}

/* 0: found; 1: the item has no legal sequence of its length. */
static int best_path(const Chain *c, int64_t item, float *history) {
    const int64_t tags = c->tags, length = c->length[item];
    const float *emissions = c->emissions + item * c->steps * tags;
    int64_t *path = c->path + item * c->steps;
    for (int64_t t = 0; t < length; t++)
        chain_step(c, emissions + t * tags, t ? history + (t - 1) * tags : NULL, history + t * tags);
    memset(path, 0, (size_t)c->steps * sizeof(*path));
    for (int64_t t = length - 1; t >= 0; t--) {
        float best = -INFINITY;
        for (int64_t k = 0; k < tags; k++) {
            float onward = t == length - 1 ? c->end[k] : c->moves[k * tags + path[t + 1]];
            float score = history[t * tags + k] + onward;
            if (score > best) {
                best = score;
                path[t] = k;
            }
        }
        if (!(best > -INFINITY)) return 1;
    }
    return 0;
}

/* -1: all found; -2: out of memory; else the first item that has no legal sequence. */
int64_t birnn_best_paths(const Chain *c) {
    float *history = scratch(c->steps * c->tags);
    if (!history) return -2;
    for (int64_t item = 0; item < c->batch; item++)
        if (best_path(c, item, history)) return item;
    return -1;
}

#endif
