/* Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

       i, f, o = sigmoid(.)     g = tanh(.)     c' = f c + i g     h' = o tanh(c')

   Each function does LANES units of one row; `input` holds W x + b and `recurrent` U h + c,
   both for (i, f, g, o). A row of training keeps (i, f, g, o) and c; the backward pass puts in
   the gates' place the gradients of what stands inside the curves. */

#ifndef BIRNN_LSTM_H
#define BIRNN_LSTM_H

#include "cell.h"

INLINE void lstm_forward(const Units *at) {
    vec i = sigmoid_vec(load(at->input) + load(at->recurrent));
    vec f = sigmoid_vec(load(at->input + LANES) + load(at->recurrent + LANES));
    vec g = tanh_vec(load(at->input + 2 * LANES) + load(at->recurrent + 2 * LANES));
    vec o = sigmoid_vec(load(at->input + 3 * LANES) + load(at->recurrent + 3 * LANES));
    vec c = load(at->memory);
    vec next = f * c + i * g;
    store(at->memory, next);
    store(at->after, o * tanh_vec(next));
    if (!at->kept) return;
    store(at->kept, i);
    store(at->kept + LANES, f);
    store(at->kept + 2 * LANES, g);
    store(at->kept + 3 * LANES, o);
    store(at->kept_before, load(at->before));
    store(at->kept_memory, c);
}

INLINE void lstm_backward(const UnitGradients *at) {
    vec i = load(at->kept), f = load(at->kept + LANES);
    vec g = load(at->kept + 2 * LANES), o = load(at->kept + 3 * LANES);
    vec c = load(at->kept_memory);
    vec squashed = tanh_vec(f * c + i * g);
    vec dh = at->state + load(at->carry);
    vec dc = load(at->memory_carry) + dh * o * (1.0f - squashed * squashed);
    store(at->kept, dc * g * i * (1.0f - i));
    store(at->kept + LANES, dc * c * f * (1.0f - f));
    store(at->kept + 2 * LANES, dc * i * (1.0f - g * g));
    store(at->kept + 3 * LANES, dh * squashed * o * (1.0f - o));
    store(at->memory_carry, dc * f);
    store(at->carry, (vec){0}); /* h reaches the next step through U alone: the product adds it */
}

#endif
