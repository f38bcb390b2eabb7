/* The gated recurrent unit (Cho et al. 2014, in torch's variant), forward and backward.

       r, z = sigmoid(W x + b + U h + c)          n = tanh(W_n x + b_n + r u),  u = U_n h + c_n
       h'   = n + z (h - n)

   Each function does LANES units of one row. `input` holds W x + b for (n, r, z) and
   `recurrent` U h + c for (r, z, n). A row of training keeps (n, r, z, u); the backward pass
   puts in their place the gradients of what stands inside the curves, and of u: the first three
   are those of W x, the last three those of U h. */

#ifndef BIRNN_GRU_H
#define BIRNN_GRU_H

#include "cell.h"

INLINE void gru_forward(const Units *at) {
    vec r = sigmoid_vec(load(at->input + LANES) + load(at->recurrent));
    vec z = sigmoid_vec(load(at->input + 2 * LANES) + load(at->recurrent + LANES));
    vec u = load(at->recurrent + 2 * LANES);
    vec n = tanh_vec(load(at->input) + r * u);
    vec h = load(at->before);
    store(at->after, n + z * (h - n));
    if (!at->kept) return;
    store(at->kept, n);
    store(at->kept + LANES, r);
    store(at->kept + 2 * LANES, z);
    store(at->kept + 3 * LANES, u);
    store(at->kept_before, h);
}

INLINE void gru_backward(const UnitGradients *at) {
    vec n = load(at->kept), r = load(at->kept + LANES);
    vec z = load(at->kept + 2 * LANES), u = load(at->kept + 3 * LANES);
    vec h = load(at->kept_before);
    vec dh = at->state + load(at->carry);
    vec dn = dh * (1.0f - z) * (1.0f - n * n);
    store(at->kept, dn);
    store(at->kept + LANES, dn * u * r * (1.0f - r));
    store(at->kept + 2 * LANES, dh * (h - n) * z * (1.0f - z));
    store(at->kept + 3 * LANES, dn * r);
    store(at->carry, dh * z); /* the way past the gates; the product adds the way through U */
}

#endif
