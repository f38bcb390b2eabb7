/* The one matrix product of the scans: a few rows times a panel, kept in registers.

       out[r][v] = start[r][v] + sum over k of rows[r][k] * panel[k][v]

   with r up to 8 rows and v up to 4 vectors of columns. Each sum runs over k in order, alone
   in its register, so a row's result does not depend on how many rows stand beside it: that
   is what makes an item's answer the same, to the bit, in any batch. The panel is read once
   for all rows (the register blocking of Goto & van de Geijn 2008). */

#ifndef BIRNN_PRODUCT_H
#define BIRNN_PRODUCT_H

#include "vector.h"

#define MAX_ROWS 8
#define MAX_VECTORS 4

/* Sums that fit the registers beside a row of the panel: 32 registers, else 16. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define ROWS_BESIDE(vectors) ((vectors) == 4 ? 6 : 8)
#else
#define ROWS_BESIDE(vectors) ((vectors) == 4 ? 2 : (vectors) == 3 ? 3 : (vectors) == 2 ? 5 : 8)
#endif

typedef struct {
    const float *rows[MAX_ROWS];
    int64_t step;                   /* floats from k to k + 1 in a row */
    int64_t length, segments, skip; /* k runs over segments of a length, then skips floats */
    const float *panel;
    int64_t panel_step; /* floats from k to k + 1 in the panel */
    const float *start; /* NULL: the sums start from 0 and are added to `out` */
    int64_t start_step; /* 0: all rows start from the same (a bias) */
    float *out;
    int64_t out_step;
    int64_t ahead; /* floats */
} Product;

/* Keep a value in a register: else GCC reads the panel once for each row. */
#if defined(__AVX512F__)
#define IN_REGISTER(value) __asm__("" : "+v"(value))
#elif defined(__AVX__)
#define IN_REGISTER(value) __asm__("" : "+x"(value))
#else
#define IN_REGISTER(value)
#endif

INLINE void product_of(const int rows, const int vectors, const Product *p) {
    vec sum[MAX_ROWS][MAX_VECTORS];
    const float *row[MAX_ROWS], *const start = p->start;
    const int64_t start_step = p->start_step, out_step = p->out_step;
    float *const out = p->out;
    const int64_t ahead = p->ahead;
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        row[r] = p->rows[r];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            sum[r][v] = broadcast(0);
            if (start) sum[r][v] = load(start + r * start_step + v * LANES);
        }
    }
    const float *panel = p->panel;
    const int64_t step = p->step, panel_step = p->panel_step;
    int64_t at = 0;
    for (int64_t segment = 0; segment < p->segments; segment++) {
        for (int64_t k = 0; k < p->length; k++) {
            vec column[MAX_VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                column[v] = load(panel + v * LANES);
                if (rows > 1) {
                    IN_REGISTER(column[v]);
                }
            }
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                vec value = broadcast(row[r][at]);
#pragma GCC unroll 4
                for (int v = 0; v < vectors; v++) sum[r][v] += value * column[v];
            }
            __builtin_prefetch(row[0] + at + ahead, 0, 2);
            panel += panel_step;
            at += step;
        }
        at += p->skip;
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            if (!start) sum[r][v] += load(out + r * out_step + v * LANES);
            store(out + r * out_step + v * LANES, sum[r][v]);
        }
}

/* The compiler makes one function for each size, with the loops over r and v unrolled. */
#define SIZED(rows, vectors) \
    static void product_##rows##_##vectors(const Product *p) { product_of(rows, vectors, p); }
#define ROWS_1_TO_8(make, v) \
    make(1, v) make(2, v) make(3, v) make(4, v) make(5, v) make(6, v) make(7, v) make(8, v)
ROWS_1_TO_8(SIZED, 1)
ROWS_1_TO_8(SIZED, 2)
ROWS_1_TO_8(SIZED, 3)
ROWS_1_TO_8(SIZED, 4)

#define NAMED(rows, vectors) product_##rows##_##vectors,
static void (*const PRODUCTS[MAX_VECTORS][MAX_ROWS])(const Product *) = {
    {ROWS_1_TO_8(NAMED, 1)},
    {ROWS_1_TO_8(NAMED, 2)},
    {ROWS_1_TO_8(NAMED, 3)},
    {ROWS_1_TO_8(NAMED, 4)},
};

INLINE void product(int64_t rows, int64_t vectors, const Product *p) {
    PRODUCTS[vectors - 1][rows - 1](p);
}

/* The terms of a sum that all rows add before any adds the next: a slice of the panel then stays
   in the nearest cache where all of it would not (`most`; 0: it may). What is summed so far is
   stored and loaded again, which changes no bit. For few rows it would not pay. */
INLINE int64_t slice_of(int64_t length, int64_t rows, int64_t most) {
    if (most == 0 || length <= most || rows <= 2 * MAX_ROWS) return length;
    int64_t slices = (length + most - 1) / most;
    return (length + slices - 1) / slices;
}

/* `count` rows in blocks that are as equal as may be: the size of block `index`. */
INLINE int64_t next_block(int64_t left, int64_t most) {
    int64_t blocks = (left + most - 1) / most;
    return (left + blocks - 1) / blocks;
}

#endif
