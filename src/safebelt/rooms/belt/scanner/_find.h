/* Words looked for in a folded text: a tree of letters (`_tree.h`), entered wherever a word may begin.
 *
 * Most places are passed by at one glance at a few marks, which fit a processor's nearest cache: by two letters that
 * begin no word, or, since a word of ASCII letters keeps to word boundaries, by letters up to the next boundary that no
 * word begins with.
 */
#ifndef SAFEBELT_FIND_H
#define SAFEBELT_FIND_H

#include <Python.h>
#include <string.h>

#include "_texts.h"
#include "_tree.h"

typedef struct {
    uint32_t word, start, end;
} Hit;

typedef struct {
    Hit *items;
    Py_ssize_t size, room;
} Hits;

/* The letters in which words are looked for, and NOTHING some times behind them; where each stands in the text, or NULL
 * where that is the same place. */
typedef struct {
    uint32_t *codes, *places;
    uint32_t size;
} View;

static inline uint32_t place_of(const View *view, uint32_t at) { return view->places ? view->places[at] : at; }

static inline int joins(const Text *text, uint32_t place) {
    return place > 0 && place < text->size && is_letter(code_at(text, place)) && is_letter(code_at(text, place - 1));
}

static int add_hit(Hits *to, uint32_t word, uint32_t start, uint32_t end) {
    if (to->size == to->room) {
        Py_ssize_t room = to->room + to->room / 2 + 16;
        Hit *items = room > MOST ? NULL : PyMem_Realloc(to->items, (size_t)room * sizeof(Hit));
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        to->items = items;
        to->room = room;
    }
    to->items[to->size++] = (Hit){word, start, end};
    return 0;
}

