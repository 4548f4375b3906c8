"""Folding through NumPy's arrays, where there is no compiler: the plain form of `_fast.c`; tests hold both alike."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from safebelt.rooms.belt.scanner import chars
from safebelt.rooms.belt.scanner.chars import INVISIBLE, MAX_INVISIBLE, UNICODE
from safebelt.rooms.belt.scanner.fold import Whole

Codes = npt.NDArray[np.uint32]
Lengths = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Table:
    """The folding table as arrays; see `chars.Table`."""

    codes: Codes
    several: tuple[str, ...]
    flat: Codes
    offsets: Lengths
    lengths: Lengths
    classes: npt.NDArray[np.uint8]


@cache
def _table() -> Table:
    made = chars.made_table()
    lengths = np.array([len(text) for text in made.several], dtype=np.intp)
    return Table(
        codes=np.frombuffer(made.codes, np.uint32),
        several=made.several,
        flat=np.array([ord(char) for text in made.several for char in text], dtype=np.uint32),
        offsets=np.cumsum(lengths) - lengths,
        lengths=lengths,
        classes=np.frombuffer(made.classes, np.uint8),
    )


def classes(text: str) -> bytes:
    """Return the class of each character of a folded text."""
    return _table().classes.take(codes_of(text)).tobytes()


def origins(lengths: Lengths) -> npt.NDArray[np.intp]:
    """Return which character each folded one came from, by how many each has become."""
    return np.repeat(np.arange(lengths.size), lengths)


def fold_whole(source: str) -> Whole:
    """Fold a whole text."""
    codes = _table().codes.take(codes_of(source))
    try:
        text = codes.tobytes().decode("utf-32-le")
    except UnicodeDecodeError:  # a code beyond Unicode: some characters fold to none or several
        text, lengths = _spread(codes)
        return Whole(source, text.encode(), is_moved=True, lengths=lengths)  # type: ignore[arg-type]
    return Whole(source, text.encode())


def codes_of(text: str) -> Codes:
    """Return the code of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _spread(codes: Codes) -> tuple[str, Lengths]:
    """Put in place what folds to no or several characters; return the text, and how many each has become.

    Changes the array.
    """
    forms = _table()
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
