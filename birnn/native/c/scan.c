/* The recurrence of a GRU or LSTM layer over a ragged batch, in both directions, with gradients.

   Work comes in phases; each is a list of tasks that don't wait for each other, and any number
   of threads may take them (birnn_begin, then birnn_work in each thread). */

#include "backward.h"
#include "chain.h"
#include "dropout.h"
#include "forward.h"
#include "gradients.h"
#include "pool.h"
#include "rows.h"

enum {
    PACK_FORWARD,  /* the weights, a task a group of units */
    FORWARD,       /* a task a direction and part of the batch; no barrier between steps */
    PACK_BACKWARD, /* the weights again, for products with gradients */
    BACKWARD,      /* back through time: gradients of what stands inside the gates */
    GRADIENTS      /* of the weights, all steps in one product, and of x */
};

static int64_t tasks_of(const Scan *s) {
    switch (s->phase) {
    case PACK_FORWARD: return s->directions * groups_of(s->hidden);
    case PACK_BACKWARD:
        return s->directions *
               (panels_of(s->hidden) + (s->x_gradient ? panels_of(s->features) : 0));
    case GRADIENTS:
        return s->directions * groups_of(s->hidden) +
               (s->x_gradient ? (s->rows + INPUT_ROWS - 1) / INPUT_ROWS : 0);
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
