/* Dropout: each number is kept with a probability and scaled, or 0.

   Which ones follows from a seed and the number's place alone (a counter that is mixed: splitmix64,
   Steele et al. 2014), so that nothing has to be remembered for the way back, and threads may
   take parts in any order. 64 bits serve four numbers: a rate is a number of 65,536 parts. */

#ifndef BIRNN_DROPOUT_H
#define BIRNN_DROPOUT_H

#include "layout.h"

#define DROPOUT_PART 4096 /* numbers that a thread takes at once; 4 of them share a draw */

typedef struct {
    int64_t count, parts;
    const float *x;
    float *out;
    int64_t seed, dropped; /* of 65,536 */
    _Atomic int64_t next;  /* the part that is taken next */
} Dropout;

INLINE uint64_t mixed(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void dropout_part(const Dropout *d, int64_t part) {
    uint64_t draws[DROPOUT_PART / 4];
    uint16_t grains[DROPOUT_PART];
    const int64_t first = part * DROPOUT_PART, left = d->count - first;
    const int64_t count = left < DROPOUT_PART ? left : DROPOUT_PART;
    const uint64_t start = (uint64_t)d->seed + (uint64_t)first / 4 * 0x9e3779b97f4a7c15u;
    for (int64_t i = 0; i < DROPOUT_PART / 4; i++)
        draws[i] = mixed(start + (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u);
    memcpy(grains, draws, sizeof(grains));
    const float scale = 65536.0f / (float)(65536 - d->dropped);
    const float *x = d->x + first;
    float *out = d->out + first;
    for (int64_t i = 0; i < count; i++)
        out[i] = x[i] * (grains[i] >= (int32_t)d->dropped ? scale : 0.0f);
}

/* Take parts until none is left. */
void birnn_dropout(void *dropout) {
    Dropout *d = dropout;
    for (int64_t part; (part = atomic_fetch_add(&d->next, 1)) < d->parts;) dropout_part(d, part);
}

#endif
