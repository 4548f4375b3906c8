"""The reference engine: plain Python, exact, and slow enough that a faster one is worth its while.

A faster engine gives the same findings behind the same three methods: `scan` for whole texts, `words` and `finders`
for streams.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from safebelt.rooms.belt.decide import RawHit, is_acting, mask
from safebelt.rooms.belt.model import Policy, Side, Stance
from safebelt.rooms.belt.scanner.detectors import DETECTORS, Detector
from safebelt.rooms.belt.scanner.fold import Folded, fold
from safebelt.rooms.belt.scanner.unescape import Unescaper
from safebelt.rooms.belt.scanner.words import Lexicon, stands_alone

KEYWORD = "keyword"
"""Name of the detector of words and phrases."""
ANY = "any"
"""Kind of wait: for every rule's terms, so that all findings are reported."""


class Finder(NamedTuple):
    """A detector at work for a rule."""

    rule: str
    detector: Detector


class FoldedHit(NamedTuple):
    """A finding in folded text.  `is_open` where its tail reaches the end of what is known."""

    rule: str
    detector: Detector | None
    start: int
    end: int


class Scanner:
    """Finds what one policy looks for.

    Args:
        policy: The policy in force.

    Raises:
        KeyError: A rule names a detector that does not exist; `load_policies` finds that earlier and says it better.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._words = {side: self._lexicon(side) for side in Side}
        self._finders = {
            side: tuple(
                Finder(rule.id, DETECTORS[name])
                for rule in policy.rules
                if side in rule.sides
                for name in rule.detectors
            )
            for side in Side
        }

    def _lexicon(self, side: Side) -> Lexicon[str]:
        rules = [rule for rule in self.policy.rules if side in rule.sides]
        return Lexicon(
            {rule.id: tuple(fold(term) for term in rule.terms) for rule in rules},
            waits={ANY: [rule.id for rule in rules]}
            | {stance.value: [rule.id for rule in rules if is_acting(rule, stance)] for stance in Stance},
        )

    def words(self, side: Side) -> Lexicon[str]:
        """Return the words looked for on one side, with their waits by stance and `ANY`."""
        return self._words[side]

    def finders(self, side: Side) -> tuple[Finder, ...]:
        """Return the detectors at work on one side, in the order of the policy's rules."""
        return self._finders[side]

    def scan(self, text: str, side: Side, *, as_json: bool = False) -> list[RawHit]:
        """Return everything found in a whole text, overlaps included, in order of begin, rule and detector.

        Args:
            text: The original text.
            side: Which way it travels.
            as_json: The text is JSON source: escapes are read as what they stand for.
        """
        folded = Folded()
        if as_json:
            folded.grow(*Unescaper().feed(text, is_last=True))
        else:
            folded.grow(text, range(len(text)), range(1, len(text) + 1))
        hits = [*words_in(folded.text, self.words(side)), *found_in(folded.text, self.finders(side))]
        hits.sort(key=lambda hit: hit.start)
        return [original(hit, folded) for hit in hits]


def original(hit: FoldedHit, folded: Folded) -> RawHit:
    """Carry a finding back to the original text, its tail included."""
    end = hit.detector.end_of_tail(folded.text, hit.end) if hit.detector else hit.end
    return RawHit(
        hit.rule,
        hit.detector.name if hit.detector else KEYWORD,
        folded.starts[hit.start],
        folded.ends[end - 1],
    )


def words_in(text: str, words: Lexicon[str]) -> Iterator[FoldedHit]:
    """Yield the terms found in a whole folded text."""
    node = 0
    for place, char in enumerate(text, start=1):
        node = words.step(node, char)
        for rule, term in words.found(node):
            if stands_alone(text, place - len(term), place):
                yield FoldedHit(rule, None, place - len(term), place)


def found_in(text: str, finders: tuple[Finder, ...]) -> Iterator[FoldedHit]:
    """Yield what the detectors find in folded text."""
    chars = set(text)
    spans: dict[str, list[tuple[int, int]]] = {}
    for rule, detector in finders:
        if detector.needs.isdisjoint(chars):
            continue
        if detector.name not in spans:
            spans[detector.name] = list(detector.find(text))
        for start, end in spans[detector.name]:
            yield FoldedHit(rule, detector, start, end)


@cache
def _always_masked() -> tuple[Finder, ...]:
    return tuple(Finder("", detector) for detector in DETECTORS.values() if detector.is_masked_in_records)


def mask_all(text: str, *, as_json: bool = False) -> str:
    """Mask all personal data and secrets, whatever any policy says: what records keep of a text."""
    folded = Folded()
    if as_json:
        folded.grow(*Unescaper().feed(text, is_last=True))
    else:
        folded.grow(text, range(len(text)), range(1, len(text) + 1))
    return mask(text, [original(hit, folded) for hit in found_in(folded.text, _always_masked())], as_json=as_json)
