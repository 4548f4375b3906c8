/* Folding a text through a table: what most of a scan's time went into.  `native.py` says what this takes and gives;
 * `arrays.py` does the same without a compiler, and tests hold both alike.
 *
 * Everything here is sums and look-ups over buffers whose sizes are checked where they come in; nothing is kept from
 * one call to the next, so any number of threads may call.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#include "_fold.h"

/* Stands for each invisible character beyond those that folding drops: U+FDD0, a sign. */
#define INVISIBLE ENTRY(0xFDD0u, 'o')

/* What a text folds to: entries; and, where it is asked for, the place in the text that each came from. */
typedef struct {
    uint32_t *items, *origins;
    Py_ssize_t size, room;
    int with_origins, is_moved;
} Folded;

static int grow(uint32_t **items, Py_ssize_t room) {
    if ((size_t)room > (size_t)PY_SSIZE_T_MAX / sizeof(uint32_t)) return -1;
    uint32_t *more = PyMem_Realloc(*items, (size_t)room * sizeof(uint32_t));
    if (more == NULL) return -1;
    *items = more;
    return 0;
}

static int make_room(Folded *to, Py_ssize_t more) {
    if (more <= to->room - to->size) return 0;
    if (more > PY_SSIZE_T_MAX / 2 - to->room) goto none;
    Py_ssize_t room = to->room + to->room / 2 + more;
    if (grow(&to->items, room) < 0 || (to->with_origins && grow(&to->origins, room) < 0)) goto none;
    to->room = room;
    return 0;
none:
    PyErr_NoMemory();
    return -1;
}

static inline void put(Folded *to, uint32_t entry, Py_ssize_t place) {
    if (to->with_origins) to->origins[to->size] = (uint32_t)place;
    to->items[to->size++] = entry;
}

/* Append what one character becomes that becomes none or several; `run` counts the invisible ones before it, and `rest`
 * is how many characters follow: there is always room for one each. */
static int spread(const Table *table, uint32_t row, Folded *to, Py_ssize_t place, Py_ssize_t rest, Py_ssize_t *run) {
    if ((Py_ssize_t)row >= table->rows) return astray();
    uint32_t begin = table->spans[2 * (size_t)row], count = table->spans[2 * (size_t)row + 1];
    if ((Py_ssize_t)begin + (Py_ssize_t)count > table->letters) return astray();
    to->is_moved = 1;
    if (make_room(to, (Py_ssize_t)count + rest + 1) < 0) return -1;
    *run = count ? 0 : *run + 1;
    if (*run > table->hidden) put(to, INVISIBLE, place);
    for (uint32_t i = 0; i < count; i++) put(to, table->flat[begin + i], place);
    return 0;
}

/* Fold a text of one width of characters; the compiler makes a loop of its own for each. */
static inline __attribute__((always_inline)) int fold_wide(const Table *table, int kind, const void *data,
                                                           Py_ssize_t size, Folded *to) {
    Py_ssize_t run = 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 code = PyUnicode_READ(kind, data, i);
        uint32_t block = table->index[code >> BLOCK_BITS];
        if ((Py_ssize_t)block >= table->blocks) return astray();
        uint32_t entry = table->entries[(block << BLOCK_BITS) + (code & (BLOCK - 1))];
        if (entry & SEVERAL) {
            if (spread(table, entry & ~SEVERAL, to, i, size - i, &run) < 0) return -1;
            continue;
        }
        run = 0;
        put(to, entry, i);
    }
    return 0;
}

static int fold_into(const Table *table, PyObject *text, Folded *to) {
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    if (size > (Py_ssize_t)UINT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "too long a text");
        return -1;
    }
    if (make_room(to, size + 1) < 0) return -1;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: return fold_wide(table, PyUnicode_1BYTE_KIND, data, size, to);
    case PyUnicode_2BYTE_KIND: return fold_wide(table, PyUnicode_2BYTE_KIND, data, size, to);
    default: return fold_wide(table, PyUnicode_4BYTE_KIND, data, size, to);
    }
}

static PyObject *utf8_of(const Folded *from) {
    Py_ssize_t size = 0;
    for (Py_ssize_t i = 0; i < from->size; i++) {
        uint32_t code = CODE(from->items[i]);
        size += 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, size);
    if (made == NULL) return NULL;
    uint8_t *data = (uint8_t *)PyBytes_AS_STRING(made);
    for (Py_ssize_t i = 0; i < from->size; i++) data = write_one(data, CODE(from->items[i]));
    return made;
}

static PyObject *bytes_of(const uint32_t *items, Py_ssize_t size) {
    return PyBytes_FromStringAndSize((const char *)items, size * (Py_ssize_t)sizeof(uint32_t));
}

static PyObject *given_out(const Folded *folded) {
    PyObject *data = utf8_of(folded), *entries = data ? bytes_of(folded->items, folded->size) : NULL;
    if (entries == NULL) {
        Py_XDECREF(data);
        return NULL;
    }
    return Py_BuildValue("(NNO)", data, entries, folded->is_moved ? Py_True : Py_False);
}

static PyObject *folded_by(PyObject *args, int with_origins) {
    PyObject *text, *found = NULL;
    Py_buffer views[4];
    Py_ssize_t hidden;
    Table table;
    Folded folded = {.with_origins = with_origins};
    if (!PyArg_ParseTuple(args, "y*y*y*y*nU", &views[0], &views[1], &views[2], &views[3], &hidden, &text)) return NULL;
    if (take_table(&table, views, hidden) == 0 && fold_into(&table, text, &folded) == 0)
        found = with_origins ? bytes_of(folded.origins, folded.size) : given_out(&folded);
    PyMem_Free(folded.items);
    PyMem_Free(folded.origins);
    for (int i = 0; i < 4; i++) PyBuffer_Release(&views[i]);
    return found;
}

static PyObject *fold(PyObject *Py_UNUSED(module), PyObject *args) { return folded_by(args, 0); }

static PyObject *origins(PyObject *Py_UNUSED(module), PyObject *args) { return folded_by(args, 1); }

static PyObject *classes(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *entries, *made;
    if (!PyArg_ParseTuple(args, "S", &entries)) return NULL;
    Py_ssize_t size = PyBytes_GET_SIZE(entries) / (Py_ssize_t)sizeof(uint32_t);
    if ((made = PyBytes_FromStringAndSize(NULL, size)) == NULL) return NULL;
    const uint32_t *items = (const uint32_t *)(const void *)PyBytes_AS_STRING(entries);
    uint8_t *kinds = (uint8_t *)PyBytes_AS_STRING(made);
    for (Py_ssize_t i = 0; i < size; i++) kinds[i] = CLASS(items[i]);
    return made;
}

static PyMethodDef methods[] = {
    {"fold", fold, METH_VARARGS, NULL},
    {"origins", origins, METH_VARARGS, NULL},
    {"classes", classes, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "safebelt.rooms.belt.scanner._fast", NULL, 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&definition); }
