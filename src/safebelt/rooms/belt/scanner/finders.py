"""Detectors at work for the rules of a policy, and where in a text each can find something at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from safebelt.rooms.belt.scanner import patterns
from safebelt.rooms.belt.scanner.detectors import Detector
from safebelt.rooms.belt.scanner.patterns import counter

_MOST_HINTS = 500
"""With more hints than this in one text, its detectors read it whole: that costs no more."""

Near = Mapping[str, Sequence[int]]
"""By the name of a detector: the places in a text at which its hints end, in order."""


class Finder(NamedTuple):
    """A detector at work for a rule."""

    rule: str
    detector: Detector


class FoldedHit(NamedTuple):
    """A finding in folded text."""

    rule: str
    detector: Detector | None
    start: int
    end: int


def with_needs(text: str, finders: Iterable[Finder]) -> tuple[Finder, ...]:
    """Return the detectors that find in a text a character they cannot do without."""
    chars = set(text)
    return tuple(finder for finder in finders if not finder.detector.needs.isdisjoint(chars))


def found_in(text: str, finders: Iterable[Finder], near: Near | None = None) -> Iterator[FoldedHit]:
    """Yield what the detectors find in folded text.

    Args:
        text: Folded text.
        finders: The detectors.
        near: Where their hints end, for those that have any; None where that is not known.
    """
    spans: dict[str, list[tuple[int, int]]] = {}
    for rule, detector in finders:
        if detector.name not in spans:
            found = detector.find(text) if near is None else detector.find_near(text, near.get(detector.name, ()))
            spans[detector.name] = list(found)
        for start, end in spans[detector.name]:
            yield FoldedHit(rule, detector, start, end)


class Pointer:
    """Points, by a compiled database, at where detectors may find something."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        hints = {detector.name: detector.hint for detector in detectors}
        self._names = tuple(hints)
        self._database = patterns.Database({}, dict(enumerate(hints.values())), is_once=False)

    def sees(self, data: bytes) -> bool:
        """Whether there is any hint in folded text in UTF-8."""
        return bool(self._database.scan(data, most=1))

    def found_in(self, text: str, data: bytes, finders: tuple[Finder, ...]) -> Iterator[FoldedHit]:
        """Yield what detectors find in folded text, given in UTF-8 too, looking where it points."""
        matches = self._database.scan(data, most=_MOST_HINTS)
        if not matches:
            return iter(())
        if len(matches) >= _MOST_HINTS:
            return found_in(text, with_needs(text, finders))
        near: dict[str, list[int]] = {}
        chars = counter(data)
        for number, end in matches:
            near.setdefault(self._names[number], []).append(chars(end))
        return found_in(text, (finder for finder in finders if finder.detector.name in near), near)
