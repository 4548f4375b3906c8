/* The scanner's two innermost loops: folding a text through a table, and looking whether letters that stand alone can
 * spell a word.  `native.py` says what they take and give; `fold.py` and `pairs.py` do the same without a compiler, and
 * tests hold both alike.
 *
 * Everything here is sums and look-ups over buffers whose sizes are checked where they come in; nothing is kept from
 * one call to the next, so any number of threads may call.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* An entry of the table: a code point with its class, or, with SEVERAL set, the number of a row of `spans`. */
#define SEVERAL 0x80000000u
#define CODE(entry) ((entry) & 0x1FFFFFu)
#define CLASS(entry) ((uint8_t)(((entry) >> 21) & 0x7Fu))
#define BLOCK_BITS 7
#define BLOCK (1u << BLOCK_BITS)
#define BLOCKS (0x110000u >> BLOCK_BITS)
/* Bytes of the marks of pairs. */
#define BITS 8192

typedef struct {
    uint32_t *items;
    Py_ssize_t size, room;
} Entries;

static int make_room(Entries *to, Py_ssize_t more) {
    if (to->size + more <= to->room) return 0;
    Py_ssize_t room = to->room + to->room / 2 + more;
    uint32_t *items = PyMem_Realloc(to->items, (size_t)room * sizeof(uint32_t));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    to->items = items;
    to->room = room;
    return 0;
}

typedef struct {
    const uint16_t *index;
    const uint32_t *entries, *spans, *flat;
    Py_ssize_t blocks, rows, letters;
} Table;

/* Take a table's buffers apart; every place they can lead to is checked where it is used. */
static int take_table(Table *table, const Py_buffer *views) {
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
    return 0;
}

/* Append what one character becomes that becomes none or several; say how many, or -1. */
static Py_ssize_t spread(const Table *table, uint32_t row, Entries *to) {
    if ((Py_ssize_t)row >= table->rows) goto bad;
    uint32_t begin = table->spans[2 * row], count = table->spans[2 * row + 1];
    if ((Py_ssize_t)begin + (Py_ssize_t)count > table->letters) goto bad;
    if (make_room(to, count) < 0) return -1;
    memcpy(to->items + to->size, table->flat + begin, count * sizeof(uint32_t));
    to->size += count;
    return count;
bad:
    PyErr_SetString(PyExc_ValueError, "the folding table leads nowhere");
    return -1;
}

/* Fold a text: 0, or 1 where more than `hidden` characters in a row are invisible, or -1 with an exception. */
static int fold_into(const Table *table, PyObject *text, Py_ssize_t hidden, Entries *to, int *is_moved) {
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), run = 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 code = PyUnicode_READ(kind, data, i);
        uint32_t block = table->index[code >> BLOCK_BITS];
        if ((Py_ssize_t)block >= table->blocks) {
            PyErr_SetString(PyExc_ValueError, "the folding table leads nowhere");
            return -1;
        }
        uint32_t entry = table->entries[(block << BLOCK_BITS) + (code & (BLOCK - 1))];
        if (!(entry & SEVERAL)) {
            if (to->size == to->room && make_room(to, size - i) < 0) return -1;
            to->items[to->size++] = entry;
            run = 0;
            continue;
        }
        *is_moved = 1;
        Py_ssize_t count = spread(table, entry & ~SEVERAL, to);
        if (count < 0) return -1;
        run = count ? 0 : run + 1;
        if (run > hidden) return 1;
    }
    return 0;
}

static Py_ssize_t utf8_size(const Entries *from) {
    Py_ssize_t size = 0;
    for (Py_ssize_t i = 0; i < from->size; i++) {
        uint32_t code = CODE(from->items[i]);
        size += 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    }
    return size;
}

static void write_out(const Entries *from, uint8_t *data, uint8_t *classes) {
    for (Py_ssize_t i = 0; i < from->size; i++) {
        uint32_t entry = from->items[i], code = CODE(entry);
        classes[i] = CLASS(entry);
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
            *data++ = (uint8_t)(0xF0 | code >> 18);
            *data++ = (uint8_t)(0x80 | (code >> 12 & 0x3F));
            *data++ = (uint8_t)(0x80 | (code >> 6 & 0x3F));
            *data++ = (uint8_t)(0x80 | (code & 0x3F));
        }
    }
}

static PyObject *given_out(const Entries *folded, int is_moved) {
    PyObject *data = PyBytes_FromStringAndSize(NULL, utf8_size(folded));
    PyObject *classes = PyBytes_FromStringAndSize(NULL, folded->size);
    if (data == NULL || classes == NULL) {
        Py_XDECREF(data);
        Py_XDECREF(classes);
        return NULL;
    }
    write_out(folded, (uint8_t *)PyBytes_AS_STRING(data), (uint8_t *)PyBytes_AS_STRING(classes));
    return Py_BuildValue("(NNO)", data, classes, is_moved ? Py_True : Py_False);
}

