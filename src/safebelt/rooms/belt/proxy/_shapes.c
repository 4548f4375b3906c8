/* Taking the texts out of a JSON body, which leaves its shape.  `shapes.py` says what this takes and gives, and why it
 * may be as quick as it is: nothing here decides whether a body is JSON, only that what is cut out of it is one whole
 * string or number of JSON, and that what is left says where each stood.
 *
 * Nothing is kept from one call to the next, so any number of threads may call.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define TEXT_HOLE 1
#define NUMBER_HOLE 2
/* Digits of a number that any reader takes as it is: below 2^53. */
#define MOST_DIGITS 15
#define MOST_NAMES 4

typedef struct {
    const uint8_t *bytes;
    Py_ssize_t size;
} Span;

typedef struct {
    const uint8_t *end, *kept; /* of the body; what of it stands in the shape begins at `kept` */
    uint8_t *shape;
    Py_ssize_t size;
    PyObject *texts, *cuts;
    Span names[MOST_NAMES];
    Py_ssize_t count;
} Reader;

enum { DONE = 0, OTHER = 1, FAILED = -1 }; /* OTHER: nothing that is read here */

static inline int is_blank(uint8_t c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
static inline int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }

static const uint8_t *behind_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

/* Return where the quote stands that ends a string which begins at `at`; NULL where none does, or a control character
 * comes first. */
static const uint8_t *end_of_string(const uint8_t *at, const uint8_t *end, int *has_escapes) {
    *has_escapes = 0;
    for (; at < end; at++) {
        if (*at == '"') return at;
        if (*at < ' ') return NULL;
        if (*at == '\\') {
            *has_escapes = 1;
            if (++at == end || *at < ' ') return NULL;
        }
    }
    return NULL;
}

static int hex_of(const uint32_t *digits) {
    int code = 0;
    for (int i = 0; i < 4; i++) {
        uint32_t c = digits[i];
        int value = c - '0' < 10u ? (int)(c - '0') : (c | 32) - 'a' < 6u ? (int)((c | 32) - 'a') + 10 : -1;
        if (value < 0) return -1;
        code = code << 4 | value;
    }
    return code;
}

/* Read what follows a backslash; return how many characters were read, 0 where that is no escape or half a pair. */
static Py_ssize_t escape(const uint32_t *at, Py_ssize_t left, uint32_t *code) {
    if (left < 1) return 0;
    switch (at[0]) {
    case '"': case '\\': case '/': *code = at[0]; return 1;
    case 'b': *code = '\b'; return 1;
    case 'f': *code = '\f'; return 1;
    case 'n': *code = '\n'; return 1;
    case 'r': *code = '\r'; return 1;
    case 't': *code = '\t'; return 1;
    case 'u': break;
    default: return 0;
    }
    int first = left < 5 ? -1 : hex_of(at + 1);
    if (first < 0) return 0;
    *code = (uint32_t)first;
    if (first < 0xD800 || first > 0xDFFF) return 5;
    int second = first > 0xDBFF || left < 11 || at[5] != '\\' || at[6] != 'u' ? -1 : hex_of(at + 7);
    if (second < 0xDC00 || second > 0xDFFF) return 0;
    *code = 0x10000u + ((uint32_t)(first - 0xD800) << 10) + (uint32_t)(second - 0xDC00);
    return 11;
}

/* Replace the escapes of a string; None where there is one that JSON does not know. */
static PyObject *unescaped(PyObject *raw) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(raw), made = 0;
    uint32_t *codes = PyUnicode_AsUCS4Copy(raw);
    if (codes == NULL) return NULL;
    for (Py_ssize_t at = 0; at < size; made++) {
        uint32_t code = codes[at++];
        if (code == '\\') {
            Py_ssize_t taken = escape(codes + at, size - at, &code);
            if (taken == 0) {
                PyMem_Free(codes);
                return Py_NewRef(Py_None);
            }
            at += taken;
        }
        codes[made] = code; /* never ahead of what is read */
    }
    PyObject *text = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, codes, made);
    PyMem_Free(codes);
    return text;
}

