/* Whether a whole text holds no word at all, the commonest question: folded and looked through in one go, with nothing
 * made of what is found on the way.
 *
 * It says what `fold` in `_fast.c`, `find` and `spelled` in `_words.c` say one after another, and tests hold them alike.
 * Texts are read in blocks of 64 characters; most loops over one have no branches, so that compilers turn them into a
 * processor's wide steps.
 */
#ifndef SAFEBELT_GLANCE_H
#define SAFEBELT_GLANCE_H

#include <Python.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "_find.h"
#include "_fold.h"

#define WIDE 64
/* Bytes that may be read and written behind the last one. */
#define SLACK 16
/* Stands in a byte for every character beyond ASCII. */
#define BEYOND 0x80

/* What is at hand to look with. */
typedef struct {
    Table table;
    const Words *plain, *spelled;
} Eyes;

/* A text on the way.  Every blank is a space in `codes`, which has NOTHING behind it, and in `low`, a byte each. */
typedef struct {
    uint32_t *codes, *entries;
    uint8_t *low, *folded, *data; /* `folded`, of ASCII alone, and `entries`, of others, are the text folded */
    uint64_t *letters, *blanks;   /* letters and digits of ASCII; blanks */
    Masks masks;
    uint32_t size, blocks;
    int has_stars, is_ascii;
} Seen;

/* Make room for a text: one piece, which begins at `letters`. */
static int make_seen(Seen *seen, Py_ssize_t size, int is_ascii) {
    if (size > MOST || size > PY_SSIZE_T_MAX / 32) {
        PyErr_SetString(PyExc_ValueError, "too long a text");
        return -1;
    }
    *seen = (Seen){.size = (uint32_t)size, .blocks = (uint32_t)((size + WIDE - 1) / WIDE), .is_ascii = is_ascii};
    size_t all = (size_t)seen->blocks * WIDE, masks = (size_t)seen->blocks + 1;
    size_t wide = masks * 4 * sizeof(uint64_t) + (all * (is_ascii ? 1 : 2) + BEHIND) * sizeof(uint32_t);
    uint8_t *room = PyMem_Malloc(wide + all + SLACK + (is_ascii ? all : 4 * all) + SLACK);
    if (room == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    seen->letters = (uint64_t *)(void *)room;
    seen->blanks = seen->letters + masks;
    seen->masks = (Masks){seen->blanks + masks, seen->blanks + 2 * masks, seen->blocks};
    seen->codes = (uint32_t *)(void *)(seen->blanks + 3 * masks);
    seen->entries = seen->codes + all + BEHIND;
    seen->low = room + wide;
    seen->folded = seen->data = seen->low + all + SLACK;
    return 0;
}

#ifdef __SSE2__
/* Gather one bit of each of 64 bytes: moved to be the highest of its byte, of which there is an instruction. */
static inline uint64_t bits_of(const uint8_t *kinds, unsigned bit) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < WIDE; i += 16) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)(kinds + i));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_sll_epi16(some, _mm_cvtsi32_si128(7 - (int)bit))) << i;
    }
    return bits;
}
#else
/* The same on other processors: the product brings the eight of each eighth together. */
static inline uint64_t bits_of(const uint8_t *kinds, unsigned bit) {
    uint64_t bits = 0;
    for (unsigned i = 0; i < WIDE; i += 8)
        bits |= ((eight(kinds + i) >> bit & 0x0101010101010101u) * 0x0102040810204080u >> 56) << i;
    return bits;
}
#endif

/* Set what is known of a block by the bytes of its characters. */
static inline void sort_block(Seen *seen, size_t block, uint64_t is_there) {
    const uint8_t *low = seen->low + block * WIDE;
    uint8_t kinds[WIDE], stars = 0;
    for (unsigned i = 0; i < WIDE; i++) {
        uint8_t is_kind = (uint8_t)((uint8_t)(low[i] - 'a') < 26) | (uint8_t)((uint8_t)(low[i] - '0') < 10);
        kinds[i] = (uint8_t)(is_kind | (low[i] == ' ') << 1);
        stars |= low[i] == '*';
    }
    seen->letters[block] = bits_of(kinds, 0) & is_there;
    seen->blanks[block] = bits_of(kinds, 1) & is_there;
    seen->has_stars |= stars;
}

