"""What one policy looks for, in whole texts.

`Scanner.scan` folds a text and reads it for words in three views (`views`) and for personal data.  Where Hyperscan is
installed, one pass of a compiled database says what can be there at all, and only that is looked at; otherwise
everything is looked at by the same plain Python code, which gives the same findings, slower.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from safebelt.rooms.belt.decide import RawHit, is_acting, mask
from safebelt.rooms.belt.model import Policy, Side, Stance
from safebelt.rooms.belt.scanner import patterns
from safebelt.rooms.belt.scanner.detectors import DETECTORS, Detector
from safebelt.rooms.belt.scanner.fold import Whole
from safebelt.rooms.belt.scanner.source import BASE64_HINTS, Source, read, texts_within
from safebelt.rooms.belt.scanner.terms import LEET_BYTES, LEET_HINT, Forms, forms_of
from safebelt.rooms.belt.scanner.views import (
    Reading,
    WordHit,
    is_starred,
    leet_hits,
    leet_words,
    plain_view,
    plain_words,
    spelled_words,
)
from safebelt.rooms.belt.scanner.words import WORD_CHARS, Words, stands_alone

KEYWORD = "keyword"
"""Name of the detector of words and phrases."""
_BLANKS = bytes.maketrans(b"\n\t", b"  ")
_HINTS = (LEET_HINT, *BASE64_HINTS)
_WORD_BYTES = frozenset("".join(WORD_CHARS).encode())
_SHAPES = (r"ss", r"[hw][spo]+[hw][spo]+[hw]", r"h[so]+h", r"[^h]h[spo]+h[^h]")
"""Over classes: blanks in a row; and what is there wherever a word is spelled out: three letters that stand alone, two
ideographs with a sign between them, two that stand alone."""
_BLANKS_HINT = 0
_FEW = 16
"""Up to so many places in a text are worked out one by one."""


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


class Look(NamedTuple):
    """What a first look at a folded text gives.

    Attributes:
        words: The words in it; one may come more than once.
        finders: The detectors that may find something.
        has_base64: Whether it may hold base64.
    """

    words: Iterable[WordHit]
    finders: tuple[Finder, ...]
    has_base64: bool


def bit_of(side: Side, stance: Stance | None = None) -> int:
    """Return the bit of those who wait on a side: for every rule, or for those that act in a stance."""
    return 1 << (list(Side).index(side) * 3 + (0 if stance is None else 1 + list(Stance).index(stance)))


class Scanner:
    """Finds what one policy looks for.

    Args:
        policy: The policy in force.
        fast: Whether to use Hyperscan where it is installed; without, the reference reads.

    Raises:
        KeyError: A rule names a detector that does not exist; `load_policies` finds that earlier and says it better.
    """

    def __init__(self, policy: Policy, *, fast: bool = True) -> None:
        self.policy = policy
        self._sides = {rule.id: rule.sides for rule in policy.rules}
        waits = {
            rule.id: sum(
                bit_of(side) | sum(bit_of(side, stance) for stance in Stance if is_acting(rule, stance))
                for side in rule.sides
            )
            for rule in policy.rules
        }
        self.forms: Forms = forms_of((rule.id, rule.terms) for rule in policy.rules)
        self.plain: Words[str] = Words(self.forms.plain, waits.__getitem__)
        self.spelled: Words[str] = Words(self.forms.spelled, waits.__getitem__)
        self.leet: Words[tuple[str, str]] = Words(self.forms.leet, lambda name: waits[name[0]])
        self._finders = {
            side: tuple(
                Finder(rule.id, DETECTORS[name])
                for rule in policy.rules
                if side in rule.sides
                for name in rule.detectors
            )
            for side in Side
        }
        self._fast = _Fast(self) if fast and patterns.AVAILABLE else None

    def finders(self, side: Side) -> tuple[Finder, ...]:
        """Return the detectors at work on one side, in the order of the policy's rules."""
        return self._finders[side]

    def reads(self, rule: str, side: Side) -> bool:
        """Whether a rule reads texts that travel one way."""
        return side in self._sides[rule]

    def words_in(self, reading: Reading, classes: bytes, side: Side) -> Iterator[WordHit]:
        """Yield the words in folded text, by the reference; one may come more than once."""
        for hits in (
            plain_words(self.plain, reading),
            spelled_words(self.spelled, reading, classes),
            leet_words(self.leet, reading),
        ):
            for hit in hits:
                if side in self._sides[hit.rule]:
                    yield hit

    def scan(self, text: str, side: Side, *, as_json: bool = False) -> list[RawHit]:
        """Return everything found in a whole text, overlaps included, in order of begin, rule and detector.

        Args:
            text: The original text.
            side: Which way it travels.
            as_json: The text is JSON source: escapes are read as what they stand for.
        """
        source = read(text, as_json=as_json)
        look = self._look(source.folded, side)
        hits = self._hits(source, look)
        if side is Side.INPUT:
            for hidden in texts_within(source, has_base64=look.has_base64):
                hits += self._hits(hidden, self._look(hidden.folded, side))
        return sorted(dict.fromkeys(hits), key=lambda hit: hit.start) if hits else hits

    def _look(self, whole: Whole, side: Side) -> "Look":
        if self._fast:
            return self._fast.look(whole, side)
        words = self.words_in(Reading(whole.text), whole.classes, side)
        return Look(words, with_needs(whole.text, self._finders[side]), True)

    @staticmethod
    def _hits(source: Source, look: "Look") -> list[RawHit]:
        """Return what is in one reading of a text, carried back to the original."""
        hits = [RawHit(word.rule, KEYWORD, *source.span(word.start, word.end)) for word in look.words]
        if look.finders:
            hits += (original(hit, source) for hit in found_in(source.folded.text, look.finders))
        return hits


