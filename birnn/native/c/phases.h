/* Work comes in phases, in this order: each is a list of tasks that don't wait for each other. */

#ifndef BIRNN_PHASES_H
#define BIRNN_PHASES_H

enum {
    TAKE_ROWS,     /* the real rows of x, a task a sequence */
    PACK_FORWARD,  /* the weights, a task a group of units */
    FORWARD,       /* a task a direction and part of the batch; no barrier between steps */
    PACK_BACKWARD, /* the weights again, for products with gradients */
    BACKWARD,      /* back through time: gradients of what stands inside the gates */
    TRANSPOSE,     /* before the gradients, where they are products in bfloat16 */
    GRADIENTS,     /* of the weights, all steps in one product, and of x */
    PHASES
};

#endif
