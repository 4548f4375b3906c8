"""An edit as changes to the old file: what is replaced, what that moves, and the pieces of the new file."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Broken, Edit, Span, joined
from safebelt.rooms.labelling.formats.values import is_label


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes `[start, end)` of the old file become `new`; an insertion where `start == end`."""

    start: int
    end: int
    new: bytes

    @property
    def growth(self) -> int:
        """By how many bytes what follows moves."""
        return len(self.new) - (self.end - self.start)


class Moves:
    """Where bytes of the old file come to lie in the new one."""

    def __init__(self, changes: Iterable[Change]) -> None:
        moving = sorted((change for change in changes if change.growth), key=_place)
        self._ends = [change.end for change in moving]
        self._sums = list(accumulate((change.growth for change in moving), initial=0))

    def __call__(self, offset: int) -> int:
        """Return the new offset of the byte at `offset`; what is inserted there comes before it."""
        return offset + self._sums[bisect_right(self._ends, offset)]

    def is_still_from(self, offset: int) -> bool:
        """Whether nothing at or after `offset` moves."""
        return not any(self._sums[bisect_right(self._ends, offset) :])


def edited(size: int, changes: Iterable[Change]) -> Edit:
    """Return a file of `size` bytes with changes; of several insertions at one place, the first comes first.

    Raises:
        Broken: Two changes meet: parts of the file lie in one another.
    """
    pieces, at = list[bytes | Span](), 0
    for change in sorted(changes, key=_place):
        if change.start < at or change.end > size:
            raise Broken("parts that lie in one another")
        pieces += [Span(at, change.start), change.new]
        at = change.end
    return joined([*pieces, Span(at, size)])


def _place(change: Change) -> tuple[int, int]:
    return change.start, change.end


def is_label_field(name: str, value: str) -> bool:
    """Whether a field of metadata is a label: by the last part of its name in any case, or by what it holds."""
    last = name.replace(":", ".").replace("/", ".").rpartition(".")[2]
    return last.strip().casefold() == "aigc" or is_label(value)


def text_of(raw: bytes, codec: str = "utf-8") -> str:
    """Return a field's text; what does not decode is shown as such, and what is longer than any label is cut."""
    return raw[:MAX_LABEL_BYTES].decode(codec, "replace").strip("\0")
