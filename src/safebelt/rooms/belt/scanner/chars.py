"""What one character folds to, and what class it is of; worked out by rule, and looked up in arrays for whole texts.

NFKD without combining marks and invisible characters, then NFKC and casefold, then letters of other scripts that pass
for ASCII ones (Unicode confusables), then one form for traditional, variant and simplified Chinese.
"""

import unicodedata
from array import array
from dataclasses import dataclass
from functools import cache

from safebelt.rooms.belt.scanner.tables import lines

_MARKS = frozenset({"Mn", "Me"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul fillers: letters by category, blank on screen."""
_BLANKS = frozenset("\r\v\f\x1c\x1d\x1e\x1f\x85")
"""Controls that readers show as a blank or a new line, and that part words."""
_HYPHENS = frozenset("\u2010\u2012\u2013\u2212")
"""Hyphen, figure dash, en dash, minus.  The long dash 破折号 is punctuation, and no part of a number or key."""
INVISIBLE = "\ufdd0"
"""Stands for each invisible character beyond the run that folding drops.  A noncharacter: never in real text."""
MAX_INVISIBLE = 63
"""Invisible characters in a row that folding drops.  Real scripts and emoji need fewer than ten; the limit keeps what a
stream must hold bounded.  Longer runs break words, and the detector `invisible_run` finds them."""
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


def _shown_as() -> dict[str, str]:
    """Return letters and digits in disguise that Unicode does not call compatible, nor confusable."""
    small = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
    inverse = {chr(first + at): chr(0x61 + at) for first in (0x1F150, 0x1F170) for at in range(26)}
    circled = {chr(first + at): str(at + 1) for first in (0x2776, 0x2780, 0x278A, 0x24F5) for at in range(9)}
    return {**small, **inverse, **circled, "\u24ff": "0"}


@cache
def _same() -> dict[str, str]:
    return _shown_as() | {line[0]: line[1] for name in ("traditional", "confusables") for line in lines(name)}


def _plain(char: str) -> str:
    """Return the plain form of a character by its category, or the character itself."""
    match unicodedata.category(char):
        case "Mn" | "Me" | "Cf" | "Cc":
            return char if char in "\t\n" else " " if char in _BLANKS else ""
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
    """Folding and classes of all code points.

    Attributes:
        codes: Code point → folded code point; `UNICODE + n` where it folds to no or several characters, see `several`.
        several: What those fold to, in the order of n.
        classes: Folded code point → its class, one byte each.
    """

    codes: "array[int]"
    several: tuple[str, ...]
    classes: bytearray


_HANGUL = 0xAC00
_LETTERS = ((0x3400, 0xA000), (_HANGUL, 0xD7A4), (0x20000, 0x2F800), (0x30000, 0x40000))
"""The great blocks whose letters are in normal form already: Han, and syllables of Hangul."""
_OTHERS = ((0, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0xE000), (0xF900, 0x20000), (0x2F800, 0x30000), (0xE0000, 0xE0200))
_NOTHING = ((0x40000, 0xE0000), (0xE0200, 0xF0000), (0xFFFFE, 0x100000), (0x10FFFE, 0x110000))
"""Planes in which nothing is assigned, and the last two code points of planes for private use; the rest of those folds
to itself."""


def made_table() -> Table:
    """Build the table, in about a third of a second: 6 MB, for whoever keeps something smaller made of it."""
    codes, classes = array("I", range(UNICODE)), bytearray(SIGN * UNICODE)
    several: dict[str, int] = {"": 0}
    for first, last in _LETTERS:
        _set_letters(codes, classes, several, first, last)
    for first, last in _OTHERS:
        for code in range(first, last):
            _set_one(codes, classes, several, code)
    for first, last in _NOTHING:
        codes[first:last] = array("I", [ord(UNKNOWN)]) * (last - first)
    return Table(codes=codes, several=tuple(several), classes=classes)


def _set_letters(codes: "array[int]", classes: bytearray, several: dict[str, int], first: int, last: int) -> None:
    """Let the letters of a block fold to themselves, or to the one form of theirs; few other characters stand there."""
    are = [unicodedata.category(char) for char in map(chr, range(first, last))]
    kind = (WORD if first == _HANGUL else IDEOGRAPH)[0]
    classes[first:last] = bytes([kind if one == "Lo" else SIGN[0] for one in are])
    same, unknown = _same(), ord(UNKNOWN)
    codes[first:last] = array("I", [unknown if one == "Cn" else code for code, one in enumerate(are, first)])
    for char in same.keys() & set(map(chr, range(first, last))):
        codes[ord(char)] = ord(same[char])
    for code, one in enumerate(are, first):
        if one not in ("Lo", "Cn"):
            _set_one(codes, classes, several, code)


def _set_one(codes: "array[int]", classes: bytearray, several: dict[str, int], code: int) -> None:
    char = chr(code)
    if unicodedata.category(char) in ("Cn", "Cs"):
        codes[code] = ord(UNKNOWN)
        return
    folded = fold_char(char)
    codes[code] = ord(folded) if len(folded) == 1 else UNICODE + several.setdefault(folded, len(several))
    for part in folded:
        classes[ord(part)] = class_of(part)[0]


@cache
def ascii_classes() -> bytes:
    """Return the class of each character of ASCII, as `bytes.translate` wants it."""
    return bytes(class_of(chr(code))[0] if code < 128 else SIGN[0] for code in range(256))
