"""The scanner's inner loops in C, where a compiler was at hand when this was installed (ADR 0038, ADR 0044).

`_fast.c` folds a text through one packed table; `_words.c` finds words in what it gives.  Without them everything is
found all the same, two to three times slower; `arrays` and `by_hyperscan` hold the plain form.
"""

import unicodedata
from array import array
from collections.abc import Callable, Sequence
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from safebelt.rooms.belt.scanner.chars import MAX_INVISIBLE, UNICODE, Table, made_table
from safebelt.rooms.belt.scanner.shelf import Shelf

try:
    from safebelt.rooms.belt.scanner import _fast, _words

    AVAILABLE = True
except ImportError:  # installed without a compiler
    AVAILABLE = False

Fold = Callable[[str], tuple[bytes, bytes, bool]]
"""Text → folded characters in UTF-8; entries, each a character with its class; whether one may stand in another place
than its own."""

_BLOCK = 128
_CLASS_SHIFT = 21
_SEVERAL = 1 << 31
_HERE = Path(__file__).parent


class Packed(NamedTuple):
    """The folding table as `_fast.c` reads it: a code point leads to a block, and in it to an entry.

    Attributes:
        block_of: Number of a block, 16 bits, for each 128 code points.
        entries: 32 bits each: folded code point and class; or, with the highest bit set, a row of `spans`.
        spans: Where in `flat` that begins which folds to none or several, and how many they are.
        flat: Folded code points with their classes.
    """

    block_of: bytes
    entries: bytes
    spans: bytes
    flat: bytes


_table: list[Packed] = []


def have_table(shelf: Shelf | None = None) -> Packed:
    """Return the table: built once, or taken from a shelf, where it is kept from one start to the next."""
    if not _table:
        _table.append(_kept(shelf) if shelf else _packed(made_table()))
    return _table[0]


def _kept(shelf: Shelf) -> Packed:
    origin = _origin()
    try:
        data = shelf.take(origin)
        if data is not None:
            return msgspec.msgpack.decode(data, type=Packed)
    except msgspec.MsgspecError:  # the house's own, and yet another thing: built anew
        pass
    made = _packed(made_table())
    shelf.put(origin, msgspec.msgpack.encode(made))
    return made


def _origin() -> str:
    """Return the digest of everything the table is built from, and by."""
    made = sha256(b"folding table" + unicodedata.unidata_version.encode())
    for path in (_HERE / "chars.py", _HERE / "native.py", *sorted(_HERE.glob("tables/*"))):
        if path.is_file():
            made.update(path.read_bytes())
    return made.hexdigest()


def _packed(forms: Table) -> Packed:
    """Pack the table; equal blocks stand in it once, so that it fits a processor's cache."""
    codes, classes = forms.codes, forms.classes
    blocks: dict[bytes, int] = {}
    plain: dict[bytes, int] = {}  # the same before classes are added, most of which are the same ones again
    index = array("H")
    for first in range(0, UNICODE, _BLOCK):
        part = codes[first : first + _BLOCK]
        known = plain.get(part.tobytes())
        if known is None:
            entries = array("I", [_entry(code, classes) for code in part]).tobytes()
            known = plain[part.tobytes()] = blocks.setdefault(entries, len(blocks))
        index.append(known)
    flat = array("I", [_entry(ord(char), classes) for text in forms.several for char in text])
    spans, begin = array("I"), 0
    for text in forms.several:
        spans.extend((begin, len(text)))
        begin += len(text)
    return Packed(index.tobytes(), b"".join(blocks), spans.tobytes(), flat.tobytes())


def _entry(code: int, classes: bytearray) -> int:
    return code | classes[code] << _CLASS_SHIFT if code < UNICODE else (code - UNICODE) | _SEVERAL


@cache
def folder() -> Fold:
    """Return what folds a text."""
    return partial(_fast.fold, *have_table(), MAX_INVISIBLE)


def origins(text: str) -> Sequence[int]:
    """Return which character of a text each of those it folds to came from."""
    return memoryview(_fast.origins(*have_table(), MAX_INVISIBLE, text)).cast("I")


def classes(entries: bytes) -> bytes:
    """Return the class of each of some entries."""
    return _fast.classes(entries)


def tree(words: list[str], gap: int, table: bytes | None = None) -> "_words.Words":
    """Return what finds words in folded texts.

    Args:
        words: In order, each once.
        gap: Most stars and blanks that count as one blank; most signs between letters of a word that is spelled out.
        table: Given, words are looked for as this shows each character of ASCII, and stars and blanks are themselves.
    """
    return _words.Words(words, gap, table)


def glance(plain: "_words.Words", spelled: "_words.Words") -> Callable[[str], bytes | None]:
    """Return what folds a whole text, every blank a space, and gives None where there is cause to look closer.

    That is where it shows or may spell a word, or a character of it may stand in another place than its own.
    """
    return _words.Glance(*have_table(), plain, spelled).look
