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
    const int64_t vectors = gates * LANES, slice = slice_of(s->features, count, s->slice);
    const Panels at = forward_panels(s);
    Product p = {.step = 1, .segments = 1, .panel_step = vectors};
    p.out_step = groups * vectors;
    for (int64_t j = 0; j < groups; j++)
        for (int64_t k = 0; k < s->features; k += slice) {
            p.length = s->features - k < slice ? s->features - k : slice;
            p.panel = d->panels + at.input + (j * s->features + k) * vectors;
            p.start_step = k ? p.out_step : 0;
            for (int64_t row = 0, block; row < count; row += block) {
                block = next_block(count - row, ROWS_BESIDE(gates));
                for (int64_t r = 0; r < block; r++) p.rows[r] = rows[row + r] + k;
                p.out = out + row * p.out_step + j * vectors;
                p.start = k ? p.out : d->panels + at.input_bias + j * vectors;
                product(block, gates, &p);
            }
        }
}

/* One step of the `active` first sequences of a part. */
typedef struct {
    const float *input;          /* W x + b, [active][J][gates][LANES] */
    const float *before;         /* h, [count][U] */
    float *after, *memory;       /* h' and c, [count][U] */
    float *sums;                 /* room for sums that are not whole, [count][gates][LANES] */
    int64_t step, active;
} Step;

/* The gates and what follows of group j of sequence i, from U h + c of it; its new state. */
INLINE void run_units(const Cell *cell, const Scan *s, const Part *part, const Step *now,
                      int64_t i, int64_t j, const float *recurrent) {
    const Direction *d = &s->direction[part->index];
    const int64_t groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t wide = s->directions * s->hidden, unit = i * units + j * LANES;
    const int64_t row = packed_row(s, part, i, now->step);
    Units u = {.input = now->input + (i * groups + j) * cell->gates * LANES,
               .recurrent = recurrent,
               .before = now->before + unit,
               .after = now->after + unit,
               .memory = now->memory + unit};
    if (d->kept) {
        u.kept = d->kept + (row * groups + j) * KEPT * LANES;
        u.kept_before = d->before + row * units + j * LANES;
        if (cell->has_memory) u.kept_memory = d->memory + row * units + j * LANES;
    }
    cell_forward(cell, &u);
    float *state = s->states + dense_row(s, part, i, now->step) * wide;
    store_some(state + part->index * s->hidden + j * LANES, load(u.after),
               width_of(s->hidden, j));
}

INLINE void run_step_of(const Cell *cell, const Scan *s, const Part *part, const Step *now) {
    const Direction *d = &s->direction[part->index];
    const Panels at = forward_panels(s);
    const int64_t groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = cell->gates * LANES;
    const int64_t slice = slice_of(s->hidden, now->active, s->slice);
    _Alignas(64) float tile[MAX_ROWS * MAX_VECTORS * LANES];
    Product p = {.step = 1, .segments = 1, .panel_step = vectors, .out_step = vectors};
    for (int64_t turn = 0; turn < groups * s->hidden; turn += p.length) {
        /* To and fro: what the last step read last is still in the cache. */
        int64_t k = turn % s->hidden, j = turn / s->hidden;
        if (now->step & 1) j = groups - 1 - j;
        p.length = s->hidden - k < slice ? s->hidden - k : slice;
        p.panel = d->panels + at.recurrent + (j * s->hidden + k) * vectors;
        p.start_step = k ? vectors : 0;
        for (int64_t i = 0, block; i < now->active; i += block) {
            float *sums = now->sums + i * vectors;
            int last = k + p.length == s->hidden;
            block = next_block(now->active - i, ROWS_BESIDE(cell->gates));
            for (int64_t r = 0; r < block; r++) p.rows[r] = now->before + (i + r) * units + k;
            p.start = k ? sums : d->panels + at.recurrent_bias + j * vectors;
            p.out = last ? tile : sums;
            product(block, cell->gates, &p);
            for (int64_t r = 0; last && r < block; r++)
                run_units(cell, s, part, now, i + r, j, tile + r * vectors);
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
    const int64_t vectors = cell_of(s)->gates * LANES;
    float *memory = scratch(part.count * (3 * units + vectors + chunk * row));
    const float **rows = malloc((size_t)(chunk * part.count) * sizeof(*rows));
    if (!memory || !rows) {
        free(rows);
        return 0;
    }
    memset(memory, 0, (size_t)(3 * part.count * units) * sizeof(float));
    float *sums = memory + 3 * part.count * units, *projected = sums + part.count * vectors;
    Step now = {.before = memory, .after = memory + part.count * units};
    now.memory = memory + 2 * part.count * units;
    now.sums = sums;
    take_rows(s, &part, d->first_state, memory);
    take_rows(s, &part, d->first_memory, now.memory);
    int64_t active = part.count;
    for (int64_t step = 0; step < length_of(s, &part, 0); step += chunk) {
        int64_t count = 0, present = active, end = step + chunk;
        for (int64_t t = step; t < end; t++) {
            present = still_active(s, &part, present, t);
            for (int64_t i = 0; i < present; i++)
                rows[count++] = x_row(s, &part, i, t);
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
