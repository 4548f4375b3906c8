"""CBOR, as far as manifests need it: whole numbers, bytes, text, lists, maps, tags, true, false, nothing.

Source: RFC 8949.  Written in the shortest form with definite lengths, a map's keys in the order they are given.  What
is read may be anything: whoever needs to know that it was in this form writes it again and compares.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType
from typing import Any

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG = range(7)
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
_SIMPLES: dict[int, Any] = {20: False, 21: True, 22: None}
_MAX_DEPTH = 16
"""Lists in maps in lists: manifests have six."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a tag before it."""

    tag: int
    value: Any


@dataclass(frozen=True, slots=True)
class Written:
    """A value that was written before."""

    data: bytes


def encode(value: Any) -> bytes:
    """Write a value.

    Raises:
        TypeError: It is of no kind known here.
        OverflowError: A whole number does not fit into 64 bits.
    """
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise TypeError(f"no CBOR for {type(value).__name__}")
    return writer(value)


def decode(data: bytes) -> Any:
    """Read one value that fills the bytes.

    Raises:
        ValueError: It is no CBOR, of a kind not known here, nested too deep, or something follows it.
    """
    try:
        value, at = _taken(data, 0, 0)
    except (IndexError, TypeError) as error:  # bytes that end too soon; a key that is a list or a map
        raise ValueError("a value that is not whole, or a key that is none") from error
    if at != len(data):
        raise ValueError("bytes after the value")
    return value


def decode_at(data: bytes, at: int) -> Any:
    """Read the value at an offset, whatever follows it.

    Raises:
        ValueError: As `decode`.
    """
    try:
        return _taken(data, at, 0)[0]
    except (IndexError, TypeError) as error:  # as above
        raise ValueError("a value that is not whole, or a key that is none") from error


def _number(value: int) -> bytes:
    return _head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value)


def _text(value: str) -> bytes:
    raw = value.encode()
    size = len(raw)
    return (bytes((_TEXT << 5 | size,)) if size < 24 else _head(_TEXT, size)) + raw


@lru_cache(maxsize=512)
def _name(value: str) -> bytes:
    """Write a text that is a key: there are few, and they come again."""
    return _text(value)


def _map(value: dict[Any, Any]) -> bytes:
    pieces = [_head(_MAP, len(value))]
    for key, one in value.items():
        pieces += (_name(key) if type(key) is str else encode(key), encode(one))
    return b"".join(pieces)


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    str: _text,
    bytes: lambda value: _head(_BYTES, len(value)) + value,
    int: _number,
    dict: _map,
    list: lambda value: _head(_LIST, len(value)) + b"".join(map(encode, value)),
    Tagged: lambda value: _head(_TAG, value.tag) + encode(value.value),
    bool: lambda value: b"\xf5" if value else b"\xf4",
    NoneType: lambda _: b"\xf6",
    Written: lambda value: value.data,
}


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major << 5 | argument,))
    for short, width in _WIDTHS.items():
        if argument < 1 << 8 * width:
            return bytes((major << 5 | short,)) + argument.to_bytes(width)
    raise OverflowError("a number of more than 64 bits")


def _taken(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the value at an offset, and where it ends."""
    first = data[at]
    short, at = first & 31, at + 1
    if short < 24:
        return _READERS[first >> 5](data, at, short, depth)
    width = _WIDTHS.get(short)
    if width is None or at + width > len(data):
        raise ValueError("a length that is not whole, or not definite")
    return _READERS[first >> 5](data, at + width, int.from_bytes(data[at : at + width]), depth)


def _bytes_taken(data: bytes, at: int, size: int, _: int) -> tuple[bytes, int]:
    end = at + size
    if end > len(data):
        raise ValueError("a string that ends beyond the bytes")
    return data[at:end], end


def _text_taken(data: bytes, at: int, size: int, depth: int) -> tuple[str, int]:
    raw, end = _bytes_taken(data, at, size, depth)
    return raw.decode(), end


def _list_taken(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    if count > len(data) - at or depth > _MAX_DEPTH:  # each value takes a byte at least
        raise ValueError("more values than bytes, or nested too deep")
    values = list[Any]()
    for _ in range(count):
        value, at = _taken(data, at, depth + 1)
        values.append(value)
    return values, at


def _map_taken(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    values, at = _list_taken(data, at, 2 * count, depth)
    return dict(zip(values[::2], values[1::2], strict=True)), at


def _tag_taken(data: bytes, at: int, tag: int, depth: int) -> tuple[Tagged, int]:
    (value,), at = _list_taken(data, at, 1, depth)
    return Tagged(tag, value), at


def _simple_taken(_: bytes, at: int, number: int, __: int) -> tuple[Any, int]:
    if number not in _SIMPLES:
        raise ValueError("a kind of value that is not known here")
    return _SIMPLES[number], at


_READERS: tuple[Callable[[bytes, int, int, int], tuple[Any, int]], ...] = (
    lambda _, at, number, __: (number, at),
    lambda _, at, number, __: (-1 - number, at),
    _bytes_taken,
    _text_taken,
    _list_taken,
    _map_taken,
    _tag_taken,
    _simple_taken,
)
"""By major type (RFC 8949, 3.1)."""
