r"""The wrapper in which a text carries a C2PA manifest: a run of variation selectors after a mark, which nobody sees.

Source: C2PA 2.4, annex A.8 (`C2PATextManifestWrapper`): magic `C2PATXT\0`, version 1, length, manifest store.  Each
byte is one variation selector (0 to 15 are U+FE00 and on, the rest U+E0100 and on), and U+FEFF stands before the first.
In UTF-8 a byte of the store takes three or four bytes of the text.
"""

import re
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import Broken

_MARK, _MAGIC, _VERSION = "\ufeff", b"C2PATXT\0", 1
_LENGTH_BYTES = 4
_LOW, _HIGH, _LOWS = 0xFE00, 0xE0100, 16
_SELECTORS = [chr(_LOW + byte) if byte < _LOWS else chr(_HIGH + byte - _LOWS) for byte in range(256)]
_BYTES = {ord(selector): byte for byte, selector in enumerate(_SELECTORS)}
_LOW_BYTES = bytes(range(_LOWS))
_HEAD = len(_MAGIC) + 1 + _LENGTH_BYTES
MAX_STORE_BYTES = 8 << 20
"""Longest manifest store that is looked into."""


def _selected(data: bytes) -> str:
    return "".join(_SELECTORS[byte] for byte in data)


_START = (_MARK + _selected(_MAGIC)).encode()
"""How every wrapper begins, in UTF-8."""
_RUN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]*")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A manifest as it stands in a text.

    Attributes:
        start: Where what carries it begins, in bytes of the UTF-8 text.
        length: Its length, in bytes.
        store: The manifest store in it.
        core: Where the store itself begins and ends, where that is less than the whole: what a signer leaves out of the
            hash covers this, and is within the whole.
    """

    start: int
    length: int
    store: bytes
    core: tuple[int, int] | None = None


def wrapped(store: bytes) -> bytes:
    """Return a manifest store as a wrapper in UTF-8."""
    return (_MARK + _selected(_body(store))).encode()


def wrapped_size(store: bytes) -> int:
    """Return how many bytes `wrapped` makes of a store, without making them."""
    body = _body(store)
    high = len(body.translate(None, _LOW_BYTES))
    return len(_MARK.encode()) + 3 * (len(body) - high) + 4 * high


def found(text: bytes) -> list[Wrapper]:
    """Find every wrapper.

    Args:
        text: In UTF-8.

    Raises:
        Broken: One begins and does not hold what it says, is of another version, or is too long.
    """
    wrappers = list[Wrapper]()
    at = text.find(_START)
    while at >= 0:
        wrappers.append(_wrapper(text, at))
        at = text.find(_START, at + wrappers[-1].length)
    return wrappers


def _wrapper(text: bytes, at: int) -> Wrapper:
    mark = len(_MARK.encode())
    head = _run(text, at + mark, _HEAD)
    size = int.from_bytes(head[len(_MAGIC) + 1 :])
    if len(head) < _HEAD or head[len(_MAGIC)] != _VERSION or size > MAX_STORE_BYTES:
        raise Broken("a C2PA wrapper in the text that is cut, of another version, or too long")
    body = _run(text, at + mark, _HEAD + size)
    if len(body) != _HEAD + size:
        raise Broken("a C2PA wrapper in the text that is cut")
    return Wrapper(at, wrapped_size(body[_HEAD:]), body[_HEAD:])


def _run(text: bytes, at: int, count: int) -> bytes:
    """Return at most so many bytes that variation selectors from here on stand for."""
    run = _RUN.match(text[at : at + 4 * count].decode("utf-8", "ignore"))
    assert run is not None  # noqa: S101  it matches nothing, too
    return bytes(_BYTES[ord(selector)] for selector in run.group()[:count])


def _body(store: bytes) -> bytes:
    return _MAGIC + bytes([_VERSION]) + len(store).to_bytes(_LENGTH_BYTES) + store
