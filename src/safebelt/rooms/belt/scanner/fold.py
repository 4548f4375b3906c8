"""Folding: many spellings of a character become one, and every folded character knows where it came from.

Full-width, mathematical and accented letters, digits of any script, letters of other scripts that pass for Latin
ones, traditional Chinese, zero-width, soft-hyphen and combining tricks all end in the plain form (`chars`), and a text
folds the same however it is cut.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType

from safebelt.rooms.belt.scanner import native
from safebelt.rooms.belt.scanner.chars import INVISIBLE, MAX_INVISIBLE, ascii_classes, fold_char
from safebelt.rooms.belt.scanner.shelf import Shelf

_PLAIN_ASCII = re.compile(r"[\t\n\x20-\x7e]*")
_HIDDEN = b"\0"
_BLANKS = b"\r\v\f\x1c\x1d\x1e\x1f"
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n" + _BLANKS)
_ASCII = bytes.maketrans(
    string.ascii_uppercase.encode() + _CONTROLS + _BLANKS,
    string.ascii_lowercase.encode() + _HIDDEN * len(_CONTROLS) + b" " * len(_BLANKS),
)
"""ASCII folded, with one sign for all that is invisible: where it comes up, the text is folded through the arrays."""


class _Forms(dict[str, str]):
    """Folded forms, each worked out once."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = fold_char(char)
        return folded


_FORMS = _Forms()


def forms_of(text: str) -> list[str]:
    """Return what each character folds to."""
    return [_FORMS[char] for char in text]


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

    def grow(self, chars: str, starts: Sequence[int], ends: Sequence[int]) -> str:
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

    def is_alike(self, begin: int, places: range) -> bool:
        """Whether from a place on each character came from one of these, in order, and none was dropped behind."""
        after = range(places.start + 1, places.stop + 1)
        return not self._invisible and self.starts[begin:] == list(places) and self.ends[begin:] == list(after)

    def _grow_slowly(self, chars: str, starts: Sequence[int], ends: Sequence[int]) -> str:
        forms = forms_of(chars)
        if "" not in forms and len(text := "".join(forms)) == len(chars):  # one each
            self.starts.extend(starts)
            self.ends.extend(ends)
            self._invisible = 0
            return text
        added: list[str] = []
        for folded, start, end in zip(forms, starts, ends, strict=True):
            if folded:
                self._invisible = 0
            else:
                self._invisible += 1
            for part in folded or (INVISIBLE if self._invisible > MAX_INVISIBLE else ""):
                added.append(part)
                self.starts.append(start)
                self.ends.append(end)
        return "".join(added)

    def drop(self, count: int) -> None:
        """Forget the first `count` folded characters."""
        self.text = self.text[count:]
        del self.starts[:count], self.ends[:count]


class Whole:
    """A whole folded text; what is seldom asked for is worked out when it is.

    Args:
        source: What was folded.
        data: Folded characters in UTF-8.
        entries: Each with its class, as `native` has them; None where the text is of ASCII, or there is no `native`.
        is_moved: Whether a character may have come from another place than its own.
        is_ascii: Whether the source was of ASCII alone, with nothing invisible in it.
        lengths: How many characters each of the source has become, where that is known.
    """

    __slots__ = ("_classes", "_lengths", "_origin", "_source", "_text", "data", "entries", "is_ascii", "is_moved")

    def __init__(
        self,
        source: str,
        data: bytes,
        entries: bytes | None = None,
        *,
        is_moved: bool = False,
        is_ascii: bool = False,
        lengths: Sequence[int] | None = None,
    ) -> None:
        self.data, self.entries, self.is_moved, self.is_ascii = data, entries, is_moved, is_ascii
        self._source, self._lengths = source, lengths
        self._text: str | None = None
        self._classes: bytes | None = None
        self._origin: Sequence[int] | None = None

    @property
    def text(self) -> str:
        """Folded characters."""
        if self._text is None:
            self._text = self.data.decode()
        return self._text

    @property
    def classes(self) -> bytes:
        """The class of each folded character, one byte each."""
        if self._classes is None:
            if self.is_ascii:
                self._classes = self.data.translate(ascii_classes())
            elif self.entries is not None:
                self._classes = native.classes(self.entries)
            else:
                self._classes = _arrays().classes(self.text)
        return self._classes

    @property
    def origin(self) -> Sequence[int] | None:
        """For each folded character, which character of the source it came from; None where it is the same place."""
        if self._origin is None and self.is_moved:
            known = self._lengths
            self._origin = native.origins(self._source) if known is None else _arrays().origins(known)
        return self._origin


def fold_whole(source: str) -> Whole:
    """Fold a whole text through tables: what `Folded.grow` does character by character, many times faster."""
    if source.isascii():
        data = source.encode().translate(_ASCII)
        if _HIDDEN not in data:
            return Whole(source, data, is_ascii=True)
    if not native.AVAILABLE:
        plain: Whole = _arrays().fold_whole(source)
        return plain
    data, entries, is_moved = native.folder()(source)
    return Whole(source, data, entries, is_moved=is_moved)


@cache
def _arrays() -> ModuleType:
    """Return what folds without `native`: it takes NumPy, and its memory, which nothing else here needs."""
    return import_module("safebelt.rooms.belt.scanner.arrays")


def make_ready(shelf: Shelf | None = None) -> None:
    """Have the tables now, not when the first text comes: from the shelf, or built in half a second."""
    if native.AVAILABLE:
        native.have_table(shelf)
    else:
        _arrays()


def fold(text: str) -> str:
    """Return the folded form of a short text, a term for example."""
    return fold_with_map(text).text


def fold_with_map(text: str) -> Folded:
    """Return the folded form of a text with the way back to its characters."""
    folded = Folded()
    folded.grow(text, range(len(text)), range(1, len(text) + 1))
    return folded
