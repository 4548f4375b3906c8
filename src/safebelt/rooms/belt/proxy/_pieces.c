/* Taking one token of a stream: from the chunk of HTTP that brought it to the one that leaves, in one call.
 *
 * `frames.Lane.chunk` says what this gives, and does the same without a compiler; tests hold both alike.  Whatever is
 * not quite as most tokens are (an escape, a token or a window not yet remembered, one in which anything may be found)
 * is answered with None, and nothing has been done: then it goes the way it always went.
 *
 * State stays where it is, in the screen and its calm, under the names they have in Python.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#define MOST_DIGITS 3 /* of a size: no chunk taken here is as large as 4 KiB */

typedef struct {
    PyObject_HEAD PyObject *begin, *end, *before, *after; /* bytes: around the text, as it comes and as it leaves */
    PyObject *screen, *said;                              /* whose text it is; list of what the model said */
    PyObject *folded, *glances, *loud, *encode;           /* what is remembered of tokens and windows */
    Py_ssize_t kept, most;                                /* characters kept behind a window, once there are so many */
} Lane;

static PyObject *s_calm, *s_source, *s_source_at, *s_kind, *s_window, *s_behind, *s_passed;

/* One token on its way: everything that is made of it before anything is changed. */
typedef struct {
    const char *literal; /* the text as it came, without its quotes */
    Py_ssize_t length;
    PyObject *calm, *said, *window, *quiet, *source, *text, *rest, *behind;
    Py_ssize_t seen, passed, count;
} Token;

static void drop(Token *token) {
    PyObject *all[] = {token->calm,   token->said, token->window, token->quiet,
                       token->source, token->text, token->rest,   token->behind};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) Py_XDECREF(all[i]);
}

/* Everything below returns 1 where it goes on, 0 where the token is left to others, -1 with an exception. */

/* Find the literal in a chunk whose size is written as most write it: no more digits than it needs, small letters. */
static int find_literal(const Lane *lane, const char *data, Py_ssize_t size, Token *token) {
    Py_ssize_t held = 0, at = 0;
    for (; at < size && at <= MOST_DIGITS; at++) {
        char one = data[at];
        if (one >= '0' && one <= '9') held = held * 16 + (one - '0');
        else if (one >= 'a' && one <= 'f') held = held * 16 + (one - 'a' + 10);
        else break;
    }
    if (at == 0 || at > MOST_DIGITS || data[0] == '0' || size != at + held + 4) return 0;
    if (memcmp(data + at, "\r\n", 2) != 0 || memcmp(data + size - 2, "\r\n", 2) != 0) return 0;
    const char *piece = data + at + 2;
    Py_ssize_t begin = PyBytes_GET_SIZE(lane->begin), end = PyBytes_GET_SIZE(lane->end);
    Py_ssize_t length = held - begin - end;
    if (length < 3 || memcmp(piece, PyBytes_AS_STRING(lane->begin), (size_t)begin) != 0 ||
        memcmp(piece + held - end, PyBytes_AS_STRING(lane->end), (size_t)end) != 0)
        return 0;
    if (piece[begin] != '"' || piece[begin + length - 1] != '"') return 0;
    token->literal = piece + begin + 1;
    token->length = length - 2;
    return 1;
}

/* Whether bytes stand in a JSON string as they are. */
static int is_plain(const char *data, Py_ssize_t size) {
    for (Py_ssize_t i = 0; i < size; i++) {
        unsigned char one = (unsigned char)data[i];
        if (one < 0x20 || one == '"' || one == '\\') return 0;
    }
    return 1;
}

static int read_text(Token *token) {
    if (!is_plain(token->literal, token->length)) return 0;
    token->said = PyUnicode_DecodeUTF8(token->literal, token->length, "strict");
    if (token->said != NULL) return 1;
    if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return -1;
    PyErr_Clear();
    return 0;
}

static int as_size(PyObject *number, Py_ssize_t *size) {
    *size = PyLong_AsSsize_t(number);
    return *size == -1 && PyErr_Occurred() ? -1 : 1;
}

static int size_of(PyObject *from, PyObject *name, Py_ssize_t *size) {
    PyObject *number = PyObject_GetAttr(from, name);
    if (number == NULL) return -1;
    int is_good = as_size(number, size);
    Py_DECREF(number);
    return is_good;
}

static PyObject *text_of(PyObject *from, PyObject *name) {
    PyObject *text = PyObject_GetAttr(from, name);
    if (text != NULL && !PyUnicode_Check(text)) {
        Py_DECREF(text);
        PyErr_SetString(PyExc_TypeError, "not a text");
        return NULL;
    }
    return text;
}

/* Join the text of an attribute and another. */
static PyObject *longer(PyObject *from, PyObject *name, PyObject *more) {
    PyObject *text = text_of(from, name), *joined = text ? PyUnicode_Concat(text, more) : NULL;
    Py_XDECREF(text);
    return joined;
}

