/* Words looked for in folded texts, many at once (`_find.h`), and the commonest question alone: whether a text holds
 * nothing (`_glance.h`).
 *
 * `native.py` says what this takes and gives.  `Words` in `words.py` and the views in `views.py` find the same in plain
 * Python, and tests hold both alike.  The tree is built from the words themselves and never changes (`_tree.h`);
 * texts are buffers of known size.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#include "_find.h"
#include "_glance.h"

static int take_text(PyObject *args, Text *text) {
    PyObject *data;
    int is_ascii;
    if (!PyArg_ParseTuple(args, "Sp", &data, &is_ascii)) return -1;
    Py_ssize_t size = PyBytes_GET_SIZE(data), width = is_ascii ? 1 : (Py_ssize_t)sizeof(uint32_t);
    if (size % width != 0 || size / width > MOST) {
        PyErr_SetString(PyExc_ValueError, "not a folded text");
        return -1;
    }
    const void *bytes = PyBytes_AS_STRING(data); /* aligned for any number, as every object's are */
    *text = (Text){is_ascii ? bytes : NULL, bytes, (uint32_t)(size / width)};
    return 0;
}

static PyObject *listed(const Hits *hits) {
    PyObject *found = PyList_New(hits->size);
    for (Py_ssize_t i = 0; found != NULL && i < hits->size; i++) {
        Hit hit = hits->items[i];
        PyObject *one = Py_BuildValue("(III)", hit.word, hit.start, hit.end);
        if (one == NULL)
            Py_CLEAR(found);
        else
            PyList_SET_ITEM(found, i, one);
    }
    return found;
}

static PyObject *find(PyObject *self, PyObject *args) {
    const Words *words = (const Words *)self;
    Text text;
    View view;
    Hits hits = {NULL, 0, 0};
    if (take_text(args, &text) < 0 || make_view(&text, &view) < 0) return NULL;
    fill_view(words, &text, &view);
    PyObject *found = find_in(words, &text, &view, &hits) < 0 ? NULL : listed(&hits);
    PyMem_Free(hits.items);
    PyMem_Free(view.codes);
    return found;
}

static PyObject *spelled(PyObject *self, PyObject *args) {
    Text text;
    View run;
    Masks masks = {NULL, NULL, 0};
    Hits hits = {NULL, 0, 0};
    if (take_text(args, &text) < 0 || make_view(&text, &run) < 0) return NULL;
    PyObject *found = make_masks(&text, &masks) < 0 ? NULL : PyList_New(0);
    if (found != NULL && runs_in((const Words *)self, &text, &masks, &run, &hits, found) < 0) Py_CLEAR(found);
    PyMem_Free(masks.letters);
    PyMem_Free(hits.items);
    PyMem_Free(run.codes);
    return found;
}

static void words_dealloc(Words *words) {
    PyTypeObject *type = Py_TYPE(words);
    drop_words(words);
    type->tp_free((PyObject *)words);
    Py_DECREF(type);
}

static PyObject *words_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *listed, *table = Py_None;
    unsigned int gap;
    if (named != NULL && PyDict_GET_SIZE(named) != 0) return PyErr_Format(PyExc_TypeError, "arguments have no names");
    if (!PyArg_ParseTuple(args, "O!I|O", &PyList_Type, &listed, &gap, &table)) return NULL;
    if (table != Py_None && (!PyBytes_Check(table) || PyBytes_GET_SIZE(table) < 128))
        return PyErr_Format(PyExc_ValueError, "not a table over ASCII");
    Words *words = (Words *)type->tp_alloc(type, 0); /* all zero */
    if (words == NULL) return NULL;
    words->gap = gap;
    words->has_table = table != Py_None;
    if (words->has_table) memcpy(words->table, PyBytes_AS_STRING(table), sizeof(words->table));
    if (take_words(words, listed) < 0) {
        Py_DECREF(words);
        return NULL;
    }
    return (PyObject *)words;
}

static PyMethodDef methods[] = {
    {"find", find, METH_VARARGS, NULL},
    {"spelled", spelled, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, words_new},
    {Py_tp_dealloc, words_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {"safebelt.rooms.belt.scanner._words.Words", sizeof(Words), 0, Py_TPFLAGS_DEFAULT, slots};

/* Words of two views, and the table that folds: what says of whole texts that they hold nothing. */
typedef struct {
    PyObject_HEAD
    PyObject *kept[6]; /* what the rest points into */
    Eyes eyes;
} Glance;

static void glance_dealloc(Glance *glance) {
    PyTypeObject *type = Py_TYPE(glance);
    for (int i = 0; i < 6; i++) Py_CLEAR(glance->kept[i]);
    type->tp_free((PyObject *)glance);
    Py_DECREF(type);
}

/* Return something as words of a plain view, or NULL with an exception: nothing can be made of their type but words. */
static const Words *as_words(PyObject *given) {
    if (Py_TYPE(given)->tp_dealloc == (destructor)words_dealloc && !((Words *)given)->has_table) return (Words *)given;
    PyErr_SetString(PyExc_TypeError, "not words as they are");
    return NULL;
}

static int take_eyes(Eyes *eyes, PyObject *const *kept) {
    Py_buffer views[4];
    for (int i = 0; i < 4; i++) views[i] = (Py_buffer){.buf = PyBytes_AS_STRING(kept[i]), .len = PyBytes_GET_SIZE(kept[i])};
    if (take_table(&eyes->table, views, 0) < 0) return -1;
    if (!leads_into(&eyes->table)) return astray();
    return (eyes->plain = as_words(kept[4])) == NULL || (eyes->spelled = as_words(kept[5])) == NULL ? -1 : 0;
}

static PyObject *glance_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(named)) {
    PyObject *kept[6];
    if (!PyArg_ParseTuple(args, "SSSSOO", &kept[0], &kept[1], &kept[2], &kept[3], &kept[4], &kept[5])) return NULL;
    Glance *glance = (Glance *)type->tp_alloc(type, 0); /* all zero */
    if (glance == NULL) return NULL;
    for (int i = 0; i < 6; i++) glance->kept[i] = Py_NewRef(kept[i]);
    if (take_eyes(&glance->eyes, glance->kept) < 0) Py_CLEAR(glance);
    return (PyObject *)glance;
}

static PyObject *look(PyObject *self, PyObject *text) {
    if (!PyUnicode_Check(text)) return PyErr_Format(PyExc_TypeError, "not a text");
    return glance_by(&((Glance *)self)->eyes, text);
}

static PyMethodDef glance_methods[] = {
    {"look", look, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot glance_slots[] = {
    {Py_tp_new, glance_new},
    {Py_tp_dealloc, glance_dealloc},
    {Py_tp_methods, glance_methods},
    {0, NULL},
};

static PyType_Spec glance_spec = {
    "safebelt.rooms.belt.scanner._words.Glance", sizeof(Glance), 0, Py_TPFLAGS_DEFAULT, glance_slots,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "safebelt.rooms.belt.scanner._words", NULL, 0, NULL, NULL, NULL, NULL, NULL,
};

static int add_type(PyObject *module, const char *name, PyType_Spec *from) {
    PyObject *type = PyType_FromSpec(from);
    int said = type == NULL ? -1 : PyModule_AddObjectRef(module, name, type);
    Py_XDECREF(type);
    return said;
}

PyMODINIT_FUNC PyInit__words(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && (add_type(module, "Words", &spec) < 0 || add_type(module, "Glance", &glance_spec) < 0))
        Py_CLEAR(module);
    return module;
}
