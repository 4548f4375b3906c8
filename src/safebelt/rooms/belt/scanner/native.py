"""The two innermost loops in C, where a compiler was at hand when this was installed (`_fast.c`, ADR 0038).

Without it everything is found all the same, two to three times slower; `fold_whole` and `Pairs` hold the plain form.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from safebelt.rooms.belt.scanner.chars import UNICODE, Codes, made_table

try:
    from safebelt.rooms.belt.scanner import _fast

    AVAILABLE = True
except ImportError:  # installed without a compiler
    AVAILABLE = False

Fold = Callable[[str], tuple[bytes, bytes, bool] | None]
"""Text → folded characters in UTF-8; the class of each, one byte; whether one may stand in another place than its own.
None where too many are invisible in a row."""

_BLOCK = 128
_CLASS_SHIFT = 21
_SEVERAL = np.uint32(1 << 31)
_MARKS = 8192 * 8


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


@cache
def packed() -> Packed:
    """Return the table; equal blocks stand in it once, so that it fits a processor's cache."""
    forms = made_table()
    is_one = forms.codes < UNICODE
    entries = np.where(is_one, forms.codes, (forms.codes - UNICODE) | _SEVERAL)
    entries[is_one] |= forms.classes[forms.codes[is_one]].astype(np.uint32) << _CLASS_SHIFT
    blocks, index = np.unique(entries.reshape(-1, _BLOCK), axis=0, return_inverse=True)
    flat = forms.flat | (forms.classes[forms.flat].astype(np.uint32) << _CLASS_SHIFT)
    spans = np.stack([forms.offsets, forms.lengths], axis=1).astype(np.uint32)
    return Packed(
        index.astype(np.uint16).tobytes(), blocks.tobytes(), spans.tobytes(), flat.astype(np.uint32).tobytes()
    )


@cache
def folder(hidden: int) -> Fold:
    """Return what folds a text.

    Args:
        hidden: Most invisible characters in a row that are dropped.
    """
    return partial(_fast.fold, *packed(), hidden)


def lengths(codes: Codes) -> npt.NDArray[np.intp]:
    """Return how many characters each of a text becomes that `folder` folds."""
    table = packed()
    blocks = np.frombuffer(table.block_of, np.uint16).take(codes // _BLOCK).astype(np.uint32)
    entries = np.frombuffer(table.entries, np.uint32).take(blocks * _BLOCK + codes % _BLOCK)
    found = np.ones(codes.size, dtype=np.intp)
    is_several = entries >= _SEVERAL
    spans = np.frombuffer(table.spans, np.uint32).reshape(-1, 2)
    found[is_several] = spans[entries[is_several] & ~_SEVERAL, 1]
    return found


class MarkedPairs:
    """Pairs of letters, to be looked for in folded text.

    Args:
        pairs: The pairs.
        gap: Most signs between two letters.
    """

    def __init__(self, pairs: Iterable[str], gap: int) -> None:
        numbers = sorted({(ord(pair[0]), ord(pair[1])) for pair in pairs if len(pair) > 1})
        self._gap = gap
        self._sorted = np.array([first << 32 | second for first, second in numbers], dtype=np.uint64).tobytes()
        marks = np.zeros(_MARKS, dtype=np.bool_)
        marks[[(first * 31 + second) % _MARKS for first, second in numbers]] = True
        self._bits = np.packbits(marks, bitorder="little").tobytes()

    def are_in(self, data: bytes, classes: bytes) -> bool:
        """Whether two letters that stand alone, with only signs between, are one of the pairs.

        Args:
            data: Folded text in UTF-8.
            classes: The class of each of its characters.
        """
        return _fast.has_pair(data, classes, self._bits, self._sorted, self._gap)
