"""A policy's words and hints in compiled databases: one pass over a text says what can be in it at all.

Most texts hold nothing, so everything else waits until that pass gives cause for it: other views of the text are made,
and detectors read, only near the places it points at.
"""

from bisect import bisect
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from safebelt.rooms.belt.model import Side
from safebelt.rooms.belt.scanner.detectors import Detector
from safebelt.rooms.belt.scanner.finders import Finder, FoldedHit, Pointer
from safebelt.rooms.belt.scanner.fold import Whole
from safebelt.rooms.belt.scanner.pairs import Pairs
from safebelt.rooms.belt.scanner.patterns import Database, Matches, counter
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.source import BASE64_LONG, BASE64_SHORT
from safebelt.rooms.belt.scanner.terms import LEET_BYTES, LEET_HINT
from safebelt.rooms.belt.scanner.views import (
    MAX_GAP,
    Reading,
    WordHit,
    is_starred,
    leet_hits,
    spelled_words,
    starred_view,
)
from safebelt.rooms.belt.scanner.words import WORD_CHARS, Words, stands_alone

_WORD_BYTES = frozenset("".join(WORD_CHARS).encode())
_LEET, _BASE64, _BLANKS, _PERSONAL = 1, 2, 4, 8
_HINTS = ((LEET_HINT, _LEET), (BASE64_SHORT, _BASE64), ("  ", _BLANKS))

_MOST_SIGNS = 64
"""With more signs beside letters than this, a text is read whole for words written with them."""

_SIGN, _LETTER = r"[\x00-/:-`{-\x7f]", "[a-z0-9]"
_SPELLED_ASCII = rf"(?:^|{_SIGN}){_LETTER}{_SIGN}{{1,8}}{_LETTER}{_SIGN}{{1,8}}{_LETTER}(?:$|{_SIGN})"
"""Three letters that stand alone: what is there wherever a word of ASCII is spelled out."""
_SPELLED = r"(?:h|[^w]w)[spo]+[hw][spo]+(?:h|w[^w])|h[so]+h|[^h]h[spo]+h[^h]"
"""The same over classes: three letters that stand alone, two ideographs with a sign between them, or two that stand
alone."""


class Look(NamedTuple):
    """What a first look at a folded text gives.

    Attributes:
        words: The words in it; one may come more than once.
        personal: What the detectors find in it.
        has_base64: Whether it may hold base64.
    """

    words: Iterable[WordHit]
    personal: Iterable[FoldedHit]
    has_base64: bool