/* What is remembered of the window with this token. */
static int recall(const Lane *lane, Token *token) {
    token->calm = PyObject_GetAttr(lane->screen, s_calm);
    if (token->calm == NULL) return -1;
    if (token->calm == Py_None) return 0;
    PyObject *folded = PyDict_GetItemWithError(lane->folded, token->said);
    if (folded == NULL) return PyErr_Occurred() ? -1 : 0;
    if (!PyUnicode_Check(folded) || PyUnicode_GET_LENGTH(folded) == 0) return 0;
    Py_INCREF(folded);
    token->window = longer(token->calm, s_window, folded);
    Py_DECREF(folded);
    PyObject *kind = token->window ? PyObject_GetAttr(token->calm, s_kind) : NULL;
    PyObject *key = kind ? PyTuple_Pack(2, kind, token->window) : NULL;
    Py_XDECREF(kind);
    if (key == NULL) return -1;
    token->quiet = PyDict_GetItemWithError(lane->glances, key);
    Py_XINCREF(token->quiet);
    Py_DECREF(key);
    if (token->quiet == NULL) return PyErr_Occurred() ? -1 : 0;
    return token->quiet != lane->loud;
}

/* How far the window goes on; see `Calm.go_on`. */
static int weigh(Token *token) {
    PyObject *quiet = token->quiet;
    Py_ssize_t before;
    if (!PyTuple_Check(quiet) || PyTuple_GET_SIZE(quiet) != 5 || !PyUnicode_Check(PyTuple_GET_ITEM(quiet, 2))) {
        PyErr_SetString(PyExc_TypeError, "not a quiet window");
        return -1;
    }
    if (as_size(PyTuple_GET_ITEM(quiet, 0), &token->seen) < 0 ||
        as_size(PyTuple_GET_ITEM(quiet, 1), &token->passed) < 0 || size_of(token->calm, s_passed, &before) < 0)
        return -1;
    if (token->passed < before) token->passed = before;
    token->count = token->passed - before;
    return 1;
}

/* Cut what waits of the original text where it may leave. */
static int cut(const Lane *lane, Token *token) {
    token->source = longer(lane->screen, s_source, token->said);
    if (token->source == NULL) return -1;
    Py_ssize_t size = PyUnicode_GET_LENGTH(token->source);
    if (token->count < 0 || token->count > size || token->seen < 0) {
        PyErr_SetString(PyExc_ValueError, "more may leave than waits");
        return -1;
    }
    token->text = PyUnicode_Substring(token->source, 0, token->count);
    token->rest = PyUnicode_Substring(token->source, token->count, size);
    if (token->text == NULL || token->rest == NULL) return -1;
    if (token->seen) {
        token->behind = longer(token->calm, s_behind, PyTuple_GET_ITEM(token->quiet, 2));
        if (token->behind == NULL) return -1;
        Py_ssize_t length = PyUnicode_GET_LENGTH(token->behind);
        if (length > lane->most) {
            PyObject *last = PyUnicode_Substring(token->behind, length - lane->kept, length);
            Py_SETREF(token->behind, last);
            if (last == NULL) return -1;
        }
    }
    return 1;
}

/* Frame a text that is written already, as an event in a chunk. */
static PyObject *framed(const Lane *lane, const char *text, Py_ssize_t size, int is_quoted) {
    Py_ssize_t before = PyBytes_GET_SIZE(lane->before), after = PyBytes_GET_SIZE(lane->after);
    Py_ssize_t quotes = is_quoted ? 0 : 2, held = before + size + quotes + after;
    char head[2 * sizeof held + 3];
    int length = PyOS_snprintf(head, sizeof head, "%zx\r\n", (size_t)held);
    PyObject *made = PyBytes_FromStringAndSize(NULL, length + held + 2);
    if (made == NULL) return NULL;
    char *to = PyBytes_AS_STRING(made);
    memcpy(to, head, (size_t)length);
    memcpy(to += length, PyBytes_AS_STRING(lane->before), (size_t)before);
    to += before;
    if (!is_quoted) *to++ = '"';
    memcpy(to, text, (size_t)size);
    to += size;
    if (!is_quoted) *to++ = '"';
    memcpy(to, PyBytes_AS_STRING(lane->after), (size_t)after);
    memcpy(to + after, "\r\n", 2);
    return made;
}

static PyObject *written(const Lane *lane, const Token *token) {
    if (token->count == 0) return PyBytes_FromStringAndSize(NULL, 0);
    Py_ssize_t size, waited = PyUnicode_GET_LENGTH(token->source) - PyUnicode_GET_LENGTH(token->said);
    if (waited == 0 && token->count == PyUnicode_GET_LENGTH(token->said))
        return framed(lane, token->literal, token->length, 0);
    const char *text = PyUnicode_AsUTF8AndSize(token->text, &size);
    if (text == NULL) return NULL;
    if (is_plain(text, size)) return framed(lane, text, size, 0);
    PyObject *encoded = PyObject_CallOneArg(lane->encode, token->text), *made = NULL;
    if (encoded == NULL) return NULL;
    if (PyBytes_Check(encoded)) made = framed(lane, PyBytes_AS_STRING(encoded), PyBytes_GET_SIZE(encoded), 1);
    else PyErr_SetString(PyExc_TypeError, "a text is encoded as bytes");
    Py_DECREF(encoded);
    return made;
}

