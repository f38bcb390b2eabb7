/* The recurrence of a GRU or LSTM layer over a ragged batch, in both directions, with gradients.

   Work comes in phases; each is a list of tasks that don't wait for each other, and any number
   of threads may take them (birnn_begin, then birnn_work in each thread).

   A sequence leaves the batch when it ends, and the right-to-left direction reads each from its
   own last step, so padding is neither read nor computed. */

#include "layout.h"

enum {
    PACK_FORWARD,  /* the weights, a task a group of units */
    FORWARD,       /* a task a direction and part of the batch; no barrier between steps */
    PACK_BACKWARD, /* the weights again, for products with gradients */
    BACKWARD,      /* back through time: gradients of what stands inside the gates */
    GRADIENTS      /* of the weights, all steps in one product, and of x */
};

#define CHUNK_ROWS 96 /* rows of x that are multiplied by W at once, before their steps are run */
#define DEPTH 128     /* steps that a weight's gradient sums before it moves on */

static const float ZEROS[MAX_VECTORS * LANES];

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

static void run_step(const Scan *s, const Part *part, const Step *now) {
    const Cell *cell = cell_of(s);
    const Direction *d = &s->direction[part->index];
    const Panels at = forward_panels(s);
    const int64_t groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = cell->gates * LANES, wide = s->directions * s->hidden;
    float tile[MAX_ROWS * MAX_VECTORS * LANES];
    Product p = {.step = 1, .length = s->hidden, .segments = 1, .panel_step = vectors};
    p.out = tile;
    p.out_step = vectors;
    for (int64_t j = 0; j < groups; j++) {
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
                cell->forward(&u);
                float *state = s->states + dense_row(s, part, i + r, now->step) * wide;
                store_some(state + part->index * s->hidden + j * LANES, load(u.after),
                           width_of(s->hidden, j));
            }
        }
    }
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
    clear_padding(s, &part);
    return 1;
}

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
    const int64_t size = part.count * groups_of(s->hidden) * LANES;
    float *carry = scratch(2 * size);
    if (!carry) return 0;
    memset(carry, 0, (size_t)(2 * size) * sizeof(float));
    int64_t active = 0;
    for (int64_t step = length_of(s, &part, 0) - 1; step >= 0; step--) {
        while (active < part.count && length_of(s, &part, active) > step) active++;
        step_back(s, &part, step, active, carry, carry + size);
    }
    return 1;
}

/* sums += kept[step][gates] times rows[step][depth] over `count` steps, for one group of units.
   The steps are summed apart from what stood there: many short sums round less than a long one. */
static void weight_gradient(const Scan *s, const float *panel, int64_t count, const float *rows,
                            int64_t row_step, int64_t depth, float *sums) {
    const int64_t vectors = cell_of(s)->gates;
    Product p = {.step = row_step, .length = count, .segments = 1, .panel_step = KEPT * LANES};
    float tile[MAX_ROWS * MAX_VECTORS * LANES];
    p.panel = panel;
    p.start = ZEROS;
    p.out = tile;
    p.out_step = vectors * LANES;
    for (int64_t k = 0, block; k < depth; k += block) {
        block = next_block(depth - k, ROWS_BESIDE(vectors));
        for (int64_t r = 0; r < block; r++) p.rows[r] = rows + k + r;
        product(block, vectors, &p);
        float *sum = sums + k * vectors * LANES;
        for (int64_t v = 0; v < block * vectors * LANES; v += LANES)
            store(sum + v, load(sum + v) + load(tile + v));
    }
}

/* [depth][gates][LANES] → rows of torch's [gates * H][depth]. */
static void unpack_gradient(const Scan *s, const float *sums, const int64_t *gate_rows, int64_t j,
                            int64_t depth, float *to) {
    const int64_t gates = cell_of(s)->gates;
    for (int64_t g = 0; g < gates; g++)
        for (int64_t lane = 0; lane < width_of(s->hidden, j); lane++) {
            float *row = to + (gate_rows[g] * s->hidden + j * LANES + lane) * depth;
            const float *from = sums + g * LANES + lane;
            for (int64_t k = 0; k < depth; k++) row[k] = from[k * gates * LANES];
        }
}

/* Task: the weights of one group of units of one direction. */
static int weight_gradients(Scan *s, int64_t task) {
    const Cell *cell = cell_of(s);
    Direction *d = &s->direction[task % s->directions];
    const int64_t j = task / s->directions, groups = groups_of(s->hidden), units = groups * LANES;
    const int64_t vectors = cell->gates * LANES, kept = KEPT * LANES;
    const int64_t sums_size = (s->features + s->hidden) * vectors;
    float *panel = scratch(DEPTH * kept + kept + sums_size);
    if (!panel) return 0;
    float *bias = panel + DEPTH * kept, *input = bias + kept;
    float *recurrent = input + s->features * vectors;
    memset(bias, 0, (size_t)(kept + sums_size) * sizeof(float));
    for (int64_t row = 0; row < s->rows; row += DEPTH) {
        int64_t count = s->rows - row < DEPTH ? s->rows - row : DEPTH;
        for (int64_t v = 0; v < kept; v += LANES) {
            vec sum = {0};
            for (int64_t i = 0; i < count; i++) {
                vec value = load(d->kept + ((row + i) * groups + j) * kept + v);
                store(panel + i * kept + v, value);
                sum += value;
            }
            store(bias + v, load(bias + v) + sum);
        }
        weight_gradient(s, panel, count, s->x + row * s->features, s->features, s->features, input);
        weight_gradient(s, panel + cell->recurrent_kept * LANES, count, d->before + row * units,
                        units, s->hidden, recurrent);
    }
    unpack_gradient(s, input, cell->input_rows, j, s->features, d->input_gradient);
    unpack_gradient(s, recurrent, cell->recurrent_rows, j, s->hidden, d->recurrent_gradient);
    unpack_gradient(s, bias, cell->input_rows, j, 1, d->input_bias_gradient);
    unpack_gradient(s, bias + cell->recurrent_kept * LANES, cell->recurrent_rows, j, 1,
                    d->recurrent_bias_gradient);
    return 1;
}