static uint32_t follow(const Words *words, uint32_t node, uint32_t code) {
    const Edge *edges = words->edges + words->nodes[node].first;
    uint32_t low = 0, high = words->nodes[node].count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (edges[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < words->nodes[node].count && edges[low].code == code ? edges[low].to : NONE;
}

static inline int may_begin(const Words *words, const View *view, uint32_t at) {
    const uint32_t *codes = view->codes + at; /* see BEHIND */
    uint32_t two = mixed(codes[0], codes[1]);
    int are_two = is_marked(&words->begin, two);
    if (are_two && (is_marked(&words->begin, mixed(two, codes[2])) || is_marked(&words->begin, mixed(two, ALONE)))) return 1;
    return words->has_single && is_marked(&words->begin, mixed(codes[0], ALONE));
}

/* Add the words that stand at a place of a view, by their places in it. */
static int words_at(const Words *words, const View *view, uint32_t at, Hits *to) {
    uint32_t rest = view->size - at, depth = 1, next = words->roots[root_of(words, view->codes[at])].to;
    while (next != NONE && !(next & LEAF)) {
        uint32_t word = words->nodes[next].word;
        if (word != NONE && add_hit(to, word, at, at + depth) < 0) return -1;
        next = depth < rest ? follow(words, next, view->codes[at + depth]) : NONE;
        depth++;
    }
    if (next == NONE) return 0;
    uint32_t word = next & ~LEAF, length = length_of(words, word);
    if (length > rest) return 0;
    const uint32_t *letters = words->letters + words->begins[word];
    size_t tail = (length - depth) * sizeof(uint32_t);
    if (tail && memcmp(view->codes + at + depth, letters + depth, tail) != 0) return 0;
    return add_hit(to, word, at, at + length);
}

static inline int is_blank(uint32_t code) { return (code == ' ') | (code == '\n') | (code == '\t'); }

/* Read a run of blanks and stars as what it counts for; return where it ends. */
static uint32_t add_run(const Words *words, const Text *text, uint32_t at, View *view) {
    uint32_t end = at, lines = 0, blanks = 0;
    for (; end < text->size; end++) {
        uint32_t code = code_at(text, end);
        if (code != '*' && !is_blank(code)) break;
        lines += code == '\n';
        blanks += code != '*';
    }
    int is_break = end - at > words->gap || lines > 1;
    if (is_break || blanks) {
        view->codes[view->size] = is_break ? '\n' : ' ';
        view->places[view->size++] = at;
    }
    return end;
}

/* Whether a character is a star, or a blank like the one before it: else a text's plain view is itself. */
static inline uint32_t is_run(uint32_t before, uint32_t code) {
    return (uint32_t)(code == '*') | (uint32_t)(is_blank(code) & is_blank(before));
}

static int has_runs(const Text *text) {
    uint32_t found = text->size > 0 && code_at(text, 0) == '*';
    if (text->ascii)
        for (uint32_t at = 1; at < text->size; at++) found |= is_run(text->ascii[at - 1], text->ascii[at]);
    else
        for (uint32_t at = 1; at < text->size; at++)
            found |= is_run(CODE(text->entries[at - 1]), CODE(text->entries[at]));
    return (int)found;
}

/* Show a text that has no runs: every blank a space. */
static void fill_alike(const Text *text, View *view) {
    if (text->ascii)
        for (uint32_t at = 0; at < text->size; at++)
            view->codes[at] = is_blank(text->ascii[at]) ? ' ' : text->ascii[at];
    else
        for (uint32_t at = 0; at < text->size; at++) {
            uint32_t code = CODE(text->entries[at]);
            view->codes[at] = is_blank(code) ? ' ' : code;
        }
}

static void fill_by_table(const Words *words, const Text *text, View *view) {
    for (uint32_t at = 0; at < text->size; at++) {
        uint32_t code = code_at(text, at);
        view->codes[at] = code < 128 ? words->table[code] : code;
    }
}

static void fill_view(const Words *words, const Text *text, View *view) {
    if (words->has_table || !has_runs(text)) {
        view->places = NULL;
        view->size = text->size;
        if (words->has_table)
            fill_by_table(words, text, view);
        else
            fill_alike(text, view);
    } else {
        for (uint32_t at = 0; at < text->size;) {
            uint32_t code = code_at(text, at);
            if (code == '*' || is_blank(code)) {
                at = add_run(words, text, at, view);
            } else {
                view->codes[view->size] = code;
                view->places[view->size++] = at++;
            }
        }
    }
    for (uint32_t i = 0; i < BEHIND; i++) view->codes[view->size + i] = NOTHING;
}

/* Keep of the words found since `from`, by places in the view, those that stand alone, by places in the text. */
static void settle(const View *view, const Text *text, Py_ssize_t from, Hits *hits) {
    Py_ssize_t kept = from;
    for (Py_ssize_t i = from; i < hits->size; i++) {
        Hit hit = hits->items[i];
        uint32_t end = place_of(view, hit.end - 1) + 1;
        if (!joins(text, end)) hits->items[kept++] = (Hit){hit.word, place_of(view, hit.start), end};
    }
    hits->size = kept;
}

/* Whether a letter of a view stands in the text as it is, right behind the one before it. */
static inline int is_as_it_is(const Words *words, const Text *text, const View *view, uint32_t at, uint32_t first) {
    if (view->places) return view->places[at] - view->places[first] == at - first;
    return !words->has_table || is_letter(code_at(text, at)); /* no sign for a letter */
}

/* Return where the letters end that no word begins with, up to a boundary; `at` where that is not known of them. */
static inline uint32_t passed_by(const Words *words, const Text *text, const View *view, uint32_t at) {
    uint32_t end = at;
    if (view->places || words->has_table) {
        for (; is_letter(view->codes[end]); end++)
            if (!is_as_it_is(words, text, view, end, at)) return at; /* boundaries are others */
    } else {
        while (is_letter(view->codes[end])) end++;
    }
    return is_marked(&words->whole, all_mixed(view->codes + at, end - at)) ? at : end;
}

static int find_in(const Words *words, const Text *text, const View *view, Hits *hits) {
    for (uint32_t at = 0; at < view->size;) {
        uint32_t code = view->codes[at], end = at;
        if (is_letter(code))
            end = joins(text, place_of(view, at)) ? at + 1 : passed_by(words, text, view, at);
        else if (code < 128 && !words->starts[code])
            end = at + 1;
        if (end > at) {
            at = end;
            continue;
        }
        Py_ssize_t from = hits->size;
        if (may_begin(words, view, at) && words_at(words, view, at, hits) < 0) return -1;
        if (hits->size > from) settle(view, text, from, hits);
        at++;
    }
    return 0;
}

/* Say whether a run of letters that stand alone spells a word. */
static int spells(const Words *words, const View *run, Hits *hits) {
    for (uint32_t at = 0; at + 1 < run->size; at++) {
        if (!is_marked(&words->begin, mixed(run->codes[at], run->codes[at + 1]))) continue;
        hits->size = 0;
        if (words_at(words, run, at, hits) < 0) return -1;
        for (Py_ssize_t i = 0; i < hits->size; i++)
            if (hits->items[i].end - hits->items[i].start > 1) return 1;
    }
    return 0;
}

/* Append where a run begins to a list, if it spells a word, and let the next one begin; 1 where there is no list. */
static int end_run(const Words *words, uint32_t start, View *run, Hits *hits, PyObject *found) {
    int said = run->size < 2 ? 0 : spells(words, run, hits);
    run->size = 0;
    if (said <= 0 || found == NULL) return said;
    PyObject *place = PyLong_FromUnsignedLong(start);
    said = place == NULL ? -1 : PyList_Append(found, place);
    Py_XDECREF(place);
    return said; /* 0, or -1 */
}

/* Return the next letter behind a place within the gap, if it stands alone and not right beside it; else the place. */
static inline uint32_t next_alone(const Words *words, const Text *text, const Masks *masks, uint32_t at) {
    uint32_t last = words->gap < text->size - 1 - at ? at + words->gap + 1 : text->size - 1;
    size_t block = (at + 1) / 64; /* there is one more block of masks than the text has */
    uint64_t bits = masks->letters[block] & UINT64_MAX << (at + 1) % 64;
    while (!bits && block < last / 64) bits = masks->letters[++block];
    uint32_t next = bits ? (uint32_t)block * 64 + (uint32_t)__builtin_ctzll(bits) : UINT32_MAX;
    return next <= last && next > at + 1 && has_bit(masks->alone, next) ? next : at;
}

/* Append where runs of letters begin that stand alone, a few signs between, and spell a word; or, without a list, return
 * 1 at the first. */
static int runs_in(const Words *words, const Text *text, const Masks *masks, View *run, Hits *hits, PyObject *found) {
    uint32_t done = 0;
    for (size_t block = 0; block < masks->size; block++) {
        uint64_t follows = masks->letters[block] >> 1 | masks->letters[block + 1] << 63;
        for (uint64_t begins = masks->alone[block] & ~follows; begins; begins &= begins - 1) {
            uint32_t start = (uint32_t)block * 64 + (uint32_t)__builtin_ctzll(begins), at = start, next;
            if (start < done) continue;
            run->codes[run->size++] = code_at(text, at);
            while ((next = next_alone(words, text, masks, at)) > at) run->codes[run->size++] = code_at(text, at = next);
            done = at + 1;
            int said = end_run(words, start, run, hits, found);
            if (said != 0) return said;
        }
    }
    return 0;
}

static int make_view(const Text *text, View *view) {
    view->size = 0;
    view->codes = PyMem_Malloc(((size_t)text->size * 2 + BEHIND) * sizeof(uint32_t));
    if (view->codes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    view->places = view->codes + text->size + BEHIND;
    return 0;
}

#endif