/* Return the text of a string without its quotes; None where it is no string of JSON. */
static PyObject *text_of(const uint8_t *from, const uint8_t *to, int has_escapes) {
    PyObject *raw = PyUnicode_DecodeUTF8((const char *)from, to - from, NULL);
    if (raw == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return NULL;
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    if (!has_escapes) return raw;
    PyObject *text = unescaped(raw);
    Py_DECREF(raw);
    return text;
}

static int put(PyObject *list, PyObject *item) {
    if (item == NULL) return FAILED;
    int done = PyList_Append(list, item);
    Py_DECREF(item);
    return done;
}

/* Take a literal out of the body, and leave a hole. */
static int cut(Reader *reader, const uint8_t *from, const uint8_t *to, uint8_t hole) {
    Py_ssize_t before = from - reader->kept;
    memcpy(reader->shape + reader->size, reader->kept, (size_t)before);
    reader->size += before;
    reader->shape[reader->size++] = hole;
    reader->kept = to;
    return put(reader->cuts, PyBytes_FromStringAndSize((const char *)from, to - from));
}

static int cut_text(Reader *reader, const uint8_t **at) {
    int has_escapes;
    const uint8_t *from = *at, *to = end_of_string(from + 1, reader->end, &has_escapes);
    if (to == NULL) return OTHER;
    PyObject *text = text_of(from + 1, to, has_escapes);
    if (text == Py_None) {
        Py_DECREF(text);
        return OTHER;
    }
    if (put(reader->texts, text) < 0) return FAILED;
    *at = to + 1;
    return cut(reader, from, to + 1, TEXT_HOLE);
}

/* Take a number out that is a count: anything else stays. */
static int cut_number(Reader *reader, const uint8_t **at) {
    const uint8_t *from = *at, *to = from;
    while (to < reader->end && is_digit(*to)) to++;
    int is_count = to < reader->end && (*to == ',' || *to == '}' || is_blank(*to));
    *at = to;
    if (!is_count || to - from > MOST_DIGITS || (*from == '0' && to - from > 1)) return DONE;
    return cut(reader, from, to, NUMBER_HOLE);
}

static int is_named(const Reader *reader, const uint8_t *from, Py_ssize_t size) {
    for (Py_ssize_t i = 0; i < reader->count; i++)
        if (reader->names[i].size == size && memcmp(reader->names[i].bytes, from, (size_t)size) == 0) return 1;
    return 0;
}

static int read_body(Reader *reader, int with_numbers) {
    const uint8_t *at = reader->kept, *end = reader->end;
    int has_escapes, done = DONE;
    while (at < end && done == DONE) {
        if (*at != '"') {
            if (*at < ' ' && !is_blank(*at)) return OTHER; /* else it could pass for a hole */
            at++;
            continue;
        }
        const uint8_t *name = at + 1, *to = end_of_string(name, end, &has_escapes);
        if (to == NULL) return OTHER;
        at = behind_blanks(to + 1, end);
        if (at == end || *at != ':') continue;
        at = behind_blanks(at + 1, end);
        if (at == end) return OTHER;
        if (*at == '"' && is_named(reader, name, to - name)) done = cut_text(reader, &at);
        else if (with_numbers && is_digit(*at)) done = cut_number(reader, &at);
    }
    return done;
}

static PyObject *parted(Reader *reader, int with_numbers) {
    int done = read_body(reader, with_numbers);
    if (done == OTHER) Py_RETURN_NONE;
    if (done == FAILED) return NULL;
    Py_ssize_t rest = reader->end - reader->kept;
    memcpy(reader->shape + reader->size, reader->kept, (size_t)rest);
    PyObject *cuts = PyList_AsTuple(reader->cuts);
    if (cuts == NULL) return NULL;
    PyObject *shape = PyBytes_FromStringAndSize((const char *)reader->shape, reader->size + rest);
    if (shape == NULL) {
        Py_DECREF(cuts);
        return NULL;
    }
    return Py_BuildValue("(NON)", shape, reader->texts, cuts);
}

static int take_names(Reader *reader, PyObject *names) {
    reader->count = PyTuple_GET_SIZE(names);
    if (reader->count > MOST_NAMES) {
        PyErr_SetString(PyExc_ValueError, "too many names");
        return -1;
    }
    for (Py_ssize_t i = 0; i < reader->count; i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        if (!PyBytes_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "a name must be bytes");
            return -1;
        }
        reader->names[i] = (Span){(const uint8_t *)PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name)};
    }
    return 0;
}

static PyObject *part(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (count != 3 || !PyBytes_Check(args[0]) || !PyTuple_Check(args[1]) || !PyBool_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "part(body: bytes, names: tuple[bytes, ...], with_numbers: bool)");
        return NULL;
    }
    Reader reader = {.kept = (const uint8_t *)PyBytes_AS_STRING(args[0])};
    reader.end = reader.kept + PyBytes_GET_SIZE(args[0]);
    if (take_names(&reader, args[1]) < 0) return NULL;
    /* a hole is never longer than what it stands for, so the shape never is than the body */
    reader.shape = PyMem_Malloc((size_t)PyBytes_GET_SIZE(args[0]) + 1);
    if (reader.shape == NULL) return PyErr_NoMemory();
    reader.texts = PyList_New(0);
    reader.cuts = PyList_New(0);
    PyObject *made = reader.texts && reader.cuts ? parted(&reader, args[2] == Py_True) : NULL;
    Py_XDECREF(reader.texts);
    Py_XDECREF(reader.cuts);
    PyMem_Free(reader.shape);
    return made;
}

static PyMethodDef methods[] = {
    {"part", (PyCFunction)(void (*)(void))part, METH_FASTCALL,
     "part(body, names, with_numbers, /)\n--\n\nTake texts, and counts, out of a JSON body."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_shapes", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__shapes(void) { return PyModule_Create(&definition); }