class Compiled:
    """The compiled databases of a policy.

    Args:
        plain, spelled, leet: The words, by view.
        detectors: All that may be at work.
        shelf: Where the databases are kept from one start to the next.
    """

    def __init__(
        self,
        plain: Words[str],
        spelled: Words[str],
        leet: Words[tuple[str, str]],
        detectors: Iterable[Detector],
        shelf: Shelf | None = None,
    ) -> None:
        self._plain, self._spelled, self._leet = plain, spelled, leet
        detectors = tuple(detectors)
        probes = dict.fromkeys(detector.probe for detector in detectors)
        self._bits = [bit for _, bit in _HINTS] + [_PERSONAL] * len(probes)
        self._main = Database(
            dict(enumerate(plain.words)),
            dict(enumerate([*(hint for hint, _ in _HINTS), *probes], len(plain.words))),
            shelf=shelf,
        )
        self._pointer = Pointer(detectors)
        self._leet_words = Database(dict(enumerate(leet.words)), shelf=shelf)
        self._leet_signs = Database({}, {0: LEET_HINT} if leet.words else {}, is_once=False)
        self._longest_leet = max(map(len, leet.words), default=0)
        self._spelled_pairs = Pairs((word[:2] for word in spelled.words), MAX_GAP)
        self._spelled_ascii = Database({}, {0: _SPELLED_ASCII}, is_once=False)
        self._spelled_classes = Database({}, {0: _SPELLED}, is_once=False)
        self._base64 = Database({}, {0: BASE64_LONG})
        self._lengths = [len(word) for word in plain.words]
        self._sizes = [len(word.encode()) for word in plain.words]
        self._reach = max(self._sizes, default=0)

    def is_quiet(self, whole: Whole, side: Side) -> bool:
        """Whether there is no cause to look closer at a whole text: most have none, and are asked no more."""
        data = whole.data.replace(b"\n", b" ").replace(b"\t", b" ")
        if whole.is_moved or b"*" in data or self._main.scan(data, most=1) or self._spelled_near(whole, data):
            return False
        return side is not Side.INPUT or not self._base64.scan(data)

    def look(self, whole: Whole, side: Side, finders: tuple[Finder, ...]) -> Look:
        """Look at a whole text once, and closer where there is cause."""
        data = whole.data.replace(b"\n", b" ").replace(b"\t", b" ")
        matches = self._main.scan(data)
        words, hints = self._sorted(data, matches) if matches else (matches, 0)
        hits: list[WordHit] = self._plain_hits(data, words) if words else []
        if b"*" in data or (hints & _BLANKS and is_starred(whole.text)):
            hits += self._starred_hits(whole, data)
        if near := self._spelled_near(whole, data):
            hits += spelled_words(self._spelled, Reading(whole.text), whole.classes, near)
        if hints & _LEET:
            hits += self._leet_hits(whole)
        personal = self._pointer.found_in(whole.text, data, finders) if hints & _PERSONAL and finders else ()
        has_base64 = side is Side.INPUT and bool(hints & _BASE64 or self._base64.scan(data))
        return Look(hits, personal, has_base64)

    def personal_in(self, text: str, finders: tuple[Finder, ...]) -> Iterable[FoldedHit]:
        """Return what detectors find in folded text."""
        return self._pointer.found_in(text, text.encode(), finders)

    def may_hold_personal(self, text: str) -> bool:
        """Whether there is a hint at anything a detector finds."""
        return self._pointer.sees(text.encode())

    def _sorted(self, data: bytes, matches: Matches) -> tuple[Matches, int]:
        """Return the words that are no parts of longer ones, by the bytes beside them, and the bits of the hints."""
        words: Matches = []
        hints, count, sizes, size = 0, len(self._sizes), self._sizes, len(data)
        for number, end in matches:
            if number >= count:
                hints |= self._bits[number - count]
                continue
            begin = end - sizes[number]
            is_part = (end < size and data[end] in _WORD_BYTES and data[end - 1] in _WORD_BYTES) or (
                begin > 0 and data[begin - 1] in _WORD_BYTES and data[begin] in _WORD_BYTES
            )
            if not is_part:
                words.append((number, end))
        return words, hints

    def _plain_hits(self, data: bytes, words: Matches) -> list[WordHit]:
        chars, lengths, names = counter(data, len(words)), self._lengths, self._plain.names
        return [
            WordHit(rule, end - lengths[number], end)
            for number, end in [(number, chars(end)) for number, end in words]
            for rule in names[number]
        ]

    def _starred_hits(self, whole: Whole, data: bytes) -> Iterator[WordHit]:
        """Yield the words of the plain view that the text as it stands does not show."""
        view, begins, shifts = starred_view(whole.data, data, self._reach)
        matches = self._main.scan(view)
        text, chars = whole.text, None
        for number, end in matches:
            if number >= len(self._sizes):
                continue
            first, last = bisect(begins, end - self._sizes[number]), bisect(begins, end - 1)
            if first != last:
                chars = chars or counter(whole.data, len(matches))
                start = chars(end - self._sizes[number] + shifts[first - 1])
                stop = chars(end + shifts[last - 1])
                if stands_alone(text, start, stop):
                    for rule in self._plain.names[number]:
                        yield WordHit(rule, start, stop)

    def _spelled_near(self, whole: Whole, data: bytes) -> list[int]:
        """Return the places just behind which, or up to a sign before, letters that stand alone may spell a word."""
        if not self._spelled.words:
            return []
        pairs = self._spelled_pairs
        if pairs.is_native and not pairs.are_in(whole):
            return []
        hints = self._spelled_ascii if whole.is_ascii else self._spelled_classes
        shown, before = (data, 0) if whole.is_ascii else (b"p%bp" % whole.classes, 1)
        if not hints.scan(shown, most=1) or not (pairs.is_native or pairs.are_in(whole)):
            return []
        return [end - before for _, end in hints.scan(shown)]

    def _leet_hits(self, whole: Whole) -> Iterator[WordHit]:
        """Yield the words written with signs for letters: one of them stands beside a letter."""
        words, data = self._leet, whole.data
        ends = [end for _, end in self._leet_signs.scan(data, most=_MOST_SIGNS)]
        is_short = len(ends) < _MOST_SIGNS
        for begin, stop in _around(ends, self._longest_leet) if is_short else ((0, len(data)),):
            matches = self._leet_words.scan(data[begin:stop].translate(LEET_BYTES))
            chars = counter(data, len(matches))
            for number, byte_end in matches:
                end = chars(begin + byte_end)
                yield from leet_hits(words.names[number], whole.text, end - len(words.words[number]), end)


def _around(ends: list[int], reach: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches that reach so far before and behind some places; what overlaps is one."""
    begin = stop = 0
    for end in ends:
        if stop and end - reach > stop:
            yield begin, stop
            begin = stop = 0
        begin = begin if stop else max(0, end - reach)
        stop = end + reach
    if stop:
        yield begin, stop