class _Fast:
    """The compiled databases of a scanner."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._detectors = tuple(dict.fromkeys(finder.detector for side in Side for finder in scanner.finders(side)))
        self._count = len(scanner.plain.words)
        self._main = patterns.Database(scanner.plain.words, [*_HINTS, *(detector.hint for detector in self._detectors)])
        self._leet = patterns.Database(scanner.leet.words)
        self._classes = patterns.Database((), _SHAPES)
        self._lengths = [len(word) for word in scanner.plain.words]
        self._sizes = [len(word.encode()) for word in scanner.plain.words]

    def look(self, whole: Whole, side: Side) -> Look:
        """Look at a whole text once, and closer where there is cause."""
        data = whole.data.translate(_BLANKS)
        matches = self._main.scan(data)
        hints = {number - self._count for number, _ in matches if number >= self._count}
        hits = self._plain(whole.text, data, matches, None) if len(hints) < len(matches) else []
        shapes = {number for number, _ in self._classes.scan(b"p%bp" % whole.classes)}
        if b"*" in data or (_BLANKS_HINT in shapes and is_starred(whole.text)):
            view, places = plain_view(whole.text)
            data = view.encode()
            hits += self._plain(whole.text, data, self._main.scan(data), places)
        scanner = self._scanner
        if scanner.spelled.words and shapes - {_BLANKS_HINT}:
            hits += spelled_words(scanner.spelled, Reading(whole.text), whole.classes)
        if 0 in hints and scanner.leet.words:
            hits += self._leet_hits(whole)
        able = {self._detectors[hint - len(_HINTS)].name for hint in hints if hint >= len(_HINTS)}
        finders = tuple(finder for finder in scanner.finders(side) if finder.detector.name in able) if able else ()
        return Look([hit for hit in hits if scanner.reads(hit.rule, side)], finders, 1 in hints or 2 in hints)

    def _plain(self, text: str, data: bytes, matches: patterns.Matches, places: list[int] | None) -> list[WordHit]:
        """Return the words that stand alone: most are told from parts of others by the bytes beside them."""
        hits: list[WordHit] = []
        chars = _counter(data, len(matches))
        for number, end in matches:
            if number >= self._count or (places is None and self._is_part(data, number, end)):
                continue
            last = chars(end) - 1
            span = last - self._lengths[number] + 1, last
            start, stop = span if places is None else (places[span[0]], places[span[1]])
            if stands_alone(text, start, stop + 1):
                hits += [WordHit(rule, start, stop + 1) for rule in self._scanner.plain.names[number]]
        return hits

    def _is_part(self, data: bytes, number: int, end: int) -> bool:
        """Whether a match in a text as it stands is part of a longer word."""
        begin = end - self._sizes[number]
        if end < len(data) and data[end] in _WORD_BYTES and data[end - 1] in _WORD_BYTES:
            return True
        return begin > 0 and data[begin - 1] in _WORD_BYTES and data[begin] in _WORD_BYTES

    def _leet_hits(self, whole: Whole) -> Iterator[WordHit]:
        words = self._scanner.leet
        matches = self._leet.scan(whole.data.translate(LEET_BYTES))
        chars = _counter(whole.data, len(matches))
        for number, byte_end in matches:
            end = chars(byte_end)
            yield from leet_hits(words.names[number], whole.text, end - len(words.words[number]), end)


def _counter(data: bytes, times: int) -> Callable[[int], int]:
    """Return what says how many characters the first bytes of a text in UTF-8 are, to be asked some times."""
    if data.isascii():
        return int
    if times <= _FEW:
        return lambda size: len(data[:size].decode())
    counts = np.cumsum((np.frombuffer(data, np.uint8) & 0xC0) != 0x80)
    return lambda size: int(counts[size - 1])


def original(hit: FoldedHit, source: Source) -> RawHit:
    """Carry a finding back to the original text, its tail included."""
    end = hit.detector.end_of_tail(source.folded.text, hit.end) if hit.detector else hit.end
    return RawHit(hit.rule, hit.detector.name if hit.detector else KEYWORD, *source.span(hit.start, end))


def with_needs(text: str, finders: tuple[Finder, ...]) -> tuple[Finder, ...]:
    """Return the detectors that find in a text a character they cannot do without."""
    chars = set(text) if finders else set()
    return tuple(finder for finder in finders if not finder.detector.needs.isdisjoint(chars))


def found_in(text: str, finders: tuple[Finder, ...]) -> Iterator[FoldedHit]:
    """Yield what the detectors find in folded text."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for rule, detector in finders:
        if detector.name not in spans:
            spans[detector.name] = list(detector.find(text))
        for start, end in spans[detector.name]:
            yield FoldedHit(rule, detector, start, end)


@cache
def _always_masked() -> tuple[Finder, ...]:
    return tuple(Finder("", detector) for detector in DETECTORS.values() if detector.is_masked_in_records)


@cache
def _hints_of_masked() -> patterns.Database:
    return patterns.Database((), [finder.detector.hint for finder in _always_masked()])


def _may_mask(whole: Whole) -> tuple[Finder, ...]:
    if not patterns.AVAILABLE:
        return with_needs(whole.text, _always_masked())
    return tuple(_always_masked()[number] for number, _ in _hints_of_masked().scan(whole.data))


def mask_all(text: str, *, as_json: bool = False) -> str:
    """Mask all personal data and secrets, whatever any policy says: what records keep of a text."""
    source = read(text, as_json=as_json)
    found = [original(hit, source) for hit in found_in(source.folded.text, _may_mask(source.folded))]
    if not found:
        return text
    return mask(text, found, as_json=as_json)
