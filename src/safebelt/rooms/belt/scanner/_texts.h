/* A folded text as the loops in C read it, and masks that say of 64 of its characters at once which are letters. */
#ifndef SAFEBELT_TEXTS_H
#define SAFEBELT_TEXTS_H

#include <Python.h>
#include <stdint.h>

#include "_entries.h"

/* A folded text: bytes of ASCII, or entries. */
typedef struct {
    const uint8_t *ascii;
    const uint32_t *entries;
    uint32_t size;
} Text;

static inline int is_letter(uint32_t code) { return (code - 'a' < 26u) | (code - '0' < 10u); }

static inline uint32_t code_at(const Text *text, uint32_t place) {
    return text->ascii ? text->ascii[place] : CODE(text->entries[place]);
}

/* A bit for each character of a text: letters; those that stand alone. */
typedef struct {
    uint64_t *letters, *alone;
    size_t size;
} Masks;

/* Read eight bytes as a number, the first one lowest. */
static inline uint64_t eight(const uint8_t *from) {
    uint64_t all = 0;
    for (unsigned i = 0; i < 8; i++) all |= (uint64_t)from[i] << 8 * i;
    return all;
}

/* Make bits of 64 bytes that are 0 or 1: the product brings the eight of each eighth together. */
static inline uint64_t gathered(const uint8_t *flags) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < 64; i += 8) bits |= (eight(flags + i) * 0x0102040810204080u >> 56) << i;
    return bits;
}

/* Set one block of masks: bits of letters of scripts with blanks between words, and of those without. */
static void look_at_block(const Text *text, uint32_t from, uint64_t *words, uint64_t *signs) {
    uint8_t flags[64] = {0}, others[64] = {0};
    uint32_t count = Py_MIN(text->size - from, 64);
    if (text->ascii)
        for (uint32_t i = 0; i < count; i++) flags[i] = (uint8_t)is_letter(text->ascii[from + i]);
    else
        for (uint32_t i = 0; i < count; i++) {
            uint8_t kind = CLASS(text->entries[from + i]);
            flags[i] = kind == 'w';
            others[i] = kind == 'h';
        }
    *words = gathered(flags);
    *signs = text->ascii ? 0 : gathered(others);
}

static int make_masks(const Text *text, Masks *masks) {
    masks->size = ((size_t)text->size + 63) / 64;
    masks->letters = PyMem_Malloc((masks->size + 1) * 2 * sizeof(uint64_t));
    if (masks->letters == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    masks->alone = masks->letters + masks->size + 1;
    uint64_t before = 0, words, others, next, next_others;
    masks->letters[masks->size] = masks->alone[masks->size] = 0;
    if (text->size) look_at_block(text, 0, &words, &others);
    for (size_t block = 0; block < masks->size; block++) {
        next = next_others = 0;
        if (block + 1 < masks->size) look_at_block(text, (uint32_t)(block + 1) * 64, &next, &next_others);
        masks->alone[block] = others | (words & ~(words << 1 | before >> 63) & ~(words >> 1 | next << 63));
        masks->letters[block] = words | others;
        before = words;
        words = next;
        others = next_others;
    }
    return 0;
}

static inline int has_bit(const uint64_t *mask, uint32_t at) { return mask[at / 64] >> at % 64 & 1; }

#endif
