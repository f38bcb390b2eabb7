/* Back through time: gradients of what stands inside the gates, in the place of what was kept. */

#ifndef BIRNN_BACKWARD_H
#define BIRNN_BACKWARD_H

#include "part.h"

/* Gradients of one step: of the gates, then carry += those of U h times U. */
static void step_back(const Scan *s, const Part *part, int64_t step, int64_t active, float *carry,
                      float *memory_carry) {
    const Cell *cell = cell_of(s);
    const Direction *d = &s->direction[part->index];
    const int64_t groups = groups_of(s->hidden), units = groups * LANES, kept = groups * KEPT * LANES;
    const int64_t wide = s->directions * s->hidden, depth = cell->gates * LANES;
    for (int64_t i = 0; i < active; i++) {
        int64_t row = packed_row(s, part, i, step);
        const float *state = s->state_gradient + dense_row(s, part, i, step) * wide;
        for (int64_t j = 0; j < groups; j++) {
            UnitGradients u = {.kept = d->kept + row * kept + j * KEPT * LANES,
                               .kept_before = d->before + row * units + j * LANES,
                               .carry = carry + i * units + j * LANES,
                               .memory_carry = memory_carry + i * units + j * LANES};
            if (cell->has_memory) u.kept_memory = d->memory + row * units + j * LANES;
            u.state = load_some(state + part->index * s->hidden + j * LANES, width_of(s->hidden, j));
            cell->backward(&u);
        }
    }
    Product p = {.step = 1, .length = depth, .segments = groups, .skip = KEPT * LANES - depth};
    p.start_step = p.out_step = units;
    for (int64_t j = 0; j < groups; j += MAX_VECTORS) {
        int64_t vectors = vectors_from(s->hidden, j);
        p.panel = d->panels + backward_panels(s).recurrent + j * LANES * groups * depth;
        p.panel_step = vectors * LANES;
        for (int64_t i = 0, block; i < active; i += block) {
            block = next_block(active - i, ROWS_BESIDE(vectors));
            for (int64_t r = 0; r < block; r++)
                p.rows[r] = d->kept + packed_row(s, part, i + r, step) * kept +
                            cell->recurrent_kept * LANES;
            p.start = p.out = carry + i * units + j * LANES;
            product(block, vectors, &p);
        }
    }
}

/* Task: one direction of one part of the batch, from the last step to the first. */
static int backward(Scan *s, int64_t task) {
    const Part part = part_of(s, task);
    const Direction *d = &s->direction[part.index];
    const int64_t size = part.count * groups_of(s->hidden) * LANES;
    float *carry = scratch(2 * size);
    if (!carry) return 0;
    memset(carry, 0, (size_t)(2 * size) * sizeof(float));
    take_rows(s, &part, d->last_memory_gradient, carry + size);
    int64_t active = 0;
    for (int64_t step = length_of(s, &part, 0) - 1; step >= 0; step--) {
        while (active < part.count && length_of(s, &part, active) > step) active++;
        step_back(s, &part, step, active, carry, carry + size);
    }
    give_rows(s, &part, carry, d->first_state_gradient);
    give_rows(s, &part, carry + size, d->first_memory_gradient);
    return 1;
}

#endif
