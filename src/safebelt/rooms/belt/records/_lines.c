/* Records as lines, chained and hashed into their tree: what most of writing a record went into.  `lines.py` says what
 * this takes and gives, and does the same without a compiler; tests hold both alike.
 *
 * Every draft is taken apart and judged before the first byte is written, into a buffer of the size they ask for;
 * nothing is kept from one call to the next, so any number of threads may call.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_json.h"
#include "_sha256.h"

#define SALT 16
#define HEX (2 * HASH)
#define LEVELS 64
/* Room for what is the same in every line: names of keys, signs, three numbers, and hashes as digits. */
#define FRAME 400
/* Hashing more than this lets other threads run: it takes as long as a change of thread does. */
#define LONG 100000
/* No file is longer, and no segment holds more. */
#define FAR ((Py_ssize_t)1 << 60)

static Rounds rounds;
static PyObject *name_type, *name_id, *name_facts, *name_data;

typedef struct {
    PyObject *type, *id, *facts, *data;
    Span type_text, id_text;
} Draft;

/* A tree's right edge: the root of the perfect subtree on each level, or nothing there. */
typedef struct {
    uint8_t hash[LEVELS][HASH];
    PyObject *kept[LEVELS]; /* as it came in; borrowed from a list of our own */
    char is_there[LEVELS], is_new[LEVELS];
    Py_ssize_t levels;
} Edge;

typedef struct {
    Draft *drafts;
    Py_ssize_t count, seq, offset;
    Span salts, segment, last, stamp;
    long long heads;
    PyObject *segment_name, *intents, *opened, *ended, *edge_before;
    Edge edge;
} Group;

static int text_of(PyObject *from, Span *to) {
    if (!PyUnicode_CheckExact(from)) {
        PyErr_Format(PyExc_TypeError, "text is asked for, not %.80s", Py_TYPE(from)->tp_name);
        return -1;
    }
    to->data = (const uint8_t *)PyUnicode_AsUTF8AndSize(from, &to->size);
    return to->data == NULL ? -1 : 0;
}

static int is_text(Span text, const char *other) {
    return text.size == (Py_ssize_t)strlen(other) && memcmp(text.data, other, strlen(other)) == 0;
}

/* ------------------------------------------------------------------ one line */

/* A node of the tree. */
static void hash_node(uint8_t *hash, const uint8_t *data, Py_ssize_t size) {
    Sha sha;
    sha_begin(&sha, rounds);
    sha_add(&sha, (const uint8_t *)"\x01", 1);
    sha_add(&sha, data, (size_t)size);
    sha_end(&sha, hash);
}

/* What the next line is chained to, and the line's leaf in the tree. */
static void hash_line(uint8_t *link, uint8_t *leaf, const uint8_t *line, Py_ssize_t size) {
    Sha chained, hung;
    sha_begin(&chained, rounds);
    sha_begin(&hung, rounds);
    sha_add(&hung, (const uint8_t *)"\x00", 1);
    sha_add_to_both(&chained, &hung, line, (size_t)size);
    sha_end(&chained, link);
    sha_end(&hung, leaf);
}

#define CONTENT_BEGINS "{\"data\":"
#define SALT_BEGINS ",\"salt\":\""
#define CONTENT_ENDS "\"}"

static uint8_t *put_digest(uint8_t *to, PyObject *data, const uint8_t *salt) {
    uint8_t hash[HASH], tail[80], *end;
    Sha sha;
    if (data == Py_None) return PUT(to, "none");
    end = PUT(put_hex(PUT(tail, SALT_BEGINS), salt, SALT), CONTENT_ENDS);
    sha_begin(&sha, rounds);
    sha_add(&sha, (const uint8_t *)CONTENT_BEGINS, sizeof(CONTENT_BEGINS) - 1);
    const uint8_t *bytes = (const uint8_t *)PyBytes_AS_STRING(data);
    size_t size = (size_t)PyBytes_GET_SIZE(data);
    if (size > LONG) {
        Py_BEGIN_ALLOW_THREADS
        sha_add(&sha, bytes, size);
        Py_END_ALLOW_THREADS
    } else {
        sha_add(&sha, bytes, size);
    }
    sha_add(&sha, tail, (size_t)(end - tail));
    sha_end(&sha, hash);
    return put_hex(PUT(to, "sha256:"), hash, HASH);
}

static uint8_t *put_content(uint8_t *to, PyObject *data, const uint8_t *salt) {
    if (data == Py_None) return to;
    to = put(PUT(to, CONTENT_BEGINS), PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data));
    return PUT(put_hex(PUT(to, SALT_BEGINS), salt, SALT), CONTENT_ENDS);
}

