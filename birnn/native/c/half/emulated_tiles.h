/* Tiles in plain loops, written from the pseudocode of Intel's manual: for tests alone.

   EMULATE_TILES is 1 for the manual's order of sums, 2 for another, 3 for sums that are wrong. */

#ifndef BIRNN_EMULATED_TILES_H
#define BIRNN_EMULATED_TILES_H

#include <math.h>

static _Thread_local uint32_t TILE_OF[8][TILE][TILE];

static void tile_load(int tile, const void *from, int64_t bytes) {
    for (int row = 0; row < TILE; row++)
        memcpy(TILE_OF[tile][row], (const char *)from + row * bytes, sizeof(TILE_OF[tile][row]));
}

static void tile_store(int tile, void *to, int64_t bytes) {
    for (int row = 0; row < TILE; row++)
        memcpy((char *)to + row * bytes, TILE_OF[tile][row], sizeof(TILE_OF[tile][row]));
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void tile_multiply(int sum, int left, int right) {
    for (int m = 0; m < TILE; m++)
        for (int n = 0; n < TILE; n++) {
            float even = 0, odd = 0;
            for (int k = 0; k < TILE; k++) {
                const uint32_t a = TILE_OF[left][m][k], b = TILE_OF[right][k][n];
                even = fmaf(float_of(a << 16), float_of(b << 16), even);
                odd = fmaf(float_of(a & 0xffff0000), float_of(b & 0xffff0000), odd);
            }
            const float before = float_of(TILE_OF[sum][m][n]);
            const float next = EMULATE_TILES == 1   ? before + (even + odd)
                               : EMULATE_TILES == 2 ? before + even + odd
                                                    : before + even;
            memcpy(&TILE_OF[sum][m][n], &next, sizeof(next));
        }
}

static void tiles_begin(const void *shape) { (void)shape; }
static void tiles_end(void) {}

#endif