/* Fold a block of ASCII; say whether anything in it is more than a letter to be made small. */
static inline int fold_ascii(Seen *seen, const uint8_t *from, size_t at) {
    uint8_t *folded = seen->folded + at, *low = seen->low + at, hidden = 0;
    uint32_t *codes = seen->codes + at;
    for (unsigned i = 0; i < WIDE; i++) {
        uint8_t code = from[i], is_blank = (code == '\n') | (code == '\t');
        hidden |= (uint8_t)((code < 0x20) & !is_blank) | (uint8_t)(code == 0x7F);
        folded[i] = code = (uint8_t)(code + ((uint8_t)(code - 'A') < 26 ? 0x20 : 0));
        low[i] = is_blank ? ' ' : code;
    }
    for (unsigned i = 0; i < WIDE; i++) codes[i] = low[i];
    return hidden;
}

/* Fold some characters of one width, one to one; the highest bit says that one folds to none or several. */
static inline __attribute__((always_inline)) uint32_t fold_wide(const Table *table, int kind, const void *from,
                                                                size_t count, uint32_t *to) {
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++) {
        Py_UCS4 code = PyUnicode_READ(kind, from, i);
        uint32_t entry = table->entries[((uint32_t)table->index[code >> BLOCK_BITS] << BLOCK_BITS) + (code & (BLOCK - 1))];
        all |= entry;
        to[i] = entry;
    }
    return all;
}

static inline uint32_t fold_some(const Table *table, int kind, const uint8_t *from, size_t count, uint32_t *to) {
    switch (kind) {
    case PyUnicode_1BYTE_KIND: return fold_wide(table, PyUnicode_1BYTE_KIND, from, count, to);
    case PyUnicode_2BYTE_KIND: return fold_wide(table, PyUnicode_2BYTE_KIND, from, count, to);
    default: return fold_wide(table, PyUnicode_4BYTE_KIND, from, count, to);
    }
}

/* Take a block's entries apart: characters; and those that a word spelled out can be of. */
static inline void part_block(Seen *seen, size_t block, uint64_t *words, uint64_t *signs) {
    const uint32_t *entries = seen->entries + block * WIDE;
    uint32_t *codes = seen->codes + block * WIDE;
    uint8_t *low = seen->low + block * WIDE, kinds[WIDE];
    for (unsigned i = 0; i < WIDE; i++) {
        int32_t code = (int32_t)CODE(entries[i]); /* signs are compared in fewer steps */
        codes[i] = (uint32_t)(code = ((code - '\t') & ~1) == 0 ? ' ' : code); /* and '\n', the next one */
        low[i] = (uint8_t)(code < BEYOND ? code : BEYOND);
    }
    for (unsigned i = 0; i < WIDE; i++) {
        uint8_t kind = CLASS(entries[i]);
        kinds[i] = (uint8_t)((kind == 'w') | (kind == 'h') << 1);
    }
    *words = bits_of(kinds, 0);
    *signs = bits_of(kinds, 1);
}

/* Set the bits of letters that stand alone, from those of scripts with blanks between words and of those without, which
 * stand in their places until then. */
static void set_alone(Masks *masks) {
    uint64_t before = 0;
    for (size_t block = 0; block < masks->size; block++) {
        uint64_t words = masks->letters[block], others = masks->alone[block];
        uint64_t next = block + 1 < masks->size ? masks->letters[block + 1] : 0;
        masks->alone[block] = others | (words & ~(words << 1 | before >> 63) & ~(words >> 1 | next << 63));
        masks->letters[block] = words | others;
        before = words;
    }
    masks->letters[masks->size] = masks->alone[masks->size] = 0;
}

static inline uint64_t there(size_t count) { return count < WIDE ? ((uint64_t)1 << count) - 1 : UINT64_MAX; }

/* See a text of ASCII; say whether it has to be folded by the table. */
static int see_ascii(Seen *seen, const uint8_t *from) {
    int hidden = 0;
    for (size_t block = 0; block < seen->blocks; block++) {
        size_t at = block * WIDE, count = Py_MIN(seen->size - at, WIDE);
        uint8_t last[WIDE];
        if (count < WIDE) memcpy(memset(last, ' ', WIDE), from + at, count);
        hidden |= fold_ascii(seen, count < WIDE ? last : from + at, at);
        sort_block(seen, block, there(count));
        seen->masks.letters[block] = seen->letters[block];
        seen->masks.alone[block] = 0;
    }
    return hidden;
}