static int set_size(PyObject *on, PyObject *name, Py_ssize_t size) {
    PyObject *number = PyLong_FromSsize_t(size);
    int done = number ? PyObject_SetAttr(on, name, number) : -1;
    Py_XDECREF(number);
    return done;
}

/* Note where the stream stands now. */
static int note(const Lane *lane, const Token *token) {
    Py_ssize_t source_at;
    if (size_of(lane->screen, s_source_at, &source_at) < 0) return -1;
    if (set_size(token->calm, s_passed, token->passed - token->seen) < 0) return -1;
    if (token->seen) {
        if (PyObject_SetAttr(token->calm, s_behind, token->behind) < 0 ||
            PyObject_SetAttr(token->calm, s_kind, PyTuple_GET_ITEM(token->quiet, 3)) < 0)
            return -1;
    }
    if (PyObject_SetAttr(token->calm, s_window, token->seen ? PyTuple_GET_ITEM(token->quiet, 4) : token->window) < 0)
        return -1;
    if (PyObject_SetAttr(lane->screen, s_source, token->rest) < 0) return -1;
    if (set_size(lane->screen, s_source_at, source_at + token->count) < 0) return -1;
    return PyList_Append(lane->said, token->said);
}

static PyObject *chunk(Lane *lane, PyObject *data) {
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "a chunk is bytes");
        return NULL;
    }
    Token token = {0};
    PyObject *made = NULL;
    int goes_on = find_literal(lane, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), &token);
    if (goes_on == 1) goes_on = read_text(&token);
    if (goes_on == 1) goes_on = recall(lane, &token);
    if (goes_on == 1) goes_on = weigh(&token);
    if (goes_on == 1) goes_on = cut(lane, &token);
    if (goes_on == 1) {
        made = written(lane, &token);
        if (made != NULL && note(lane, &token) < 0) Py_CLEAR(made);
    } else if (goes_on == 0) {
        made = Py_NewRef(Py_None);
    }
    drop(&token);
    return made;
}

static PyObject *new_lane(PyTypeObject *type, PyObject *args, PyObject *words) {
    PyObject *begin, *end, *before, *after, *screen, *said, *folded, *glances, *loud, *encode;
    Py_ssize_t kept, most;
    if (words != NULL && PyDict_GET_SIZE(words) != 0) {
        PyErr_SetString(PyExc_TypeError, "Lane takes no names");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "SSSSOO!OO!O!Onn", &begin, &end, &before, &after, &screen, &PyList_Type, &said,
                          &encode, &PyDict_Type, &folded, &PyDict_Type, &glances, &loud, &kept, &most))
        return NULL;
    if (kept < 0 || most < kept) {
        PyErr_SetString(PyExc_ValueError, "more is kept than there is");
        return NULL;
    }
    Lane *lane = (Lane *)type->tp_alloc(type, 0);
    if (lane == NULL) return NULL;
    lane->begin = Py_NewRef(begin), lane->end = Py_NewRef(end);
    lane->before = Py_NewRef(before), lane->after = Py_NewRef(after);
    lane->screen = Py_NewRef(screen), lane->said = Py_NewRef(said);
    lane->folded = Py_NewRef(folded), lane->glances = Py_NewRef(glances);
    lane->loud = Py_NewRef(loud), lane->encode = Py_NewRef(encode);
    lane->kept = kept, lane->most = most;
    return (PyObject *)lane;
}

static void dealloc(Lane *lane) {
    PyObject *all[] = {lane->begin, lane->end,    lane->before,  lane->after, lane->screen,
                       lane->said,  lane->folded, lane->glances, lane->loud,  lane->encode};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) Py_XDECREF(all[i]);
    Py_TYPE(lane)->tp_free((PyObject *)lane);
}

static PyMethodDef methods[] = {
    {"chunk", (PyCFunction)chunk, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject lane_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "safebelt.rooms.belt.proxy._pieces.Lane",
    .tp_basicsize = sizeof(Lane),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new_lane,
    .tp_dealloc = (destructor)dealloc,
    .tp_methods = methods,
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "safebelt.rooms.belt.proxy._pieces", NULL, -1, NULL, NULL, NULL, NULL, NULL,
};

static int name_all(void) {
    struct {
        PyObject **name;
        const char *text;
    } all[] = {{&s_calm, "_calm"}, {&s_source, "_source"}, {&s_source_at, "_source_at"}, {&s_kind, "kind"},
               {&s_window, "window"}, {&s_behind, "behind"}, {&s_passed, "passed"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (*all[i].name == NULL && (*all[i].name = PyUnicode_InternFromString(all[i].text)) == NULL) return -1;
    return 0;
}

PyMODINIT_FUNC PyInit__pieces(void) {
    if (name_all() < 0 || PyType_Ready(&lane_type) < 0) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddObjectRef(module, "Lane", (PyObject *)&lane_type) < 0) Py_CLEAR(module);
    return module;
}
