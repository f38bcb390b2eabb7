/* The states of a layer: W x for a chunk of steps at once, then step after step.

   A sequence leaves the batch when it ends, and the right-to-left direction reads each from its
   own last step, so padding is neither read nor computed. */

#ifndef BIRNN_FORWARD_H
#define BIRNN_FORWARD_H

#include "part.h"

#define CHUNK_ROWS 96 /* rows of x that are multiplied by W at once, before their steps are run */

/* W x + b of all rows of a chunk: [rows][J][gates][LANES]. */
static void project(const Scan *s, const Direction *d, const float *const *rows, int64_t count,
                    float *out) {
    const int64_t gates = cell_of(s)->gates, groups = groups_of(s->hidden);
    const int64_t vectors = gates * LANES;
    const Panels at = forward_panels(s);
    Product p = {.step = 1, .length = s->features, .segments = 1, .panel_step = vectors};
    p.out_step = groups * vectors;
    for (int64_t j = 0; j < groups; j++) {
        p.panel = d->panels + at.input + j * s->features * vectors;
        p.start = d->panels + at.input_bias + j * vectors;
        for (int64_t row = 0, block; row < count; row += block) {
            block = next_block(count - row, ROWS_BESIDE(gates));
            memcpy(p.rows, rows + row, (size_t)block * sizeof(*rows));
            p.out = out + row * p.out_step + j * vectors;
            product(block, gates, &p);
        }
    }
}

/* One step of the `active` first sequences of a part. */
typedef struct {
    const float *input;          /* W x + b, [active][J][gates][LANES] */
    const float *before;         /* h, [count][U] */
    float *after, *memory;       /* h' and c, [count][U] */
    int64_t step, active;
} Step;

INLINE void run_step_of(const Cell *cell, const Scan *s, const Part *part, const Step *now) {
    const Direction *d = &s->direction[part->index];
    const Panels at = forward_panels(s);
    const int64_t groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = cell->gates * LANES, wide = s->directions * s->hidden;
    float tile[MAX_ROWS * MAX_VECTORS * LANES];
    Product p = {.step = 1, .length = s->hidden, .segments = 1, .panel_step = vectors};
    p.out = tile;
    p.out_step = vectors;
    for (int64_t turn = 0; turn < groups; turn++) {
        /* To and fro: what the last step read last is still in the cache. */
        int64_t j = now->step & 1 ? groups - 1 - turn : turn;
        p.panel = d->panels + at.recurrent + j * s->hidden * vectors;
        p.start = d->panels + at.recurrent_bias + j * vectors;
        for (int64_t i = 0, block; i < now->active; i += block) {
            block = next_block(now->active - i, ROWS_BESIDE(cell->gates));
            for (int64_t r = 0; r < block; r++) p.rows[r] = now->before + (i + r) * units;
            product(block, cell->gates, &p);
            for (int64_t r = 0; r < block; r++) {
                int64_t unit = (i + r) * units + j * LANES;
                int64_t row = packed_row(s, part, i + r, now->step);
                Units u = {.input = now->input + ((i + r) * groups + j) * vectors,
                           .recurrent = tile + r * vectors,
                           .before = now->before + unit,
                           .after = now->after + unit,
                           .memory = now->memory + unit};
                if (d->kept) {
                    u.kept = d->kept + (row * groups + j) * KEPT * LANES;
                    u.kept_before = d->before + row * units + j * LANES;
                    if (cell->has_memory) u.kept_memory = d->memory + row * units + j * LANES;
                }
                cell_forward(cell, &u);
                float *state = s->states + dense_row(s, part, i + r, now->step) * wide;
                store_some(state + part->index * s->hidden + j * LANES, load(u.after),
                           width_of(s->hidden, j));
            }
        }
    }
}

static void run_step(const Scan *s, const Part *part, const Step *now) {
    if (s->lstm)
        run_step_of(&LSTM, s, part, now);
    else
        run_step_of(&GRU, s, part, now);
}

static void clear_padding(const Scan *s, const Part *part) {
    const int64_t wide = s->directions * s->hidden;
    for (int64_t i = 0; i < part->count; i++) {
        float *row = s->states + s->dense[part->first + i * part->stride] * wide;
        for (int64_t t = length_of(s, part, i); t < s->steps; t++)
            memset(row + t * wide + part->index * s->hidden, 0, (size_t)s->hidden * sizeof(float));
    }
}

/* Task: one direction of one part of the batch. */
static int forward(Scan *s, int64_t task) {
    const Part part = part_of(s, task);
    const Direction *d = &s->direction[part.index];
    const int64_t units = groups_of(s->hidden) * LANES, row = cell_of(s)->gates * units;
    const int64_t chunk = CHUNK_ROWS / part.count > 1 ? CHUNK_ROWS / part.count : 1;
    float *memory = scratch(3 * part.count * units + chunk * part.count * row);
    const float **rows = malloc((size_t)(chunk * part.count) * sizeof(*rows));
    if (!memory || !rows) {
        free(rows);
        return 0;
    }
    memset(memory, 0, (size_t)(3 * part.count * units) * sizeof(float));
    float *projected = memory + 3 * part.count * units;
    Step now = {.before = memory, .after = memory + part.count * units};
    now.memory = memory + 2 * part.count * units;
    take_rows(s, &part, d->first_state, memory);
    take_rows(s, &part, d->first_memory, now.memory);
    int64_t active = part.count;
    for (int64_t step = 0; step < length_of(s, &part, 0); step += chunk) {
        int64_t count = 0, present = active, end = step + chunk;
        for (int64_t t = step; t < end; t++) {
            present = still_active(s, &part, present, t);
            for (int64_t i = 0; i < present; i++)
                rows[count++] = s->x + packed_row(s, &part, i, t) * s->features;
        }
        project(s, d, rows, count, projected);
        now.input = projected;
        for (now.step = step; now.step < end; now.step++) {
            now.active = active = still_active(s, &part, active, now.step);
            run_step(s, &part, &now);
            now.input += active * row;
            float *after = now.after;
            now.after = (float *)now.before;
            now.before = after;
        }
    }
    free(rows);
    give_rows(s, &part, now.memory, d->last_memory);
    clear_padding(s, &part);
    return 1;
}

#endif