static PyObject *fold(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *text, *found = NULL;
    Py_buffer views[4];
    Py_ssize_t hidden;
    if (!PyArg_ParseTuple(args, "y*y*y*y*nU", &views[0], &views[1], &views[2], &views[3], &hidden, &text)) return NULL;
    Table table;
    Entries folded = {NULL, 0, 0};
    int is_moved = 0, said = -1;
    if (take_table(&table, views) == 0 && make_room(&folded, PyUnicode_GET_LENGTH(text) + 1) == 0)
        said = fold_into(&table, text, hidden, &folded, &is_moved);
    if (said == 0) found = given_out(&folded, is_moved);
    if (said == 1) found = Py_NewRef(Py_None);
    PyMem_Free(folded.items);
    for (int i = 0; i < 4; i++) PyBuffer_Release(&views[i]);
    return found;
}

/* Read one character of UTF-8 as `write_out` makes it; the next place, or -1 where it is not that. */
static Py_ssize_t next_code(const uint8_t *data, Py_ssize_t size, Py_ssize_t at, uint32_t *code) {
    if (at >= size) return -1;
    uint8_t first = data[at];
    int more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (at + more >= size) return -1;
    uint32_t value = more == 0 ? first : first & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) value = value << 6 | (data[at + i] & 0x3Fu);
    *code = value;
    return at + more + 1;
}

static int is_pair(const uint64_t *pairs, Py_ssize_t count, uint64_t one) {
    Py_ssize_t low = 0, high = count;
    while (low < high) {
        Py_ssize_t middle = low + (high - low) / 2;
        if (pairs[middle] < one)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && pairs[low] == one;
}

/* Whether a pair may be one of those whose numbers are set in `bits`: most are none, and then nothing is searched. */
static int may_be_pair(const uint8_t *bits, uint64_t one) {
    uint32_t number = ((uint32_t)(one >> 32) * 31u + (uint32_t)one) % (BITS * 8u);
    return bits[number >> 3] >> (number & 7) & 1;
}

static int any_pair(const Py_buffer *text, const Py_buffer *kinds, const Py_buffer *marks, const Py_buffer *sorted,
                    Py_ssize_t gap) {
    const uint8_t *data = text->buf, *classes = kinds->buf, *bits = marks->buf;
    const uint64_t *pairs = sorted->buf;
    Py_ssize_t size = kinds->len, at = 0, before = -1, count = sorted->len / (Py_ssize_t)sizeof(uint64_t);
    int is_ascii = text->len == size; /* one byte each */
    uint64_t letter = 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        uint32_t code = is_ascii ? data[i] : 0;
        if (!is_ascii && (at = next_code(data, text->len, at, &code)) < 0) {
            PyErr_SetString(PyExc_ValueError, "not as many characters as classes");
            return -1;
        }
        if (classes[i] == 'w') {
            int touches = (i > 0 && classes[i - 1] == 'w') || (i + 1 < size && classes[i + 1] == 'w');
            if (touches) continue;
        } else if (classes[i] != 'h') {
            continue;
        }
        uint64_t one = letter << 32 | code;
        int is_near = before >= 0 && i - before > 1 && i - before <= gap + 1;
        if (is_near && may_be_pair(bits, one) && is_pair(pairs, count, one)) return 1;
        before = i;
        letter = code;
    }
    return 0;
}

static PyObject *has_pair(PyObject *Py_UNUSED(module), PyObject *args) {
    Py_buffer text, classes, bits, pairs;
    Py_ssize_t gap;
    int said = -1;
    if (!PyArg_ParseTuple(args, "y*y*y*y*n", &text, &classes, &bits, &pairs, &gap)) return NULL;
    if (bits.len != BITS || pairs.len % sizeof(uint64_t) != 0)
        PyErr_SetString(PyExc_ValueError, "not a table of pairs");
    else
        said = any_pair(&text, &classes, &bits, &pairs, gap);
    PyBuffer_Release(&text);
    PyBuffer_Release(&classes);
    PyBuffer_Release(&bits);
    PyBuffer_Release(&pairs);
    return said < 0 ? NULL : PyBool_FromLong(said);
}

static PyMethodDef methods[] = {
    {"fold", fold, METH_VARARGS, NULL},
    {"has_pair", has_pair, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "safebelt.rooms.belt.scanner._fast", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&definition); }
