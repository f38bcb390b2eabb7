/* The states of a layer with products in bfloat16; otherwise as ../forward.h. */

#ifndef BIRNN_HALF_FORWARD_H
#define BIRNN_HALF_FORWARD_H

#include "../forward.h"
#include "packing.h"

/* A step with the states before and after it also as rows of factors, [count][words_of(H)]. */
typedef struct {
    Step step;
    uint32_t *before, *after;
} HalfStep;

/* W x + b of `count` rounded rows: [rows][J][gates][LANES]. */
static void half_project(const Scan *s, const Direction *d, const uint32_t *rows, int64_t count,
                         float *out) {
    const int64_t gates = cell_of(s)->gates, groups = groups_of(s->hidden);
    const int64_t vectors = gates * LANES, words = words_of(s->features);
    const Panels at = half_forward_panels(s);
    Halves p = {.rows = rows, .row_step = words, .count = count, .pairs = (s->features + 1) / 2};
    p.panel_step = vectors;
    p.out_step = groups * vectors;
    for (int64_t j = 0; j < groups; j++) {
        p.panel = (const uint32_t *)d->panels + at.input + j * words * vectors;
        p.start = d->panels + at.input_bias + j * vectors;
        p.out = out + j * vectors;
        half_product(s->half, gates, &p);
    }
}

INLINE void run_half_step_of(const Cell *cell, const Scan *s, const Part *part,
                             const HalfStep *now) {
    const Direction *d = &s->direction[part->index];
    const Panels at = half_forward_panels(s);
    const int64_t gates = cell->gates, groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = gates * LANES, words = words_of(s->hidden), active = now->step.active;
    _Alignas(64) float tile[2 * TILE * MAX_VECTORS * LANES];
    Halves p = {.row_step = words, .pairs = (s->hidden + 1) / 2, .panel_step = vectors};
    p.out = tile;
    p.out_step = vectors;
    for (int64_t turn = 0; turn < groups; turn++) {
        const int64_t j = now->step.step & 1 ? groups - 1 - turn : turn;
        p.panel = (const uint32_t *)d->panels + at.recurrent + j * words * vectors;
        p.start = d->panels + at.recurrent_bias + j * vectors;
        for (int64_t i = 0; i < active; i += p.count) {
            p.count = rows_at_once(s->half, gates, active - i);
            p.rows = now->before + i * words;
            half_product(s->half, gates, &p);
            for (int64_t r = 0; r < p.count; r++) {
                run_units(cell, s, part, &now->step, i + r, j, tile + r * vectors);
                store_rounded(now->after + (i + r) * words + j * LANES / 2,
                              load(now->step.after + (i + r) * units + j * LANES));
            }
        }
    }
}

static void run_half_step(const Scan *s, const Part *part, const HalfStep *now) {
    if (s->lstm)
        run_half_step_of(&LSTM, s, part, now);
    else
        run_half_step_of(&GRU, s, part, now);
}

/* Where a task's buffers lie, in words; whole tiles are read beyond the rows. */
typedef struct {
    int64_t chunk, states, rounded_states, rounded, projected, size;
} HalfBuffers;

static HalfBuffers half_buffers(const Scan *s, const Part *part) {
    const int64_t units = groups_of(s->hidden) * LANES, count = part->count;
    HalfBuffers at = {.chunk = CHUNK_ROWS / count > 1 ? CHUNK_ROWS / count : 1};
    at.rounded_states = 3 * count * units;
    at.rounded = at.rounded_states + 2 * (count + TILE) * words_of(s->hidden);
    at.projected = at.rounded + (at.chunk * count + TILE) * words_of(s->features);
    at.size = at.projected + at.chunk * count * cell_of(s)->gates * units;
    return at;
}

/* Task: one direction of one part of the batch. */
static int half_forward(Scan *s, int64_t task) {
    const Part part = part_of(s, task);
    const Direction *d = &s->direction[part.index];
    const int64_t units = groups_of(s->hidden) * LANES, row = cell_of(s)->gates * units;
    const int64_t words = words_of(s->hidden), x_words = words_of(s->features);
    const HalfBuffers at = half_buffers(s, &part);
    float *memory = scratch(at.size);
    if (!memory) return 0;
    memset(memory, 0, (size_t)at.rounded * sizeof(float));
    uint32_t *rounded = (uint32_t *)memory + at.rounded;
    HalfStep now = {.step = {.before = memory, .after = memory + part.count * units}};
    now.step.memory = memory + 2 * part.count * units;
    now.before = (uint32_t *)memory + at.rounded_states;
    now.after = now.before + (part.count + TILE) * words;
    take_rows(s, &part, d->first_state, memory);
    take_rows(s, &part, d->first_memory, now.step.memory);
    for (int64_t i = 0; i < part.count; i++) round_row(memory + i * units, units, now.before + i * words);
    int64_t active = part.count;
    for (int64_t step = 0; step < length_of(s, &part, 0); step += at.chunk) {
        int64_t count = 0, present = active, end = step + at.chunk;
        for (int64_t t = step; t < end; t++) {
            present = still_active(s, &part, present, t);
            for (int64_t i = 0; i < present; i++)
                round_row(x_row(s, &part, i, t), s->features,
                          rounded + count++ * x_words);
        }
        half_project(s, d, rounded, count, memory + at.projected);
        now.step.input = memory + at.projected;
        for (now.step.step = step; now.step.step < end; now.step.step++) {
            now.step.active = active = still_active(s, &part, active, now.step.step);
            run_half_step(s, &part, &now);
            now.step.input += active * row;
            const HalfStep last = now;
            now.step.before = last.step.after, now.step.after = (float *)last.step.before;
            now.before = last.after, now.after = last.before;
        }
    }
    give_rows(s, &part, now.step.memory, d->last_memory);
    clear_padding(s, &part);
    return 1;
}

#endif
