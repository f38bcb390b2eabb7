/* Products in tiles (Intel AMX): 16 rows of 32 factors times 16 pairs of 16 columns at once.

   How a tile sums is in Intel's manual of instructions (TDPBF16PS): over its 16 pairs the first
   factors' products are summed apart from the second ones', from zero and with one rounding each,
   then both together, and that is added to what stood there; denormal numbers are 0. A few rows
   do the same by vectors, to the bit, which is quicker for them and is what tiles are checked by.

   EMULATE_TILES: in plain loops, for tests on a processor without them. */

#ifndef BIRNN_TILES_H
#define BIRNN_TILES_H

#include "product.h"

#define FEW_ROWS 4 /* below, vectors are quicker than a tile that is mostly empty */

#if defined(EMULATE_TILES)
#define HAS_TILES 1
#include "emulated_tiles.h"
#elif defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__linux__)
#define HAS_TILES 1
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#define tile_load(tile, from, bytes) _tile_loadd(tile, from, bytes)
#define tile_store(tile, to, bytes) _tile_stored(tile, to, bytes)
#define tile_multiply(sum, left, right) _tile_dpbf16ps(sum, left, right)
#define tiles_begin(shape) _tile_loadconfig(shape)
#define tiles_end() _tile_release()
#else
#define HAS_TILES 0
#endif

/* What tiles read at an address has been written: GCC 12 doesn't tell its optimizer that they do. */
#define WRITTEN(address) __asm__ volatile("" : : "r"(address) : "memory")

/* Up to 3 rows in the order of tiles: sums of the first and the second factors of 16 pairs. */
INLINE void ordered_rows(const int rows, const int vectors, const Halves *p) {
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors * LANES; v += LANES)
            store(p->out + r * p->out_step + v, load(p->start + r * p->start_step + v));
    for (int64_t k = 0; k < p->pairs; k += TILE) {
        __m512 first[FEW_ROWS][MAX_VECTORS], second[FEW_ROWS][MAX_VECTORS];
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) first[r][v] = second[r][v] = _mm512_setzero_ps();
        for (int64_t i = k; i < k + TILE; i++) {
            __m512i column[MAX_VECTORS];
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                column[v] = load_words(p->panel + i * p->panel_step + v * LANES);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++) {
                const __m512i factor = _mm512_set1_epi32((int)p->rows[r * p->row_step + i]);
                const __m512 one = (__m512)_mm512_slli_epi32(factor, 16);
                const __m512 two = (__m512)_mm512_and_si512(factor, upper);
#pragma GCC unroll 4
                for (int v = 0; v < vectors; v++) {
                    first[r][v] = _mm512_fmadd_ps(
                        one, (__m512)_mm512_slli_epi32(column[v], 16), first[r][v]);
                    second[r][v] = _mm512_fmadd_ps(
                        two, (__m512)_mm512_and_si512(column[v], upper), second[r][v]);
                }
            }
        }
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                float *out = p->out + r * p->out_step + v * LANES;
                store(out, load(out) + ((vec)first[r][v] + (vec)second[r][v]));
            }
    }
}

/* All rows of `p` that way. */
static void ordered_product(int64_t vectors, const Halves *p) {
    for (int64_t i = 0, block; i < p->count; i += block) {
        block = next_block(p->count - i, vectors > 3 ? 2 : 3);
        const Halves part = rows_from(p, i, block);
        switch (4 * block + vectors - 1) {
#define ORDERED(rows, vectors) \
    case 4 * rows + vectors - 1: ordered_rows(rows, vectors, &part); break;
#define ORDERED_ROWS(rows) ORDERED(rows, 1) ORDERED(rows, 2) ORDERED(rows, 3) ORDERED(rows, 4)
            ORDERED_ROWS(1)
            ORDERED_ROWS(2)
            ORDERED_ROWS(3)
        }
    }
}

#if HAS_TILES

