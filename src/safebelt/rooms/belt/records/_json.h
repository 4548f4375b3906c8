/* Writing JSON as `msgspec` writes it, into a buffer whose size was worked out before. */
#ifndef SAFEBELT_JSON_H
#define SAFEBELT_JSON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Bytes somewhere else, which their owner keeps. */
typedef struct {
    const uint8_t *data;
    Py_ssize_t size;
} Span;

static int is_plain(uint8_t byte) { return byte >= 0x20 && byte != '"' && byte != '\\'; }

static Py_ssize_t room_of(Span text) {
    Py_ssize_t room = text.size;
    for (Py_ssize_t i = 0; i < text.size; i++) room += is_plain(text.data[i]) ? 0 : 5;
    return room;
}

static uint8_t *put(uint8_t *to, const void *data, Py_ssize_t size) {
    memcpy(to, data, (size_t)size);
    return to + size;
}

#define PUT(to, text) put(to, text, (Py_ssize_t)sizeof(text) - 1)

static uint8_t *put_hex(uint8_t *to, const uint8_t *data, Py_ssize_t size) {
    for (Py_ssize_t i = 0; i < size; i++) {
        *to++ = (uint8_t)"0123456789abcdef"[data[i] >> 4];
        *to++ = (uint8_t)"0123456789abcdef"[data[i] & 15];
    }
    return to;
}

static uint8_t *put_number(uint8_t *to, long long number) {
    uint8_t digits[20], *from = digits + sizeof digits;
    do *--from = (uint8_t)('0' + number % 10);
    while (number /= 10);
    return put(to, from, digits + sizeof digits - from);
}

static uint8_t *put_escaped(uint8_t *to, uint8_t byte) {
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = byte ? strchr(named, byte) : NULL;
    *to++ = '\\';
    if (found) {
        *to++ = (uint8_t)letters[found - named];
        return to;
    }
    return put_hex(PUT(to, "u00"), &byte, 1);
}

static uint8_t *put_text(uint8_t *to, Span text) {
    for (Py_ssize_t i = 0; i < text.size; i++) {
        if (is_plain(text.data[i])) *to++ = text.data[i];
        else to = put_escaped(to, text.data[i]);
    }
    return to;
}

#endif