/* Where an outcome's intent stands: borrowed from nobody; Py_None where it is not known, NULL after an error. */
static PyObject *began_at(Group *group, PyObject *id) {
    PyObject *place = PyDict_GetItemWithError(group->opened, id);
    if (place != NULL) {
        Py_INCREF(place);
        if (PyDict_DelItem(group->opened, id) < 0) Py_CLEAR(place);
    } else if (!PyErr_Occurred()) {
        int is_ended = PySet_Contains(group->ended, id);
        if (is_ended == 0) place = PyDict_GetItemWithError(group->intents, id);
        if (place == NULL && (is_ended < 0 || PyErr_Occurred())) return NULL;
        if (place == NULL) place = Py_None;
        Py_INCREF(place);
    }
    if (place != NULL && PySet_Add(group->ended, id) < 0) Py_CLEAR(place);
    return place;
}

/* Take a place apart. */
static int place_of(PyObject *place, Span *segment, long long *offset) {
    if (!PyTuple_Check(place) || PyTuple_GET_SIZE(place) != 2) {
        PyErr_SetString(PyExc_TypeError, "a place is a segment and an offset");
        return -1;
    }
    if (text_of(PyTuple_GET_ITEM(place, 0), segment) < 0) return -1;
    *offset = PyLong_AsLongLong(PyTuple_GET_ITEM(place, 1));
    if (*offset < 0 && !PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "an offset is not negative");
    return PyErr_Occurred() ? -1 : 0;
}

static int open_at(Group *group, PyObject *id, Py_ssize_t offset) {
    PyObject *place = Py_BuildValue("(On)", group->segment_name, offset);
    int done = place == NULL ? -1 : PyDict_SetItem(group->opened, id, place);
    Py_XDECREF(place);
    return done;
}

/* A buffer that grows, for places that may be longer than any we would make. */
typedef struct {
    PyObject *bytes;
    Py_ssize_t used;
} Out;

