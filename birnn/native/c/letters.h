/* Convolutions over the letters of words, each at its maximum over a word's windows.

   Letters: U words, C numbers of a letter's vector, W letters a window holds, F filters, and
   J = ceil(F / LANES). The vectors of all letters lie in one row, with at least W - 1 zeros
   before and after each word: a window is W * C numbers in a row, and only such as hold a letter
   of the word are met. Where several are largest, the first is. Words, and on the way back
   filters too, don't wait for each other: any number of threads may take them. */

#ifndef BIRNN_LETTERS_H
#define BIRNN_LETTERS_H

#include "layout.h"

typedef struct {
    int64_t words, size, width, filters;
    int64_t step;          /* floats from a word's answer to the next one's */
    const int64_t *start;  /* [U], the place of a word's first letter */
    const int64_t *length; /* [U] */
    const float *vectors;  /* [M][C] */
    const float *panel;    /* [W * C][J * LANES], the weights; what is no filter is 0 */
    const float *weights;  /* [F][W * C], the same */
    const float *bias;     /* [J * LANES] */
    float *largest;        /* [U][step] */
    int32_t *place;        /* [U][step], where the largest window begins, from the first one */
    const float *gradient; /* [U][step], of `largest` */
    float *vector_gradient;                 /* [M][C], set to 0 */
    float *weight_gradient, *bias_gradient; /* [F][W * C], [F] */
    _Atomic int64_t next;                   /* the task that is taken next */
} Letters;

/* The largest of `rows` windows more, of `vectors` groups of filters. */
static void letters_meet(const float *found, int64_t rows, int64_t vectors, int64_t first,
                         vec *best, ivec *place) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t v = 0; v < vectors; v++) {
            vec value = load(found + (r * vectors + v) * LANES);
            ivec higher = (ivec)(value > best[v]) | (ivec)(value != value); /* a NaN stays */
            best[v] = choose(higher, value, best[v]);
            place[v] = (higher & ((ivec){0} + (int32_t)(first + r))) | (~higher & place[v]);
        }
}

/* The filters of `vectors` groups from group j on, over a word. */
static void letters_groups(const Letters *l, int64_t word, int64_t j, int64_t vectors) {
    const int64_t columns = groups_of(l->filters) * LANES, windows = l->length[word] + l->width - 1;
    const float *first = l->vectors + (l->start[word] - l->width + 1) * l->size;
    float found[MAX_ROWS * MAX_VECTORS * LANES];
    vec best[MAX_VECTORS];
    ivec place[MAX_VECTORS];
    for (int64_t v = 0; v < vectors; v++) {
        best[v] = broadcast(-INFINITY);
        place[v] = (ivec){0};
    }
    for (int64_t at = 0, rows; at < windows; at += rows) {
        rows = next_block(windows - at, ROWS_BESIDE(vectors));
        Product p = {.step = 1, .length = l->width * l->size, .segments = 1};
        for (int64_t r = 0; r < rows; r++) p.rows[r] = first + (at + r) * l->size;
        p.panel = l->panel + j * LANES;
        p.panel_step = columns;
        p.start = l->bias + j * LANES;
        p.out = found;
        p.out_step = vectors * LANES;
        product(rows, vectors, &p);
        letters_meet(found, rows, vectors, at, best, place);
    }
    for (int64_t v = 0; v < vectors; v++) {
        const int64_t column = (j + v) * LANES, width = width_of(l->filters, j + v);
        store_some(l->largest + word * l->step + column, best[v], width);
        memcpy(l->place + word * l->step + column, &place[v], (size_t)width * sizeof(int32_t));
    }
}

/* What a word's largest windows teach its letters. */
static void letters_back(const Letters *l, int64_t word) {
    const int64_t length = l->length[word], start = l->start[word];
    for (int64_t f = 0; f < l->filters; f++) {
        const float given = l->gradient[word * l->step + f];
        const int64_t place = l->place[word * l->step + f] - l->width + 1;
        /* No zero beside the word is touched: another thread may stand there. */
        const int64_t from = place < 0 ? -place : 0;
        const int64_t to = place + l->width > length ? length - place : l->width;
        const float *weights = l->weights + (f * l->width + from) * l->size;
        float *gradient = l->vector_gradient + (start + place + from) * l->size;
        for (int64_t i = 0; i < (to - from) * l->size; i++) gradient[i] += given * weights[i];
    }
}

/* What all words teach a filter, one after the other. */
static void letters_filter(const Letters *l, int64_t f) {
    const int64_t terms = l->width * l->size;
    float *gradient = l->weight_gradient + f * terms, sum = 0.0f;
    memset(gradient, 0, (size_t)terms * sizeof(float));
    for (int64_t word = 0; word < l->words; word++) {
        const float given = l->gradient[word * l->step + f];
        const int64_t place = l->start[word] + l->place[word * l->step + f] - l->width + 1;
        const float *window = l->vectors + place * l->size;
        for (int64_t i = 0; i < terms; i++) gradient[i] += given * window[i];
        sum += given;
    }
    l->bias_gradient[f] = sum;
}

/* Take tasks until none is left: words; on the way back filters, then words. */
void birnn_letters(void *letters) {
    Letters *l = letters;
    const int64_t groups = groups_of(l->filters);
    for (int64_t word; (word = atomic_fetch_add(&l->next, 1)) < l->words;)
        for (int64_t j = 0, vectors; j < groups; j += vectors) {
            vectors = next_block(groups - j, MAX_VECTORS);
            letters_groups(l, word, j, vectors);
        }
}

void birnn_letters_back(void *letters) {
    Letters *l = letters;
    for (int64_t task; (task = atomic_fetch_add(&l->next, 1)) < l->filters + l->words;)
        if (task < l->filters)
            letters_filter(l, task);
        else
            letters_back(l, task - l->filters);
}

#endif
