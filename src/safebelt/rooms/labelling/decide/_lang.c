/* Counting a text's Chinese characters and its words of Latin letters: `label.py` says what for, and does the same
 * without a compiler.  The belt asks of every answer, and this reads it once.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static inline int is_letter(uint32_t code) { return (code | 32) - 'a' < 26u; }

#define COUNT(type)                                        \
    for (Py_ssize_t i = 0; i < size; i++) {                \
        uint32_t code = ((const type *)data)[i];           \
        int letter = is_letter(code);                      \
        words += letter & !before;                         \
        han += code - 0x4E00u < 0xA000u - 0x4E00u;         \
        before = letter;                                   \
    }

static PyObject *counts(PyObject *Py_UNUSED(module), PyObject *text) {
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "counts(text: str)");
        return NULL;
    }
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), han = 0, words = 0;
    int before = 0;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND: COUNT(uint8_t) break;
    case PyUnicode_2BYTE_KIND: COUNT(uint16_t) break;
    default: COUNT(uint32_t)
    }
    return Py_BuildValue("(nn)", han, words);
}

static PyMethodDef methods[] = {
    {"counts", counts, METH_O, "counts(text, /)\n--\n\nCount Chinese characters, and words of letters of ASCII."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_lang", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__lang(void) { return PyModule_Create(&definition); }