/* See any text; say whether a character of it folds to none or several. */
static int see_by_table(Seen *seen, const Table *table, int kind, const uint8_t *from) {
    uint32_t all = 0;
    for (size_t block = 0; block < seen->blocks; block++) {
        size_t at = block * WIDE, count = Py_MIN(seen->size - at, WIDE);
        uint32_t *entries = seen->entries + at;
        for (size_t i = count; i < WIDE; i++) entries[i] = ' ';
        all |= fold_some(table, kind, from + at * (size_t)kind, count, entries);
        part_block(seen, block, &seen->masks.letters[block], &seen->masks.alone[block]);
        sort_block(seen, block, there(count));
    }
    return (all & SEVERAL) != 0;
}

/* Whether stars or blanks make a text's plain view another than itself. */
static int has_many(const Seen *seen) {
    uint64_t found = (uint64_t)seen->has_stars, before = 0;
    for (size_t block = 0; block < seen->blocks; block++) {
        found |= seen->blanks[block] & (seen->blanks[block] << 1 | before >> 63);
        before = seen->blanks[block];
    }
    return found != 0;
}

/* Return where a run of bits ends. */
static inline uint32_t run_end(const uint64_t *mask, uint32_t at) {
    size_t block = at / 64;
    uint64_t ends = ~mask[block] >> at % 64 << at % 64;
    while (!ends) ends = ~mask[++block]; /* the one behind a text's last is 0 */
    return (uint32_t)block * 64 + (uint32_t)__builtin_ctzll(ends);
}

/* Bits of the places of a block, of those given, where letters stand that may begin a word. */
static inline uint64_t begun(const Words *words, const uint32_t *codes, uint64_t places) {
    uint64_t found = 0;
    for (; places; places &= places - 1) {
        unsigned i = (unsigned)__builtin_ctzll(places);
        uint64_t is_begun = is_marked(&words->begin, mixed(codes[i], codes[i + 1]));
        if (words->has_single) is_begun |= is_marked(&words->begin, mixed(codes[i], ALONE));
        found |= is_begun << i;
    }
    return found;
}

/* The same of places where letters of ASCII begin, by all of them up to a boundary. */
static inline uint64_t begun_alike(const Words *words, const Seen *seen, uint32_t from, uint64_t places) {
    uint64_t found = 0;
    for (; places; places &= places - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(places), at = from + i;
        uint32_t mixture = bytes_mixed(eight(seen->low + at), run_end(seen->letters, at) - at);
        found |= (uint64_t)is_marked(&words->whole, mixture) << i;
    }
    return found;
}

/* Whether a word stands at one of some places of a block, alone; negative with an exception. */
static int stands(const Words *words, const Text *text, const View *view, uint32_t from, uint64_t places, Hits *hits) {
    for (; places; places &= places - 1) {
        uint32_t at = from + (uint32_t)__builtin_ctzll(places);
        if (!may_begin(words, view, at)) continue;
        hits->size = 0;
        if (words_at(words, view, at, hits) < 0) return -1;
        settle(view, text, 0, hits);
        if (hits->size > 0) return 1;
    }
    return 0;
}

/* Whether a text shows a word, where its plain view is itself: what `find_in` asks of each place, by masks. */
static int shows(const Seen *seen, const Words *words, const Text *text, Hits *hits) {
    View view = {seen->codes, NULL, seen->size};
    uint64_t before = 0, over = words->starts[' '] ? 0 : UINT64_MAX;
    int said = 0;
    for (size_t block = 0; block < seen->blocks && said == 0; block++) {
        uint32_t from = (uint32_t)block * WIDE;
        uint64_t letters = seen->letters[block], others = ~letters & ~(seen->blanks[block] & over);
        uint64_t places = begun_alike(words, seen, from, letters & ~(letters << 1 | before >> 63));
        places |= begun(words, seen->codes + from, others & there(seen->size - from));
        said = stands(words, text, &view, from, places, hits);
        before = letters;
    }
    return said;
}

