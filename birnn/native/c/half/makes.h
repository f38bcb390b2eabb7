/* Which make of product runs here, and what a thread does before and after its tiles. */

#ifndef BIRNN_MAKES_H
#define BIRNN_MAKES_H

#include "tiles.h"

/* Scan.half; the last two are what it is PAIRS for. */
enum { NO_HALVES, PAIRS, TILES, TILES_ALONE, PAIRS_NO_GRANT, PAIRS_NO_TRUST };

INLINE void half_product(int64_t make, int64_t vectors, const Halves *p) {
    if (make == PAIRS)
        pairs_product(vectors, p);
    else
        tiles_product(vectors, p, make == TILES ? FEW_ROWS : 1);
}

/* How many of `left` rows come next in a product that is used at once: as many as its make does
   side by side, in whole tiles or in blocks as equal as may be. */
INLINE int64_t rows_at_once(int64_t make, int64_t vectors, int64_t left) {
    if (make == PAIRS) return next_block(left, ROWS_BESIDE(vectors));
    return left < 2 * TILE ? left : 2 * TILE;
}

#if HAS_TILES

/* As tiles treat them, denormal numbers are 0 (flush to zero, denormals are zero). */
#define NO_DENORMALS 0x8040

static unsigned begin_tiles(void) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    for (int i = 0; i < 8; i++) shape.bytes[i] = 4 * TILE, shape.rows[i] = TILE;
    WRITTEN(&shape);
    tiles_begin(&shape);
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | NO_DENORMALS);
    return before;
}

static void end_tiles(unsigned before) {
    tiles_end();
    _mm_setcsr(before);
}

/* Whether the processor has tiles in bfloat16, and the system lets this process use them. */
static int tiles_granted(void) {
#ifdef EMULATE_TILES
    return 1;
#else
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d >> 22 & 1) || !(d >> 24 & 1)) return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low >> 17 & 3) != 3) return 0; /* what tiles hold is kept when another process runs */
    return !syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* tiles' data */);
#endif
}

/* Which make tiles are good for: a small product of them beside the same by vectors. Where they
   sum in the manual's order, vectors may compute a few rows; where they don't, tiles compute all
   rows, so that a row is always summed alike. */
static int64_t make_of_tiles(void) {
    enum { ROWS = 3 * TILE, DEPTH_HERE = 3 * TILE, COLUMNS = 3 * LANES };
    static uint32_t rows[ROWS * DEPTH_HERE], panel[DEPTH_HERE * COLUMNS];
    static float start[ROWS * COLUMNS], ours[ROWS * COLUMNS], theirs[ROWS * COLUMNS];
    uint32_t state = 1; /* factors of both signs, from 2^-7 up to 2 */
    for (int i = 0; i < ROWS * DEPTH_HERE + DEPTH_HERE * COLUMNS; i++) {
        state = state * 1664525 + 1013904223;
        const uint32_t word = (state & 0x83ff83ff) | 0x3c003c00;
        if (i < ROWS * DEPTH_HERE)
            rows[i] = word;
        else
            panel[i - ROWS * DEPTH_HERE] = word;
    }
    for (int i = 0; i < ROWS * COLUMNS; i++) start[i] = (float)(i % 7) - 3.1f;
    Halves p = {.rows = rows, .row_step = DEPTH_HERE, .count = 2 * TILE + FEW_ROWS};
    p.pairs = DEPTH_HERE, p.panel = panel, p.panel_step = COLUMNS;
    p.start = start, p.start_step = p.out_step = COLUMNS;
    const unsigned before = begin_tiles();
    p.out = theirs;
    tiles_product(3, &p, 1);
    p.out = ours;
    ordered_product(3, &p);
    end_tiles(before);
    if (!memcmp(ours, theirs, (size_t)(p.count * COLUMNS) * sizeof(float))) return TILES;
    for (int i = 0; i < p.count * COLUMNS; i++)
        if (!(ours[i] - theirs[i] < 1e-3f && theirs[i] - ours[i] < 1e-3f)) return PAIRS_NO_TRUST;
    return TILES_ALONE;
}

static int64_t best_make(void) { return tiles_granted() ? make_of_tiles() : PAIRS_NO_GRANT; }

#else
static unsigned begin_tiles(void) { return 0; }
static void end_tiles(unsigned before) { (void)before; }
static int64_t best_make(void) { return PAIRS; }
#endif

#endif
