/* Back through time with products in bfloat16; otherwise as ../backward.h. */

#ifndef BIRNN_HALF_BACKWARD_H
#define BIRNN_HALF_BACKWARD_H

#include "../backward.h"
#include "packing.h"

/* The gates' gradients of a kept row, those from vector `first` on, as a row of factors. */
static void round_gradients(const Scan *s, const float *kept, int64_t first, uint32_t *to) {
    const int64_t gates = cell_of(s)->gates, groups = groups_of(s->hidden);
    uint32_t *end = to + gradient_words(s);
    for (int64_t j = 0; j < groups; j++, kept += KEPT * LANES)
        for (int64_t g = first; g < first + gates; g++, to += LANES / 2)
            store_rounded(to, load(kept + g * LANES));
    if (to < end) store_rounded(to, (vec){0});
}

/* out [count][U] += `count` rows of gradients times the panels of `size` columns. */
static void add_half_products(const Scan *s, const uint32_t *panels, int64_t size,
                              const uint32_t *rows, int64_t count, float *out) {
    const int64_t words = gradient_words(s), gates = cell_of(s)->gates;
    Halves p = {.rows = rows, .row_step = words, .count = count};
    p.pairs = gates * groups_of(s->hidden) * LANES / 2;
    p.start_step = p.out_step = groups_of(size) * LANES;
    for (int64_t panel = 0; panel < panels_of(size); panel++) {
        const int64_t first = panel_first(size, panel);
        const int64_t vectors = panel_first(size, panel + 1) - first;
        p.panel = panels + first * LANES * words;
        p.panel_step = vectors * LANES;
        p.start = p.out = out + first * LANES;
        half_product(s->half, vectors, &p);
    }
}

static void half_step_back(const Scan *s, const Part *part, int64_t step, int64_t active,
                           float *carry, float *memory_carry, uint32_t *rows) {
    const Direction *d = &s->direction[part->index];
    const int64_t words = gradient_words(s), kept = groups_of(s->hidden) * KEPT * LANES;
    if (s->lstm)
        gate_gradients(&LSTM, s, part, step, active, carry, memory_carry);
    else
        gate_gradients(&GRU, s, part, step, active, carry, memory_carry);
    for (int64_t i = 0; i < active; i++)
        round_gradients(s, d->kept + packed_row(s, part, i, step) * kept,
                        cell_of(s)->recurrent_kept, rows + i * words);
    add_half_products(s, (const uint32_t *)d->panels + half_backward_panels(s).recurrent, s->hidden,
                      rows, active, carry);
}

/* Task: one direction of one part of the batch, from the last step to the first. */
static int half_backward(Scan *s, int64_t task) {
    const Part part = part_of(s, task);
    const Direction *d = &s->direction[part.index];
    const int64_t size = part.count * groups_of(s->hidden) * LANES;
    float *carry = scratch(2 * size + (part.count + TILE) * gradient_words(s));
    if (!carry) return 0;
    memset(carry, 0, (size_t)(2 * size) * sizeof(float));
    take_rows(s, &part, d->last_memory_gradient, carry + size);
    uint32_t *rows = (uint32_t *)carry + 2 * size;
    int64_t active = 0;
    for (int64_t step = length_of(s, &part, 0) - 1; step >= 0; step--) {
        while (active < part.count && length_of(s, &part, active) > step) active++;
        half_step_back(s, &part, step, active, carry, carry + size, rows);
    }
    give_rows(s, &part, carry, d->first_state_gradient);
    give_rows(s, &part, carry + size, d->first_memory_gradient);
    return 1;
}

#endif
