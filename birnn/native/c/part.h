/* The part of a batch that one task runs, in one direction: which sequences, and where they lie. */

#ifndef BIRNN_PART_H
#define BIRNN_PART_H

#include "packing.h"

/* The part of the batch that a task runs: its sequences, longest first. */
typedef struct {
    int64_t index, count, first, stride; /* direction; sequence i is first + i * stride */
} Part;

INLINE Part part_of(const Scan *s, int64_t task) {
    Part p = {.index = task % s->directions, .first = task / s->directions, .stride = s->blocks};
    p.count = (s->batch - p.first + s->blocks - 1) / s->blocks;
    return p;
}

INLINE int64_t length_of(const Scan *s, const Part *p, int64_t i) {
    return s->length[p->first + i * p->stride];
}

/* The place of a sequence in the batch as it came. */
INLINE int64_t item_of(const Scan *s, const Part *p, int64_t i) {
    return s->dense[p->first + i * p->stride] / s->steps;
}

/* How many of the first `active` sequences have a step `step`. */
INLINE int64_t still_active(const Scan *s, const Part *p, int64_t active, int64_t step) {
    while (active > 0 && length_of(s, p, active - 1) <= step) active--;
    return active;
}

/* The step of the sequence that a direction reads as its `step`-th. */
INLINE int64_t place(const Scan *s, const Part *p, int64_t i, int64_t step) {
    return p->index ? length_of(s, p, i) - 1 - step : step;
}

INLINE int64_t packed_row(const Scan *s, const Part *p, int64_t i, int64_t step) {
    return s->packed[p->first + i * p->stride] + place(s, p, i, step);
}

INLINE int64_t dense_row(const Scan *s, const Part *p, int64_t i, int64_t step) {
    return s->dense[p->first + i * p->stride] + place(s, p, i, step);
}

/* What a direction reads as its `step`-th row of x. */
INLINE const float *x_row(const Scan *s, const Part *p, int64_t i, int64_t step) {
    return s->x ? s->x + packed_row(s, p, i, step) * s->features
                : s->whole + dense_row(s, p, i, step) * s->features;
}

/* Task: the rows of one sequence, out of those of the batch as it came. */
static void take_x(Scan *s, int64_t task) {
    memcpy(s->x + s->packed[task] * s->features, s->whole + s->dense[task] * s->features,
           (size_t)(s->length[task] * s->features) * sizeof(float));
}

/* Where sequences of these lengths lie, longest first: `places` [3][B] are Scan's length, packed
   and dense. Returns N; -1: a length is not in [0, T]; -2: out of memory. */
int64_t birnn_places(const int64_t *lengths, int64_t batch, int64_t steps, int64_t *places) {
    int64_t *first = calloc((size_t)steps + 1, sizeof(*first)), total = 0;
    if (!first) return -2;
    for (int64_t i = 0; i < batch && total >= 0; i++) {
        int fits = lengths[i] >= 0 && lengths[i] <= steps;
        if (fits) first[lengths[i]]++;
        total = fits ? 0 : -1;
    }
    for (int64_t length = steps, before = 0; length >= 0; length--) {
        int64_t count = first[length];
        first[length] = before;
        before += count;
    }
    for (int64_t i = 0; i < batch && total >= 0; i++) {
        int64_t place = first[lengths[i]]++;
        places[place] = lengths[i];
        places[batch + place] = total;
        places[2 * batch + place] = i * steps;
        total += lengths[i];
    }
    free(first);
    return total;
}

/* Rows [B][H] into those of a part, [count][U], and back; nothing where there are none. */
static void take_rows(const Scan *s, const Part *p, const float *from, float *to) {
    const int64_t units = groups_of(s->hidden) * LANES;
    for (int64_t i = 0; from && i < p->count; i++)
        memcpy(to + i * units, from + item_of(s, p, i) * s->hidden,
               (size_t)s->hidden * sizeof(float));
}

static void give_rows(const Scan *s, const Part *p, const float *from, float *to) {
    const int64_t units = groups_of(s->hidden) * LANES;
    for (int64_t i = 0; to && i < p->count; i++)
        memcpy(to + item_of(s, p, i) * s->hidden, from + i * units,
               (size_t)s->hidden * sizeof(float));
}

#endif
