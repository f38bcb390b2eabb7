/* Back through time: gradients of what stands inside the gates, in the place of what was kept. */

#ifndef BIRNN_BACKWARD_H
#define BIRNN_BACKWARD_H

#include "part.h"

/* Gradients of one step, of what stands inside the gates. */
INLINE void gate_gradients(const Cell *cell, const Scan *s, const Part *part, int64_t step,
                           int64_t active, float *carry, float *memory_carry) {
    const Direction *d = &s->direction[part->index];
    const int64_t groups = groups_of(s->hidden), units = groups * LANES, kept = groups * KEPT * LANES;
    const int64_t wide = s->directions * s->hidden;
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
            cell_backward(cell, &u);
        }
    }
}

/* Those, then carry += those of U h times U. */
INLINE void step_back_of(const Cell *cell, const Scan *s, const Part *part, int64_t step,
                         int64_t active, float *carry, float *memory_carry) {
    const Direction *d = &s->direction[part->index];
    const int64_t groups = groups_of(s->hidden), units = groups * LANES, kept = groups * KEPT * LANES;
    const float *panels = d->panels + backward_panels(s).recurrent;
    gate_gradients(cell, s, part, step, active, carry, memory_carry);
    Product p = {.out_step = units};
    const int64_t slice = slice_of_groups(s, active);
    for (int64_t panel = 0; panel < panels_of(s->hidden); panel++) {
        int64_t j = panel_first(s->hidden, panel), vectors = panel_first(s->hidden, panel + 1) - j;
        for (int64_t first = 0; first < groups; first += slice) {
            int64_t end = first + slice < groups ? first + slice : groups;
            for (int64_t i = 0, block; i < active; i += block) {
                block = next_block(active - i, ROWS_BESIDE(vectors));
                for (int64_t r = 0; r < block; r++)
                    p.rows[r] = d->kept + packed_row(s, part, i + r, step) * kept +
                                cell->recurrent_kept * LANES;
                p.panel = panels + j * LANES * cell->gates * s->hidden;
                p.out = carry + i * units + j * LANES;
                add_gates_product(s, first, end, block, vectors, &p);
            }
        }
    }
}

static void step_back(const Scan *s, const Part *part, int64_t step, int64_t active, float *carry,
                      float *memory_carry) {
    if (s->lstm)
        step_back_of(&LSTM, s, part, step, active, carry, memory_carry);
    else
        step_back_of(&GRU, s, part, step, active, carry, memory_carry);
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
