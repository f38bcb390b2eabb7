/* The recurrence of a GRU or LSTM layer over a ragged batch, in both directions, with gradients.

   Any number of threads may take the tasks of some phases (birnn_begin, then birnn_work in each). */

#include "adam.h"
#include "backward.h"
#include "chain.h"
#include "dropout.h"
#include "forward.h"
#include "gradients.h"
#include "half/phases.h"
#include "letters.h"
#include "pool.h"
#include "posteriors.h"
#include "rows.h"

#if defined(_WIN32)
#define give_way() ((void)0)
#else
#include <sched.h>
#define give_way() sched_yield()
#endif
#if defined(__x86_64__) || defined(__i386__)
#define pause_a_moment() __builtin_ia32_pause()
#else
#define pause_a_moment() ((void)0)
#endif
#define PATIENCE 1000 /* looks at what others do, before a thread gives its core to who needs it */

static int64_t tasks_of(const Scan *s, int64_t phase) {
    switch (phase) {
    case TAKE_ROWS: return s->batch;
    case PACK_FORWARD: return s->directions * groups_of(s->hidden);
    case PACK_BACKWARD:
        return s->directions *
               (panels_of(s->hidden) + (s->x_gradient ? panels_of(s->features) : 0));
    case TRANSPOSE: return s->half ? half_transpose_tasks(s) : 0;
    case GRADIENTS:
        return s->directions * groups_of(s->hidden) +
               (s->x_gradient ? (s->rows + INPUT_ROWS - 1) / INPUT_ROWS : 0);
    default: return s->directions * s->blocks;
    }
}

static int run_task(Scan *s, int64_t phase, int64_t task) {
    const int64_t groups = s->directions * groups_of(s->hidden);
    if (phase == TAKE_ROWS) return take_x(s, task), 1;
    if (s->half) return run_half_task(s, phase, task, groups);
    switch (phase) {
    case PACK_FORWARD: pack_forward(s, task); return 1;
    case FORWARD: return forward(s, task);
    case PACK_BACKWARD: pack_backward(s, task); return 1;
    case BACKWARD: return backward(s, task);
    default: return task < groups ? weight_gradients(s, task) : input_gradient(s, task - groups);
    }
}

/* Until all tasks of a phase are over: the other threads have the last of them in hand. */
static void wait_for(_Atomic int64_t *done, int64_t tasks) {
    for (int64_t turns = 0; atomic_load(done) < tasks; turns++)
        if (turns < PATIENCE)
            pause_a_moment();
        else
            give_way();
}

/* Take tasks of phase after phase until none is left; any number of threads may be here at once. */
void birnn_work(void *scan) {
    Scan *s = scan;
    const unsigned before = begin_halves(s);
    for (int64_t phase = s->first; phase <= s->last; phase++) {
        const int64_t tasks = s->tasks[phase];
        for (int64_t task; (task = atomic_fetch_add(&s->next[phase], 1)) < tasks;) {
            if (!run_task(s, phase, task)) atomic_store(&s->failed, 1);
            atomic_fetch_add(&s->done[phase], 1);
        }
        if (phase < s->last) wait_for(&s->done[phase], tasks);
    }
    end_halves(s, before);
}

/* Ready `scan` for phases; returns the most tasks of one, so that no more threads are asked. */
int64_t birnn_begin(Scan *s, int64_t first, int64_t last) {
    int64_t most = 0;
    s->first = first;
    s->last = last;
    for (int64_t phase = first; phase <= last; phase++) {
        s->tasks[phase] = tasks_of(s, phase);
        if (s->tasks[phase] > most) most = s->tasks[phase];
        atomic_store(&s->next[phase], 0);
        atomic_store(&s->done[phase], 0);
    }
    return most;
}

/* Floats that the packed weights of a direction need. */
int64_t birnn_panels(const Scan *s, int64_t phase) {
    if (s->half) return half_panels(s, phase);
    return phase == PACK_FORWARD ? forward_panels(s).size : backward_panels(s).size;
}

/* Words that x and h take before the gradients, in bfloat16. */
int64_t birnn_transposed(const Scan *s) { return half_transposed_words(s); }

/* The make of products in bfloat16 that runs here, as half/makes.h counts them. */
int64_t birnn_half(void) { return half_make(); }

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