/* Task: the gradient of x of one sequence, the sum over directions of kept times W. */
static int input_gradient(const Scan *s, int64_t b) {
    const Cell *cell = cell_of(s);
    const int64_t groups = groups_of(s->hidden), kept = groups * KEPT * LANES;
    const int64_t depth = cell->gates * LANES, columns = groups_of(s->features) * LANES;
    float *out = s->x_gradient + s->dense[b] * s->features;
    float *rows = scratch(MAX_ROWS * columns);
    if (!rows) return 0;
    Product p = {.step = 1, .length = depth, .segments = groups, .skip = KEPT * LANES - depth};
    p.start_step = p.out_step = columns;
    for (int64_t t = 0, block; t < s->length[b]; t += block) {
        block = next_block(s->length[b] - t, ROWS_BESIDE(MAX_VECTORS));
        memset(rows, 0, (size_t)(block * columns) * sizeof(float));
        for (int64_t i = 0; i < s->directions; i++)
            for (int64_t f = 0; f < groups_of(s->features); f += MAX_VECTORS) {
                const Direction *d = &s->direction[i];
                int64_t vectors = vectors_from(s->features, f);
                p.panel = d->panels + backward_panels(s).input + f * LANES * groups * depth;
                p.panel_step = vectors * LANES;
                p.start = p.out = rows + f * LANES;
                for (int64_t r = 0; r < block; r++)
                    p.rows[r] = d->kept + (s->packed[b] + t + r) * kept;
                product(block, vectors, &p);
            }
        for (int64_t r = 0; r < block; r++)
            memcpy(out + (t + r) * s->features, rows + r * columns,
                   (size_t)s->features * sizeof(float));
    }
    memset(out + s->length[b] * s->features, 0,
           (size_t)((s->steps - s->length[b]) * s->features) * sizeof(float));
    return 1;
}

/* Panels of `size` columns, MAX_VECTORS groups of them each. */
INLINE int64_t panels_of(int64_t size) {
    return (groups_of(size) + MAX_VECTORS - 1) / MAX_VECTORS;
}

static int64_t tasks_of(const Scan *s) {
    switch (s->phase) {
    case PACK_FORWARD: return s->directions * groups_of(s->hidden);
    case PACK_BACKWARD:
        return s->directions *
               (panels_of(s->hidden) + (s->x_gradient ? panels_of(s->features) : 0));
    case GRADIENTS:
        return s->directions * groups_of(s->hidden) + (s->x_gradient ? s->batch : 0);
    default: return s->directions * s->blocks;
    }
}

static int run_task(Scan *s, int64_t task) {
    const int64_t groups = s->directions * groups_of(s->hidden);
    switch (s->phase) {
    case PACK_FORWARD: pack_forward(s, task); return 1;
    case FORWARD: return forward(s, task);
    case PACK_BACKWARD: pack_backward(s, task); return 1;
    case BACKWARD: return backward(s, task);
    default: return task < groups ? weight_gradients(s, task) : input_gradient(s, task - groups);
    }
}

/* Take tasks of the phase until none is left; any number of threads may be here at once. */
void birnn_work(void *scan) {
    Scan *s = scan;
    for (int64_t task; (task = atomic_fetch_add(&s->next, 1)) < s->tasks;)
        if (!run_task(s, task)) atomic_store(&s->failed, 1);
}

/* Ready `scan` for a phase; returns its tasks, so that no more threads are asked than that. */
int64_t birnn_begin(Scan *s, int64_t phase) {
    s->phase = phase;
    s->tasks = tasks_of(s);
    atomic_store(&s->next, 0);
    return s->tasks;
}

/* Floats that the packed weights of a direction need. */
int64_t birnn_panels(const Scan *s, int64_t phase) {
    return phase == PACK_FORWARD ? forward_panels(s).size : backward_panels(s).size;
}

int64_t birnn_lanes(void) { return LANES; }
int64_t birnn_scan_size(void) { return sizeof(Scan); }

/* The curves of the gates, for whoever wants to see how exact they are. */
void birnn_curves(const float *x, float *tanh, float *sigmoid, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        vec value = load_some(x + i, count - i);
        store_some(tanh + i, tanh_vec(value), count - i);
        store_some(sigmoid + i, sigmoid_vec(value), count - i);
    }
}
