/* A tree of the letters of words, built from a list of them and never changed: what it leads to need not be checked
 * again.  `_words.c` looks for them.
 */
#ifndef SAFEBELT_TREE_H
#define SAFEBELT_TREE_H

#include "_texts.h"

#define NONE 0xFFFFFFFFu
/* Beside the number of a word: only this one begins with the letters so far. */
#define LEAF 0x80000000u
/* Most letters of all words together, and most of a text: so that every number fits 31 bits. */
#define MOST 0x7FFFFFF0
/* Stand where a code point would: behind a text's end, and beside a letter that is a word by itself. */
#define NOTHING 0x1FFFFEu
#define ALONE 0x1FFFFFu
/* Letters that may be read behind the last one. */
#define BEHIND 8
#define MARK_BITS_LEAST 13
#define MARK_BITS_MOST 19

typedef struct {
    uint32_t code, to; /* `to` is a node, or a word with LEAF, or NONE in an empty place of `roots` */
} Edge;

typedef struct {
    uint32_t first, count, word; /* its edges, in order of their codes; the word that ends here, or NONE */
} Node;

typedef struct {
    uint32_t low, high, depth; /* words that begin with the same letters, so many of them */
} Span;

/* A bit for each of some mixtures of letters: what has none was not among them. */
typedef struct {
    uint8_t *bits;
    uint32_t shift;
} Marks;

typedef struct {
    PyObject_HEAD
    uint32_t *letters, *begins; /* of all words, one after another; where each begins, and where the last ends */
    Node *nodes;
    Edge *edges, *roots;
    Marks begin, whole; /* first letters; those of ASCII up to a boundary */
    uint32_t count, root_mask, gap;
    int has_single, has_table;
    uint8_t table[128], starts[128]; /* `starts`: characters of ASCII that words begin with */
} Words;

static inline uint32_t mixed(uint32_t one, uint32_t other) { return (one * 31u + other) * 0x9E3779B1u; }

static inline int is_marked(const Marks *marks, uint32_t mixture) {
    uint32_t number = mixture >> marks->shift;
    return marks->bits[number >> 3] >> (number & 7) & 1;
}

static void mark(Marks *marks, uint32_t mixture) {
    uint32_t number = mixture >> marks->shift;
    marks->bits[number >> 3] |= (uint8_t)(1u << (number & 7));
}

/* Mix some letters of ASCII that stand together: how many, and the first eight, lowest first. */
static inline uint32_t bytes_mixed(uint64_t first, uint32_t count) {
    first &= count < 8 ? ((uint64_t)1 << 8 * count) - 1 : UINT64_MAX;
    return mixed(mixed((uint32_t)first, (uint32_t)(first >> 32)), count);
}

static inline uint32_t all_mixed(const uint32_t *codes, uint32_t count) {
    uint64_t first = 0;
    for (uint32_t i = 0; i < 8; i++) first |= (uint64_t)(codes[i] & 0xFF) << 8 * i; /* there are so many, see BEHIND */
    return bytes_mixed(first, count);
}

static uint32_t length_of(const Words *words, uint32_t word) { return words->begins[word + 1] - words->begins[word]; }

/* Copy the words' letters; they must be in order, each once, none empty. */
static int take_letters(Words *words, PyObject *listed) {
    Py_ssize_t count = PyList_GET_SIZE(listed), total = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *word = PyList_GET_ITEM(listed, i);
        if (!PyUnicode_Check(word) || PyUnicode_GET_LENGTH(word) == 0) goto bad;
        if (i > 0 && PyUnicode_Compare(PyList_GET_ITEM(listed, i - 1), word) >= 0) goto bad;
        if (PyUnicode_GET_LENGTH(word) > MOST - total) goto bad;
        total += PyUnicode_GET_LENGTH(word);
    }
    words->count = (uint32_t)count;
    words->letters = PyMem_Calloc((size_t)total + BEHIND, sizeof(uint32_t));
    words->begins = PyMem_Malloc(((size_t)count + 1) * sizeof(uint32_t));
    if (words->letters == NULL || words->begins == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    uint32_t at = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *word = PyList_GET_ITEM(listed, i);
        words->begins[i] = at;
        for (Py_ssize_t j = 0; j < PyUnicode_GET_LENGTH(word); j++) words->letters[at++] = PyUnicode_READ_CHAR(word, j);
    }
    words->begins[count] = at;
    return 0;
bad:
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "not words in order, each once");
    return -1;
}

/* The words from `low` on that have the same letter at a depth; return where they end. */
static uint32_t group_end(const Words *words, uint32_t low, uint32_t high, uint32_t depth) {
    uint32_t letter = words->letters[words->begins[low] + depth], end = low + 1;
    while (end < high && words->letters[words->begins[end] + depth] == letter) end++;
    return end;
}