static int make_room(Out *out, Py_ssize_t more) {
    Py_ssize_t size = PyBytes_GET_SIZE(out->bytes);
    if (more <= size - out->used) return 0;
    if (more > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    return _PyBytes_Resize(&out->bytes, out->used + more > 2 * size ? out->used + more : 2 * size);
}

static Py_ssize_t room_for(const Group *group, const Draft *draft) {
    Py_ssize_t data = draft->data == Py_None ? 0 : PyBytes_GET_SIZE(draft->data);
    return FRAME + room_of(group->stamp) + PyBytes_GET_SIZE(draft->facts) + room_of(draft->id_text) +
           room_of(draft->type_text) + data;
}

static int put_line(Group *group, Py_ssize_t at, Out *out, PyObject *began, uint8_t *link, uint8_t *leaf) {
    const Draft *draft = &group->drafts[at];
    const uint8_t *salt = group->salts.data + at * SALT;
    Span segment = {NULL, 0};
    long long offset = 0;
    if (began != Py_None && place_of(began, &segment, &offset) < 0) return -1;
    if (make_room(out, room_for(group, draft) + room_of(segment) + (at ? 0 : room_of(group->last))) < 0) return -1;
    uint8_t *begin = (uint8_t *)PyBytes_AS_STRING(out->bytes) + out->used, *to = begin;
    to = put_text(PUT(to, "{\"at\":\""), group->stamp);
    to = put_digest(PUT(to, "\",\"content\":\""), draft->data, salt);
    to = put(PUT(to, "\",\"facts\":"), PyBytes_AS_STRING(draft->facts), PyBytes_GET_SIZE(draft->facts));
    to = put_number(PUT(to, ",\"heads\":"), group->heads);
    to = put_text(PUT(to, ",\"id\":\""), draft->id_text);
    if (segment.data != NULL)
        to = PUT(put_number(PUT(put_text(PUT(to, "\",\"intent\":[\""), segment), "\","), offset), "],\"prev\":\"");
    else
        to = PUT(to, "\",\"prev\":\"");
    to = at ? put_hex(to, link, HASH) : put_text(to, group->last);
    to = put_number(PUT(to, "\",\"seq\":"), group->seq + at);
    to = PUT(put_text(PUT(to, ",\"type\":\""), draft->type_text), "\",\"v\":1}");
    hash_line(link, leaf, begin, to - begin);
    *to++ = '\t';
    to = put_content(to, draft->data, salt);
    *to++ = '\n';
    out->used += to - begin;
    return 0;
}

/* ------------------------------------------------------------------ the tree */

static int take_edge(Edge *edge, PyObject *from) {
    if (PyList_GET_SIZE(from) > LEVELS - 1) goto wrong;
    edge->levels = PyList_GET_SIZE(from);
    for (Py_ssize_t i = 0; i < edge->levels; i++) {
        PyObject *node = edge->kept[i] = PyList_GET_ITEM(from, i);
        edge->is_new[i] = 0;
        edge->is_there[i] = node != Py_None;
        if (node == Py_None) continue;
        if (!PyBytes_CheckExact(node) || PyBytes_GET_SIZE(node) != HASH) goto wrong;
        memcpy(edge->hash[i], PyBytes_AS_STRING(node), HASH);
    }
    return 0;
wrong:
    PyErr_SetString(PyExc_TypeError, "a tree's edge is a list of hashes");
    return -1;
}

static int grow(Edge *edge, const uint8_t *leaf) {
    uint8_t carry[HASH], pair[2 * HASH];
    Py_ssize_t level = 0;
    memcpy(carry, leaf, HASH);
    for (; level < edge->levels && edge->is_there[level]; level++) {
        memcpy(put(pair, edge->hash[level], HASH), carry, HASH);
        hash_node(carry, pair, sizeof pair);
        edge->is_there[level] = 0;
        edge->is_new[level] = 1;
    }
    if (level == edge->levels && edge->levels++ == LEVELS - 1) {
        PyErr_SetString(PyExc_OverflowError, "no tree has so many leaves");
        return -1;
    }
    memcpy(edge->hash[level], carry, HASH);
    edge->is_there[level] = edge->is_new[level] = 1;
    return 0;
}

static PyObject *edge_of(const Edge *edge) {
    PyObject *made = PyList_New(edge->levels);
    for (Py_ssize_t i = 0; made != NULL && i < edge->levels; i++) {
        PyObject *node = Py_None;
        if (!edge->is_new[i]) node = Py_NewRef(edge->kept[i]);
        else if (!edge->is_there[i]) Py_INCREF(node);
        else node = PyBytes_FromStringAndSize((const char *)edge->hash[i], HASH);
        if (node == NULL) Py_CLEAR(made);
        else PyList_SET_ITEM(made, i, node);
    }
    return made;
}

/* ------------------------------------------------------------------ a group */

static void let_go(Group *group) {
    for (Py_ssize_t i = 0; i < group->count; i++) {
        Py_XDECREF(group->drafts[i].type);
        Py_XDECREF(group->drafts[i].id);
        Py_XDECREF(group->drafts[i].facts);
        Py_XDECREF(group->drafts[i].data);
    }
    PyMem_Free(group->drafts);
    Py_XDECREF(group->opened);
    Py_XDECREF(group->ended);
    Py_XDECREF(group->edge_before);
}

static int take_draft(Draft *draft, PyObject *from) {
    if ((draft->type = PyObject_GetAttr(from, name_type)) == NULL) return -1;
    if ((draft->id = PyObject_GetAttr(from, name_id)) == NULL) return -1;
    if ((draft->facts = PyObject_GetAttr(from, name_facts)) == NULL) return -1;
    if ((draft->data = PyObject_GetAttr(from, name_data)) == NULL) return -1;
    if (text_of(draft->type, &draft->type_text) < 0 || text_of(draft->id, &draft->id_text) < 0) return -1;
    if (PyBytes_CheckExact(draft->facts) && (draft->data == Py_None || PyBytes_CheckExact(draft->data))) return 0;
    PyErr_SetString(PyExc_TypeError, "a draft's facts are bytes, and so is its content, or there is none");
    return -1;
}

/* Take all drafts; other code may run meanwhile, and what it does to the list changes nothing here. */
static int take_drafts(Group *group, PyObject *from) {
    PyObject *all = PySequence_Tuple(from);
    if (all == NULL) return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(all);
    group->drafts = PyMem_Calloc((size_t)count + 1, sizeof(Draft));
    int done = group->drafts == NULL ? (PyErr_NoMemory(), -1) : 0;
    if (done == 0 && group->salts.size != count * SALT) {
        PyErr_SetString(PyExc_ValueError, "every draft needs its salt");
        done = -1;
    }
    for (Py_ssize_t i = 0; done == 0 && i < count; i++) {
        group->count = i + 1;
        done = take_draft(&group->drafts[i], PyTuple_GET_ITEM(all, i));
    }
    Py_DECREF(all);
    return done;
}

static int write_all(Group *group, Out *out, uint8_t *link) {
    uint8_t leaf[HASH] = {0};
    for (Py_ssize_t i = 0; i < group->count; i++) {
        const Draft *draft = &group->drafts[i];
        PyObject *began = Py_NewRef(Py_None);
        if (is_text(draft->type_text, "outcome")) Py_SETREF(began, began_at(group, draft->id));
        int done = began == NULL ? -1 : 0;
        if (done == 0 && is_text(draft->type_text, "intent"))
            done = open_at(group, draft->id, group->offset + out->used);
        if (done == 0) done = put_line(group, i, out, began, link, leaf);
        Py_XDECREF(began);
        if (done < 0 || grow(&group->edge, leaf) < 0) return -1;
    }
    return 0;
}

static PyObject *given_out(Group *group) {
    uint8_t link[HASH] = {0}, digits[HEX];
    Py_ssize_t size = FRAME;
    for (Py_ssize_t i = 0; i < group->count; i++) size += room_for(group, &group->drafts[i]);
    Out out = {PyBytes_FromStringAndSize(NULL, size), 0};
    if (out.bytes == NULL) return NULL;
    if (take_edge(&group->edge, group->edge_before) < 0 || write_all(group, &out, link) < 0) goto failed;
    if (_PyBytes_Resize(&out.bytes, out.used) < 0) goto failed;
    put_hex(digits, link, HASH);
    PyObject *edge = edge_of(&group->edge), *last = NULL;
    if (edge != NULL && group->count) last = PyUnicode_FromStringAndSize((const char *)digits, HEX);
    else if (edge != NULL) last = PyUnicode_FromStringAndSize((const char *)group->last.data, group->last.size);
    if (last != NULL) return Py_BuildValue("(NNNOO)", out.bytes, last, edge, group->opened, group->ended);
    Py_XDECREF(edge);
failed:
    Py_XDECREF(out.bytes);
    return NULL;
}

static PyObject *lines(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *drafts, *salts, *last, *stamp, *edge, *made = NULL;
    Group group = {0};
    if (!PyArg_ParseTuple(args, "OSUnnUULO!O!", &drafts, &salts, &group.segment_name, &group.seq, &group.offset, &last,
                          &stamp, &group.heads, &PyDict_Type, &group.intents, &PyList_Type, &edge))
        return NULL;
    if (group.seq < 0 || group.seq > FAR || group.offset < 0 || group.offset > FAR || group.heads < 0) {
        PyErr_SetString(PyExc_ValueError, "no such place");
        return NULL;
    }
    if (text_of(group.segment_name, &group.segment) < 0 || text_of(last, &group.last) < 0) return NULL;
    if (text_of(stamp, &group.stamp) < 0) return NULL;
    group.salts = (Span){(const uint8_t *)PyBytes_AS_STRING(salts), PyBytes_GET_SIZE(salts)};
    group.opened = PyDict_New();
    group.ended = PySet_New(NULL);
    group.edge_before = PyList_GetSlice(edge, 0, PyList_GET_SIZE(edge));
    if (group.opened != NULL && group.ended != NULL && group.edge_before != NULL && take_drafts(&group, drafts) == 0)
        made = given_out(&group);
    let_go(&group);
    return made;
}

/* The hash alone, so that tests can hold it against others: by the processor, or by sums. */
static PyObject *digest(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *parts;
    uint8_t hash[HASH];
    int is_by_sums;
    Sha sha;
    if (!PyArg_ParseTuple(args, "O!p", &PyTuple_Type, &parts, &is_by_sums)) return NULL;
    sha_begin(&sha, is_by_sums ? rounds_plain : rounds);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(parts); i++) {
        PyObject *part = PyTuple_GET_ITEM(parts, i);
        if (!PyBytes_CheckExact(part)) return PyErr_Format(PyExc_TypeError, "bytes are hashed");
        sha_add(&sha, (const uint8_t *)PyBytes_AS_STRING(part), (size_t)PyBytes_GET_SIZE(part));
    }
    sha_end(&sha, hash);
    return PyBytes_FromStringAndSize((const char *)hash, HASH);
}

static PyMethodDef methods[] = {
    {"lines", lines, METH_VARARGS, NULL},
    {"digest", digest, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "safebelt.rooms.belt.records._lines", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__lines(void) {
    rounds = best_rounds();
    name_type = PyUnicode_InternFromString("type");
    name_id = PyUnicode_InternFromString("id");
    name_facts = PyUnicode_InternFromString("facts");
    name_data = PyUnicode_InternFromString("data");
    if (name_type == NULL || name_id == NULL || name_facts == NULL || name_data == NULL) return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && PyModule_AddIntConstant(module, "BY_PROCESSOR", rounds != rounds_plain) < 0)
        Py_CLEAR(module);
    return module;
}
