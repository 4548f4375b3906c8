"""What one character folds to, and what class it is of; worked out by rule, and looked up in arrays for whole texts.

NFKD without combining marks and invisible characters, then NFKC and casefold, then letters of other scripts that pass
for ASCII ones (Unicode confusables), then one form for traditional, variant and simplified Chinese.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from safebelt.rooms.belt.scanner.tables import lines

Codes = npt.NDArray[np.uint32]

_MARKS = frozenset({"Mn", "Me"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul fillers: letters by category, blank on screen."""
_HYPHENS = frozenset("\u2010\u2012\u2013\u2212")
"""Hyphen, figure dash, en dash, minus.  The long dash 破折号 is punctuation, and no part of a number or key."""
UNKNOWN = "\ufffd"
"""Stands for characters that Unicode has not assigned, and for halves of surrogate pairs."""

WORD, IDEOGRAPH, BLANK, PROSE, SIGN = b"w", b"h", b"s", b"p", b"o"
"""Classes of folded characters: letters and digits of scripts with blanks between words; of scripts without; blanks;
punctuation of prose; any other sign."""
_PROSE = frozenset(",;:!?/()[]{}\"'<>、。“”‘’《》〈〉【】「」『』—…|&")
_CJK = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x9FFF),
        (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # fmt: skip
_SOUTH_ASIAN = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Blocks of scripts that put no blanks between words: Han and kana; Thai, Lao, Myanmar and Khmer."""

UNICODE = 0x110000
"""How many code points there are."""


@cache
def _same() -> dict[str, str]:
    return {line[0]: line[1] for name in ("traditional", "confusables") for line in lines(name)}


def _plain(char: str) -> str:
    """Return the plain form of a character by its category, or the character itself."""
    match unicodedata.category(char):
        case "Mn" | "Me" | "Cf" | "Cc":
            return char if char in "\t\n" else ""
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Zs":
            return " "
        case "Cn" | "Cs":
            return UNKNOWN
    return "-" if char in _HYPHENS else "" if char in _FILLERS else char


def fold_char(char: str) -> str:
    """Fold one character; the empty string where it is invisible."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", _plain(char)) if unicodedata.category(c) not in _MARKS)
    same = _same()
    return "".join(same.get(c, c) for c in "".join(map(_plain, unicodedata.normalize("NFKC", bare).casefold())))


def class_of(char: str) -> bytes:
    """Return the class of a folded character."""
    if char in " \n\t":
        return BLANK
    if char in _PROSE:
        return PROSE
    if unicodedata.category(char)[0] not in "LN":
        return SIGN
    code = ord(char)
    return IDEOGRAPH if any(first <= code <= last for first, last in (*_CJK, *_SOUTH_ASIAN)) else WORD


class _Classes(dict[str, bytes]):
    """Classes of folded characters, each worked out once."""

    def __missing__(self, char: str) -> bytes:
        kind = self[char] = class_of(char)
        return kind


_CLASSES = _Classes()


def classes_of(text: str) -> bytes:
    """Return the class of each character of a short folded text."""
    return b"".join([_CLASSES[char] for char in text])


@dataclass(frozen=True, slots=True)
class Table:
    """Folding and classes as arrays over code points.

    Attributes:
        codes: Code point → folded code point; `UNICODE + n` where it folds to no or several characters, see `several`.
        several: What those fold to, in the order of n.
        flat, offsets, lengths: The same, as one array of code points with the place and length of each.
        classes: Folded code point → its class, one byte each.
    """

    codes: Codes
    several: tuple[str, ...]
    flat: Codes
    offsets: npt.NDArray[np.intp]
    lengths: npt.NDArray[np.intp]
    classes: npt.NDArray[np.uint8]


_LAST_PLANES = 0x40000
"""From here to the tags nothing is assigned: planes 4 to 13."""


def _assigned() -> Iterator[tuple[int, str]]:
    """Yield all characters but those for private use, which fold to themselves."""
    for code in (*range(_LAST_PLANES), *range(0xE0000, 0xE0200)):
        char = chr(code)
        if unicodedata.category(char) != "Co":
            yield code, char


def _is_plain_letter(code: int) -> bool:
    """Whether a character is in one of the great blocks whose letters are in normal form already."""
    return 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xD7A4 or 0x20000 <= code < 0x2F800 or 0x30000 <= code < 0x40000


@cache
def table() -> Table:
    """Return the table; built once, in about a third of a second."""
    return made_table()


def made_table() -> Table:
    """Build the table: 6 MB, for whoever keeps something smaller made of it."""
    codes, classes = np.arange(UNICODE, dtype=np.uint32), np.full(UNICODE, SIGN[0], dtype=np.uint8)
    several: dict[str, int] = {"": 0}
    same = _same()
    for code, char in _assigned():
        category = unicodedata.category(char)
        if category == "Lo" and _is_plain_letter(code):
            classes[code] = (WORD if 0xAC00 <= code < 0xD7A4 else IDEOGRAPH)[0]
            codes[code] = ord(same.get(char, char))
            continue
        folded = UNKNOWN if category in ("Cn", "Cs") else fold_char(char)
        is_one = len(folded) == 1
        codes[code] = ord(folded) if is_one else UNICODE + several.setdefault(folded, len(several))
        for part in folded:
            classes[ord(part)] = class_of(part)[0]
    codes[_LAST_PLANES:0xE0000] = codes[0xE0200:0xF0000] = codes[[0xFFFFE, 0xFFFFF, 0x10FFFE, 0x10FFFF]] = ord(UNKNOWN)
    lengths = np.array([len(text) for text in several], dtype=np.intp)
    return Table(
        codes=codes,
        several=tuple(several),
        flat=np.array([ord(char) for text in several for char in text], dtype=np.uint32),
        offsets=np.cumsum(lengths) - lengths,
        lengths=lengths,
        classes=classes,
    )


@cache
def ascii_classes() -> bytes:
    """Return the class of each character of ASCII, as `bytes.translate` wants it."""
    return bytes(class_of(chr(code))[0] if code < 128 else SIGN[0] for code in range(256))
