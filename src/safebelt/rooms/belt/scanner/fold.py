"""Folding: many spellings of a character become one, and every folded character knows where it came from.

NFKD, without combining marks and invisible characters, then NFKC and casefold, character by character: so
full-width, mathematical and accented letters, digits of any script, zero-width and soft-hyphen tricks all end in
the plain form, and a text folds the same however it is cut.
"""

import re
import unicodedata
from dataclasses import dataclass, field

INVISIBLE = "\ufdd0"
"""Stands for each invisible character beyond the run that folding drops.  A noncharacter: never in real text."""
MAX_INVISIBLE = 63
"""Invisible characters in a row that folding drops.  Real scripts and emoji need fewer than ten; the limit keeps what a
stream must hold bounded.  Longer runs break words, and the detector `invisible_run` finds them."""

_MARKS = frozenset({"Mn", "Me"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul fillers: letters by category, blank on screen."""
_HYPHENS = frozenset("\u2010\u2012\u2013\u2212")
"""Hyphen, figure dash, en dash, minus.  The long dash 破折号 is punctuation, and no part of a number or key."""
_PLAIN_ASCII = re.compile(r"[\t\n\x20-\x7e]*")


def _plain(char: str) -> str:
    """Return the plain form of a character by its category, or the character itself."""
    match unicodedata.category(char):
        case "Mn" | "Me" | "Cf" | "Cc":
            return char if char in "\t\n" else ""
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Zs":
            return " "
        case "Cn":
            return "\ufffd"
    return "-" if char in _HYPHENS else "" if char in _FILLERS else char


def _fold_char(char: str) -> str:
    """Fold one character; the empty string where it is invisible."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", _plain(char)) if unicodedata.category(c) not in _MARKS)
    return "".join(_plain(c) for c in unicodedata.normalize("NFKC", bare).casefold())


class _Table(dict[str, str]):
    """Folded forms, each worked out once."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold_char(char)
        return folded


_TABLE = _Table()


@dataclass(slots=True)
class Folded:
    """A folded text that grows, with the way back.

    Attributes:
        text: Folded characters.
        starts, ends: For each folded character, the span of original characters it came from.
    """

    text: str = ""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    _invisible: int = 0

    def grow(self, chars: str, starts: list[int] | range, ends: list[int] | range) -> str:
        """Append characters with their original spans; return what they folded to."""
        if _PLAIN_ASCII.fullmatch(chars):
            added = chars.lower()
            self.starts.extend(starts)
            self.ends.extend(ends)
            self._invisible = 0 if chars else self._invisible
        else:
            added = self._grow_slowly(chars, starts, ends)
        self.text += added
        return added

    def _grow_slowly(self, chars: str, starts: list[int] | range, ends: list[int] | range) -> str:
        added: list[str] = []
        for char, start, end in zip(chars, starts, ends, strict=True):
            folded = _TABLE[char]
            if folded:
                self._invisible = 0
            else:
                self._invisible += 1
                folded = INVISIBLE if self._invisible > MAX_INVISIBLE else ""
            for part in folded:
                added.append(part)
                self.starts.append(start)
                self.ends.append(end)
        return "".join(added)

    def drop(self, count: int) -> None:
        """Forget the first `count` folded characters."""
        self.text = self.text[count:]
        del self.starts[:count], self.ends[:count]


def fold(text: str) -> str:
    """Return the folded form of a text."""
    return fold_with_map(text).text


def fold_with_map(text: str) -> Folded:
    """Return the folded form of a text with the way back to its characters."""
    folded = Folded()
    folded.grow(text, range(len(text)), range(1, len(text) + 1))
    return folded