/* Append the edges of one node, and the nodes they lead to with the words of each. */
static void branch(Words *words, Span *spans, uint32_t node, uint32_t *nodes, uint32_t *edges) {
    uint32_t low = spans[node].low, high = spans[node].high, depth = spans[node].depth;
    words->nodes[node] = (Node){*edges, 0, NONE};
    if (depth > 0 && length_of(words, low) == depth) words->nodes[node].word = low++;
    while (low < high) {
        uint32_t end = group_end(words, low, high, depth), to = LEAF | low;
        if (end - low > 1) {
            to = (*nodes)++;
            spans[to] = (Span){low, end, depth + 1};
        }
        words->edges[(*edges)++] = (Edge){words->letters[words->begins[low] + depth], to};
        words->nodes[node].count++;
        low = end;
    }
}

/* Most nodes there can be: one for each letter that a word shares with the one before it, and the root. */
static size_t most_nodes(const Words *words) {
    size_t shared = 1;
    for (uint32_t i = 1; i < words->count; i++) {
        uint32_t least = Py_MIN(length_of(words, i - 1), length_of(words, i)), same = 0;
        const uint32_t *one = words->letters + words->begins[i - 1], *other = words->letters + words->begins[i];
        while (same < least && one[same] == other[same]) same++;
        shared += same;
    }
    return shared;
}

static int grow_tree(Words *words) {
    size_t most = most_nodes(words);
    Span *spans = PyMem_Malloc(most * sizeof(Span));
    words->nodes = PyMem_Malloc(most * sizeof(Node));
    words->edges = PyMem_Malloc((most + words->count) * sizeof(Edge)); /* each leads to a node or to a word */
    if (spans == NULL || words->nodes == NULL || words->edges == NULL) {
        PyMem_Free(spans);
        PyErr_NoMemory();
        return -1;
    }
    uint32_t nodes = 1, edges = 0;
    spans[0] = (Span){0, words->count, 0};
    for (uint32_t node = 0; node < nodes; node++) branch(words, spans, node, &nodes, &edges);
    PyMem_Free(spans);
    Node *fewer = PyMem_Realloc(words->nodes, nodes * sizeof(Node));
    if (fewer != NULL) words->nodes = fewer;
    Edge *less = PyMem_Realloc(words->edges, (edges + (size_t)1) * sizeof(Edge));
    if (less != NULL) words->edges = less;
    return 0;
}

/* Return the place in `roots` of a letter that words begin with, or the empty one where it would be. */
static inline uint32_t root_of(const Words *words, uint32_t code) {
    uint32_t at = mixed(0, code) >> 7 & words->root_mask;
    while (words->roots[at].to != NONE && words->roots[at].code != code) at = (at + 1) & words->root_mask;
    return at;
}

static int set_roots(Words *words) {
    const Node *root = &words->nodes[0];
    size_t room = 4;
    while (room < 2 * (size_t)root->count) room *= 2;
    words->roots = PyMem_Malloc(room * sizeof(Edge));
    if (words->roots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    words->root_mask = (uint32_t)(room - 1);
    for (size_t i = 0; i < room; i++) words->roots[i] = (Edge){NOTHING, NONE};
    for (uint32_t i = 0; i < root->count; i++) {
        Edge edge = words->edges[root->first + i];
        words->roots[root_of(words, edge.code)] = edge;
    }
    return 0;
}

static int make_marks(Marks *marks, uint32_t count) {
    uint32_t bits = MARK_BITS_LEAST;
    while (bits < MARK_BITS_MOST && (1u << bits) / 8 < count) bits++;
    marks->shift = 32 - bits;
    marks->bits = PyMem_Calloc((size_t)1 << (bits - 3), 1);
    if (marks->bits == NULL) PyErr_NoMemory();
    return marks->bits == NULL ? -1 : 0;
}

static int set_marks(Words *words) {
    if (make_marks(&words->begin, words->count) < 0 || make_marks(&words->whole, words->count) < 0) return -1;
    for (uint32_t i = 0; i < words->count; i++) {
        const uint32_t *word = words->letters + words->begins[i];
        uint32_t length = length_of(words, i), letters = 0;
        while (letters < length && is_letter(word[letters])) letters++;
        if (letters > 0) mark(&words->whole, all_mixed(word, letters));
        uint32_t two = mixed(word[0], length > 1 ? word[1] : ALONE);
        mark(&words->begin, two);
        if (length > 1) mark(&words->begin, mixed(two, length > 2 ? word[2] : ALONE));
        if (word[0] < 128) words->starts[word[0]] = 1;
        words->has_single |= length == 1;
    }
    return 0;
}

/* Take words, in order, each once, none empty: 0, or -1 with an exception; `drop_words` frees what there is by then. */
static int take_words(Words *words, PyObject *listed) {
    if (take_letters(words, listed) < 0 || grow_tree(words) < 0) return -1;
    return set_roots(words) < 0 || set_marks(words) < 0 ? -1 : 0;
}

static void drop_words(Words *words) {
    PyMem_Free(words->letters);
    PyMem_Free(words->begins);
    PyMem_Free(words->nodes);
    PyMem_Free(words->edges);
    PyMem_Free(words->roots);
    PyMem_Free(words->begin.bits);
    PyMem_Free(words->whole.bits);
}

#endif