/* The same of a text with stars, or blanks in a row. */
static int shows_any(const Words *words, const Text *text, Hits *hits) {
    View view;
    if (make_view(text, &view) < 0) return -1;
    fill_view(words, text, &view);
    int said = find_in(words, text, &view, hits);
    PyMem_Free(view.codes);
    return said < 0 ? -1 : hits->size > 0;
}

/* Write a character beyond ASCII in UTF-8; return where the next one goes. */
static inline uint8_t *write_beyond(uint8_t *data, uint32_t code) {
    if (code - 0x800 >= 0x10000 - 0x800) return write_one(data, code);
    data[0] = (uint8_t)(0xE0 | code >> 12);
    data[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    data[2] = (uint8_t)(0x80 | (code & 0x3F));
    return data + 3;
}

/* Write a block in UTF-8, every blank a space, what is of ASCII sixteen characters at a time; return where it ends. */
static inline uint8_t *write_block(const Seen *seen, size_t at, uint8_t *data) {
    const uint8_t *low = seen->low + at;
    unsigned count = (unsigned)Py_MIN(seen->size - at, WIDE), end;
    uint64_t beyond = bits_of(low, 7);
    for (unsigned i = 0; i < count; i = end) {
        uint64_t rest = beyond >> i;
        for (end = i; rest & 1; rest >>= 1) data = write_beyond(data, seen->codes[at + end++]);
        if (end >= count) break;
        i = end;
        end = rest ? i + (unsigned)__builtin_ctzll(rest) : count;
        for (unsigned from = i; from < end; from += 16) memcpy(data + (from - i), low + from, 16);
        data += end - i;
    }
    return data;
}

static uint8_t *write_all(const Seen *seen) {
    uint8_t *data = seen->data;
    for (size_t block = 0; block < seen->blocks; block++) data = write_block(seen, block * WIDE, data);
    return data;
}

/* Return a text folded, every blank a space; None where a character may have moved, or it shows or may spell a word. */
static PyObject *answered(Seen *seen, const Eyes *eyes, Hits *hits) {
    Text text = {seen->is_ascii ? seen->folded : NULL, seen->entries, seen->size};
    for (unsigned i = 0; i < BEHIND; i++) seen->codes[seen->size + i] = NOTHING;
    seen->letters[seen->blocks] = 0;
    int said = has_many(seen) ? shows_any(eyes->plain, &text, hits) : shows(seen, eyes->plain, &text, hits);
    if (said != 0) return said < 0 ? NULL : Py_NewRef(Py_None);
    const uint8_t *data = seen->is_ascii ? seen->low : seen->data, *end = data + seen->size;
    if (!seen->is_ascii) end = write_all(seen);
    View run = {seen->codes, NULL, 0}; /* which are looked at no more */
    set_alone(&seen->masks);
    if ((said = runs_in(eyes->spelled, &text, &seen->masks, &run, hits, NULL)) != 0)
        return said < 0 ? NULL : Py_NewRef(Py_None);
    return PyBytes_FromStringAndSize((const char *)data, end - data);
}

/* Return the answer; and whether it has to be asked for `again`, of a text of ASCII that is to be seen by the table. */
static PyObject *glanced(const Eyes *eyes, PyObject *text, int is_ascii, int *again) {
    Seen seen;
    Hits hits = {NULL, 0, 0};
    if (make_seen(&seen, PyUnicode_GET_LENGTH(text), is_ascii) < 0) return NULL;
    const uint8_t *from = PyUnicode_DATA(text);
    int said = is_ascii ? see_ascii(&seen, from) : see_by_table(&seen, &eyes->table, (int)PyUnicode_KIND(text), from);
    *again = said && is_ascii;
    PyObject *found = said ? Py_NewRef(Py_None) : answered(&seen, eyes, &hits);
    PyMem_Free(hits.items);
    PyMem_Free(seen.letters);
    return found;
}

static PyObject *glance_by(const Eyes *eyes, PyObject *text) {
    int again = 0;
    PyObject *found = glanced(eyes, text, PyUnicode_IS_ASCII(text), &again);
    if (!again) return found;
    Py_XDECREF(found);
    return glanced(eyes, text, 0, &again);
}

#endif
