"""Folding: many spellings of a character become one, and every folded character knows where it came from.

Full-width, mathematical and accented letters, digits of any script, letters of other scripts that pass for Latin
ones, traditional Chinese, zero-width, soft-hyphen and combining tricks all end in the plain form (`chars`), and a text
folds the same however it is cut.
"""

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from safebelt.rooms.belt.scanner import native
from safebelt.rooms.belt.scanner.chars import UNICODE, Codes, Table, ascii_classes, fold_char, table

INVISIBLE = "\ufdd0"
"""Stands for each invisible character beyond the run that folding drops.  A noncharacter: never in real text."""
MAX_INVISIBLE = 63
"""Invisible characters in a row that folding drops.  Real scripts and emoji need fewer than ten; the limit keeps what a
stream must hold bounded.  Longer runs break words, and the detector `invisible_run` finds them."""

_PLAIN_ASCII = re.compile(r"[\t\n\x20-\x7e]*")
_HIDDEN = b"\0"
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_ASCII = bytes.maketrans(
    string.ascii_uppercase.encode() + _CONTROLS, string.ascii_lowercase.encode() + _HIDDEN * len(_CONTROLS)
)
"""ASCII folded, with one sign for all that is invisible: where it comes up, the text is folded through the arrays."""

Lengths = npt.NDArray[np.intp]


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
        is_moved: Whether a character may have come from another place than its own.
        is_ascii: Whether the source was of ASCII alone, with nothing invisible in it.
        classes: The class of each folded character, where it is known.
        lengths: How many characters each of the source has become, where it is known.
    """

    __slots__ = ("_classes", "_lengths", "_origin", "_source", "_text", "data", "is_ascii", "is_moved")

    def __init__(
        self,
        source: str,
        data: bytes,
        *,
        is_moved: bool = False,
        is_ascii: bool = False,
        classes: bytes | None = None,
        lengths: Lengths | None = None,
    ) -> None:
        self.data, self.is_moved, self.is_ascii = data, is_moved, is_ascii
        self._source, self._classes, self._lengths = source, classes, lengths
        self._text: str | None = None
        self._origin: npt.NDArray[np.intp] | None = None

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
            else:
                self._classes = table().classes.take(codes_of(self.text)).tobytes()
        return self._classes

    @property
    def origin(self) -> npt.NDArray[np.intp] | None:
        """For each folded character, which character of the source it came from; None where it is the same place."""
        if self._origin is None and self.is_moved:
            lengths = native.lengths(codes_of(self._source)) if self._lengths is None else self._lengths
            self._origin = np.repeat(np.arange(lengths.size), lengths)
        return self._origin


def fold_whole(source: str) -> Whole:
    """Fold a whole text through tables: what `Folded.grow` does character by character, many times faster."""
    if source.isascii():
        data = source.encode().translate(_ASCII)
        if _HIDDEN not in data:
            return Whole(source, data, is_ascii=True)
    found = native.folder(MAX_INVISIBLE)(source) if native.AVAILABLE else None
    if found is None:
        return fold_by_arrays(source)
    data, classes, is_moved = found
    return Whole(source, data, is_moved=is_moved, classes=classes)


def make_ready() -> None:
    """Build the tables now, not when the first text comes: a third of a second."""
    if native.AVAILABLE:
        native.folder(MAX_INVISIBLE)
    else:
        table()


def fold_by_arrays(source: str) -> Whole:
    """Fold a whole text without `native`."""
    codes = table().codes.take(codes_of(source))
    try:
        text = codes.tobytes().decode("utf-32-le")
    except UnicodeDecodeError:  # a code beyond Unicode: some characters fold to none or several
        text, lengths = _spread(codes)
        return Whole(source, text.encode(), is_moved=True, lengths=lengths)
    return Whole(source, text.encode())


def codes_of(text: str) -> Codes:
    """Return the code of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _spread(codes: Codes) -> tuple[str, Lengths]:
    """Put in place what folds to no or several characters; return the text, and how many each has become.

    Changes the array.
    """
    forms = table()
    places = np.flatnonzero(codes >= UNICODE)
    which = codes[places] - UNICODE
    lengths = np.ones(codes.size, dtype=np.intp)
    lengths[places] = forms.lengths[which]
    if places.size > MAX_INVISIBLE:
        return _spread_many(codes, lengths, forms), lengths
    codes[places] = 0
    plain = codes.tobytes().decode("utf-32-le")
    parts: list[str] = []
    here = 0
    for place, one in zip(places.tolist(), which.tolist(), strict=True):
        parts += plain[here:place], forms.several[one]
        here = place + 1
    parts.append(plain[here:])
    return "".join(parts), lengths


def _spread_many(codes: Codes, lengths: Lengths, forms: Table) -> str:
    """Do so by arrays, long runs of invisible characters shown; may change both arrays."""
    if np.count_nonzero(lengths == 0) > MAX_INVISIBLE:
        _show_long_runs(codes, lengths)
    origin = np.repeat(np.arange(codes.size), lengths)
    out = codes[origin]
    several = np.flatnonzero(out >= UNICODE)
    begins = np.cumsum(lengths) - lengths
    source = origin[several]
    out[several] = forms.flat[forms.offsets[codes[source] - UNICODE] + several - begins[source]]
    return out.tobytes().decode("utf-32-le")


def _show_long_runs(codes: Codes, lengths: npt.NDArray[np.intp]) -> None:
    """Let invisible characters beyond `MAX_INVISIBLE` in a row stand as `INVISIBLE`; changes both arrays."""
    gone = np.flatnonzero(lengths == 0)
    run = np.arange(gone.size)
    breaks = np.concatenate(([True], np.diff(gone) > 1))
    run -= np.maximum.accumulate(np.where(breaks, run, 0))
    shown = gone[run >= MAX_INVISIBLE]
    codes[shown] = ord(INVISIBLE)
    lengths[shown] = 1


def fold(text: str) -> str:
    """Return the folded form of a short text, a term for example."""
    return fold_with_map(text).text


def fold_with_map(text: str) -> Folded:
    """Return the folded form of a text with the way back to its characters."""
    folded = Folded()
    folded.grow(text, range(len(text)), range(1, len(text) + 1))
    return folded
