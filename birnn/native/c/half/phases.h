/* The phases with products in bfloat16, where the processor has such products. */

#ifndef BIRNN_HALF_PHASES_H
#define BIRNN_HALF_PHASES_H

#ifdef __AVX512BF16__

#include "forward.h"
#include "gradients.h"

static int run_half_task(Scan *s, int64_t phase, int64_t task, int64_t groups) {
    switch (phase) {
    case PACK_FORWARD: pack_half_forward(s, task); return 1;
    case FORWARD: return half_forward(s, task);
    case PACK_BACKWARD: pack_half_backward(s, task); return 1;
    case BACKWARD: return half_backward(s, task);
    case TRANSPOSE: transpose_chunk(s, task); return 1;
    default:
        return task < groups ? half_weight_gradients(s, task)
                             : half_input_gradient(s, task - groups);
    }
}

INLINE int64_t half_transpose_tasks(const Scan *s) { return (1 + s->directions) * chunks_of(s); }
INLINE int64_t half_transposed_words(const Scan *s) { return transposed_words(s); }
INLINE int64_t half_make(void) { return best_make(); }
INLINE unsigned begin_halves(const Scan *s) { return s->half > PAIRS ? begin_tiles() : 0; }
INLINE void end_halves(const Scan *s, unsigned before) {
    if (s->half > PAIRS) end_tiles(before);
}
INLINE int64_t half_panels(const Scan *s, int64_t phase) {
    return phase == PACK_FORWARD ? half_forward_panels(s).size : half_backward_panels(s).size;
}

#else

static int run_half_task(Scan *s, int64_t phase, int64_t task, int64_t groups) {
    return (void)s, (void)phase, (void)task, (void)groups, 0;
}
INLINE int64_t half_transpose_tasks(const Scan *s) { return (void)s, 0; }
INLINE int64_t half_transposed_words(const Scan *s) { return (void)s, 0; }
INLINE int64_t half_make(void) { return 0; }
INLINE unsigned begin_halves(const Scan *s) { return (void)s, 0; }
INLINE void end_halves(const Scan *s, unsigned before) { (void)s, (void)before; }
INLINE int64_t half_panels(const Scan *s, int64_t phase) { return (void)s, (void)phase, 0; }

#endif

#endif