/* Tiles 0 to 3 are sums (two of rows by two of columns), 4 and 5 rows, 6 and 7 the panel. */
INLINE void tiles_beside(const int down, const int across, const Halves *p, int64_t column) {
    const int64_t start_bytes = 4 * p->start_step, out_bytes = 4 * p->out_step;
    const int64_t row_bytes = 4 * p->row_step, panel_bytes = 4 * p->panel_step;
    const float *start = p->start + column, *below = start + TILE * p->start_step;
    tile_load(0, start, start_bytes);
    if (across > 1) tile_load(1, start + LANES, start_bytes);
    if (down > 1) tile_load(2, below, start_bytes);
    if (down > 1 && across > 1) tile_load(3, below + LANES, start_bytes);
    for (int64_t k = 0; k < p->pairs; k += TILE) {
        const uint32_t *row = p->rows + k, *panel = p->panel + k * p->panel_step + column;
        tile_load(4, row, row_bytes);
        if (down > 1) tile_load(5, row + TILE * p->row_step, row_bytes);
        tile_load(6, panel, panel_bytes);
        if (across > 1) tile_load(7, panel + LANES, panel_bytes);
        tile_multiply(0, 4, 6);
        if (across > 1) tile_multiply(1, 4, 7);
        if (down > 1) tile_multiply(2, 5, 6);
        if (down > 1 && across > 1) tile_multiply(3, 5, 7);
    }
    float *out = p->out + column, *out_below = out + TILE * p->out_step;
    tile_store(0, out, out_bytes);
    if (across > 1) tile_store(1, out + LANES, out_bytes);
    if (down > 1) tile_store(2, out_below, out_bytes);
    if (down > 1 && across > 1) tile_store(3, out_below + LANES, out_bytes);
}

/* One or two tiles of rows by all columns. */
static void whole_tiles(int64_t down, int64_t vectors, const Halves *p) {
    WRITTEN(p->start);
    WRITTEN(p->rows);
    for (int64_t v = 0; v < vectors; v += 2) {
        if (down > 1 && v + 1 < vectors)
            tiles_beside(2, 2, p, v * LANES);
        else if (down > 1)
            tiles_beside(2, 1, p, v * LANES);
        else if (v + 1 < vectors)
            tiles_beside(1, 2, p, v * LANES);
        else
            tiles_beside(1, 1, p, v * LANES);
    }
}

INLINE void copy_rows(const float *from, int64_t from_step, int64_t count, int64_t width, float *to,
                      int64_t to_step) {
    for (int64_t r = 0; r < count; r++)
        for (int64_t v = 0; v < width; v += LANES)
            store(to + r * to_step + v, load(from + r * from_step + v));
}

/* Fewer rows than a tile has: beside theirs nothing may be read or written. */
static void part_of_tile(int64_t vectors, const Halves *p) {
    _Alignas(64) float sums[TILE * MAX_VECTORS * LANES];
    const int64_t width = vectors * LANES;
    Halves whole = *p;
    whole.out = sums;
    whole.out_step = width;
    if (p->start_step) {
        copy_rows(p->start, p->start_step, p->count, width, sums, width);
        whole.start = sums;
        whole.start_step = width;
    }
    whole_tiles(1, vectors, &whole);
    copy_rows(sums, width, p->count, width, p->out, p->out_step);
}

/* In tiles, but fewer rows than `few` by vectors. */
static void tiles_product(int64_t vectors, const Halves *p, int64_t few) {
    Halves all = *p;
    if (!p->start) all.start = p->out, all.start_step = p->out_step;
    for (int64_t i = 0, block; i < all.count; i += block) {
        const int64_t left = all.count - i;
        block = left >= 2 * TILE ? 2 * TILE : left >= TILE ? TILE : left;
        const Halves part = rows_from(&all, i, block);
        if (block >= TILE)
            whole_tiles(block / TILE, vectors, &part);
        else if (block >= few)
            part_of_tile(vectors, &part);
        else
            ordered_product(vectors, &part);
    }
}

#else
static void tiles_product(int64_t vectors, const Halves *p, int64_t few) {
    (void)few;
    ordered_product(vectors, p);
}
#endif

#endif
