"""Folding: many spellings of a character become one, and every folded character knows where it came from.

Full-width, mathematical and accented letters, digits of any script, letters of other scripts that pass for Latin
ones, traditional Chinese, zero-width, soft-hyphen and combining tricks all end in the plain form (`chars`), and a text
folds the same however it is cut.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from safebelt.rooms.belt.scanner.chars import Codes, Table, fold_char, table

INVISIBLE = "\ufdd0"
"""Stands for each invisible character beyond the run that folding drops.  A noncharacter: never in real text."""
MAX_INVISIBLE = 63
"""Invisible characters in a row that folding drops.  Real scripts and emoji need fewer than ten; the limit keeps what a
stream must hold bounded.  Longer runs break words, and the detector `invisible_run` finds them."""

_PLAIN_ASCII = re.compile(r"[\t\n\x20-\x7e]*")
_CONTROLS = bytes(code for code in (*range(32), 127) if code not in b"\t\n")
_UNICODE = 0x110000


class _Forms(dict[str, str]):
    """Folded forms, each worked out once."""

    def __missing__(self, char: str) -> str:
        folded = self[char] = fold_char(char)
        return folded


_FORMS = _Forms()


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

    def _grow_slowly(self, chars: str, starts: Sequence[int], ends: Sequence[int]) -> str:
        added: list[str] = []
        for char, start, end in zip(chars, starts, ends, strict=True):
            folded = _FORMS[char]
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


class Whole(NamedTuple):
    """A whole folded text.

    Attributes:
        text: Folded characters.
        data: The same in UTF-8.
        classes: The class of each, one byte each.
        origin: For each folded character, which character of the source it came from; None where it is the same place.
    """

    text: str
    data: bytes
    classes: bytes
    origin: npt.NDArray[np.intp] | None


def fold_whole(source: str) -> Whole:
    """Fold a whole text through the arrays: what `Folded.grow` does character by character, many times faster."""
    forms = table()
    if source.isascii():
        text = source.lower()
        data = text.encode()
        if len(data.translate(None, _CONTROLS)) == len(data):
            return Whole(text, data, data.translate(forms.ascii_classes), None)
    codes = forms.codes.take(np.frombuffer(source.encode("utf-32-le", "surrogatepass"), np.uint32))
    origin = None
    if codes.size and codes.max() >= _UNICODE:
        codes, origin = _spread(codes, forms)
    text = codes.tobytes().decode("utf-32-le")
    return Whole(text, text.encode(), forms.classes.take(codes).tobytes(), origin)


def _spread(codes: Codes, forms: Table) -> tuple[Codes, npt.NDArray[np.intp]]:
    """Put in place what folds to no or several characters; return the folded codes and the place each came from."""
    is_other = codes >= _UNICODE
    which = codes[is_other] - _UNICODE
    lengths = np.ones(codes.size, dtype=np.intp)
    lengths[is_other] = forms.lengths[which]
    if np.count_nonzero(lengths == 0) > MAX_INVISIBLE:
        _show_long_runs(codes, lengths)
        is_other = codes >= _UNICODE
        which = codes[is_other] - _UNICODE
    origin = np.repeat(np.arange(codes.size), lengths)
    out = codes[origin]
    several = np.flatnonzero(out >= _UNICODE)
    if several.size:
        begins = np.cumsum(lengths) - lengths
        source = origin[several]
        out[several] = forms.flat[forms.offsets[codes[source] - _UNICODE] + several - begins[source]]
    return out, origin


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
