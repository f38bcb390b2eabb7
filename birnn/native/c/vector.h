/* One vector register of floats, and the two curves that gates need.

   GCC's and Clang's vector extension stands for the registers of any processor: arithmetic
   on a `vec` is arithmetic on all its lanes, and a * b + c becomes one fused instruction. */

#ifndef BIRNN_VECTOR_H
#define BIRNN_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

/* aligned(4): rows begin where they like; such loads cost nothing extra today. */
typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *from) { return *(const vec *)from; }
INLINE void store(float *to, vec value) { *(vec *)to = value; }
INLINE vec broadcast(float value) { return value - (vec){0}; }

/* The first `width` lanes alone; the others are 0 when loaded and left alone when stored. */
INLINE vec load_some(const float *from, int64_t width) {
    if (width >= LANES) return load(from);
    vec value = {0};
    memcpy(&value, from, (size_t)width * sizeof(float));
    return value;
}

INLINE void store_some(float *to, vec value, int64_t width) {
    if (width >= LANES)
        store(to, value);
    else
        memcpy(to, &value, (size_t)width * sizeof(float));
}

INLINE vec choose(ivec condition, vec yes, vec no) {
    return (vec)((condition & (ivec)yes) | (~condition & (ivec)no));
}

/* Lanes of a and b in turns: the lower halves, and the upper. */
#if defined(__clang__)
#define TURNS(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define TURNS(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif
#if LANES == 16
#define LOWER(a, b) TURNS(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define UPPER(a, b) TURNS(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif LANES == 8
#define LOWER(a, b) TURNS(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define UPPER(a, b) TURNS(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOWER(a, b) TURNS(a, b, 0, 4, 1, 5)
#define UPPER(a, b) TURNS(a, b, 2, 6, 3, 7)
#endif

/* LANES vectors as the rows of a matrix: it is transposed (each round is a perfect shuffle of
   rows, Stone 1971; after log2(LANES) of them rows are columns). */
INLINE void transpose(vec *rows) {
#pragma GCC unroll 4
    for (int round = 1; round < LANES; round *= 2) {
        vec next[LANES];
#pragma GCC unroll 8
        for (int i = 0; i < LANES / 2; i++) {
            next[2 * i] = LOWER(rows[i], rows[i + LANES / 2]);
            next[2 * i + 1] = UPPER(rows[i], rows[i + LANES / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++) rows[i] = next[i];
    }
}

/* exp(x) - 1 and the power of two beside it, for |x| below 87.

   x = n ln 2 + r with |r| <= ln 2 / 2 (Cody & Waite 1980: ln 2 in two parts, the first exact),
   then the Taylor series of exp(r) - 1 to r^7, whose rest is below 6e-9.
   exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1) keeps its relative precision near 0. */
INLINE vec exp_minus_1(vec x) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number */
    vec shifted = x * 1.44269504f + magic;
    vec n = shifted - magic;
    vec r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    vec p = r * (1.0f / 5040) + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r;
    vec power = (vec)(((ivec)shifted << 23) + 0x3f800000); /* 2^n, written as a float's bits */
    return p * power + (power - 1.0f);
}

INLINE vec clamp(vec x, float limit) {
    x = choose(x > limit, broadcast(limit), x); /* a NaN compares false and stays */
    return choose(x < -limit, broadcast(-limit), x);
}

/* tanh x = E / (E + 2) with E = exp(2x) - 1; from |x| = 10 on it is 1 in float32. */
INLINE vec tanh_vec(vec x) {
    vec e = exp_minus_1(2.0f * clamp(x, 10.0f));
    return e / (e + 2.0f);
}

/* 1 / (1 + exp(-x)) */
INLINE vec sigmoid_vec(vec x) { return 1.0f / (exp_minus_1(clamp(-x, 80.0f)) + 2.0f); }

#endif
