/* The table that folds characters, as `native.py` packs it, and how a folded one is written. */
#ifndef SAFEBELT_FOLD_H
#define SAFEBELT_FOLD_H

#include <Python.h>

#include "_entries.h"

#define BLOCK_BITS 7
#define BLOCK (1u << BLOCK_BITS)
#define BLOCKS (0x110000u >> BLOCK_BITS)

typedef struct {
    const uint16_t *index;
    const uint32_t *entries, *spans, *flat;
    Py_ssize_t blocks, rows, letters, hidden;
} Table;

/* Take a table's buffers apart; every place they can lead to is checked where it is used. */
static int take_table(Table *table, const Py_buffer *views, Py_ssize_t hidden) {
    if (views[0].len != (Py_ssize_t)(BLOCKS * sizeof(uint16_t)) || views[1].len % (BLOCK * sizeof(uint32_t)) != 0 ||
        views[2].len % (2 * sizeof(uint32_t)) != 0 || views[3].len % sizeof(uint32_t) != 0) {
        PyErr_SetString(PyExc_ValueError, "not a folding table");
        return -1;
    }
    table->index = views[0].buf;
    table->entries = views[1].buf;
    table->spans = views[2].buf;
    table->flat = views[3].buf;
    table->blocks = views[1].len / (Py_ssize_t)(BLOCK * sizeof(uint32_t));
    table->rows = views[2].len / (Py_ssize_t)(2 * sizeof(uint32_t));
    table->letters = views[3].len / (Py_ssize_t)sizeof(uint32_t);
    table->hidden = hidden;
    return 0;
}

static int astray(void) {
    PyErr_SetString(PyExc_ValueError, "the folding table leads nowhere");
    return -1;
}

/* Whether every place of a table leads into it, but for rows: then folding one to one has nothing to check. */
static inline int leads_into(const Table *table) {
    for (size_t i = 0; i < BLOCKS; i++)
        if ((Py_ssize_t)table->index[i] >= table->blocks) return 0;
    return 1;
}

/* Write one character in UTF-8; return where the next one goes. */
static inline uint8_t *write_one(uint8_t *data, uint32_t code) {
    if (code < 0x80) {
        *data++ = (uint8_t)code;
    } else if (code < 0x800) {
        *data++ = (uint8_t)(0xC0 | code >> 6);
        *data++ = (uint8_t)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *data++ = (uint8_t)(0xE0 | code >> 12);
        *data++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *data++ = (uint8_t)(0x80 | (code & 0x3F));
    } else {
        *data++ = (uint8_t)(0xF0 | (code >> 18 & 0x07));
        *data++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
        *data++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        *data++ = (uint8_t)(0x80 | (code & 0x3F));
    }
    return data;
}

#endif
