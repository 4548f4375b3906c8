"""What one policy looks for, in whole texts.

`Scanner.scan` folds a text and reads it for words in three views (`views`) and for personal data.  Where Hyperscan is
installed, words are found by what is compiled (`compiled`), one pass of a database says what else can be there at all,
and only that is looked at; otherwise everything is looked at by the same plain Python code, which gives the same
findings, slower.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from safebelt.rooms.belt.decide import RawHit, is_acting, mask
from safebelt.rooms.belt.model import Policy, Side, Stance
from safebelt.rooms.belt.scanner import patterns
from safebelt.rooms.belt.scanner.compiled import Compiled, Look, finding
from safebelt.rooms.belt.scanner.detectors import DETECTORS
from safebelt.rooms.belt.scanner.finders import Finder, FoldedHit, Pointer, found_in, with_needs
from safebelt.rooms.belt.scanner.fold import Whole, make_ready
from safebelt.rooms.belt.scanner.glances import Glances, Remembered
from safebelt.rooms.belt.scanner.keeping import forms_for
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.source import Source, read, texts_within
from safebelt.rooms.belt.scanner.views import (
    Reading,
    WordHit,
    leet_words,
    may_hold_leet,
    may_hold_spelled,
    plain_words,
    spelled_words,
    wait_for_letter,
)
from safebelt.rooms.belt.scanner.words import Words

KEYWORD = "keyword"
"""Name of the detector of words and phrases."""


def bit_of(side: Side, stance: Stance | None = None) -> int:
    """Return the bit of those who wait on a side: for every rule, or for those that act in a stance."""
    return 1 << (list(Side).index(side) * 3 + (0 if stance is None else 1 + list(Stance).index(stance)))


class Scanner:
    """Finds what one policy looks for.

    Args:
        policy: The policy in force.
        fast: Whether to use Hyperscan where it is installed; without, the reference reads.
        shelf: Where what it compiles is kept from one start to the next.

    Attributes:
        policy: The policy.
        plain, spelled, leet: Its words, by view.
        glances: By the bit of those who act: what streams remember of their windows.
        without_pinyin: How many Chinese terms are not looked for in pinyin, because there are too many.

    Raises:
        KeyError: A rule names a detector that does not exist; `load_policies` finds that earlier and says it better.
    """

    def __init__(self, policy: Policy, *, fast: bool = True, shelf: Shelf | None = None) -> None:
        self.policy = policy
        self._sides = {rule.id: rule.sides for rule in policy.rules}
        waits = {
            rule.id: sum(
                bit_of(side) | sum(bit_of(side, stance) for stance in Stance if is_acting(rule, stance))
                for side in rule.sides
            )
            for rule in policy.rules
        }
        forms = forms_for(policy, shelf)
        self.without_pinyin = forms.without_pinyin
        self.plain: Words[str] = Words(forms.plain, waits.__getitem__)
        self.spelled: Words[str] = Words(forms.spelled, waits.__getitem__)
        self.leet: Words[tuple[str, str]] = Words(forms.leet, lambda name: waits[name[0]])
        self._finders = {
            side: tuple(
                Finder(rule.id, DETECTORS[name])
                for rule in policy.rules
                if side in rule.sides
                for name in rule.detectors
            )
            for side in Side
        }
        detectors = dict.fromkeys(finder.detector for side in Side for finder in self._finders[side])
        is_fast = fast and patterns.AVAILABLE
        self._compiled = None
        if is_fast:
            words = finding(self.plain, self.spelled, self.leet, shelf)
            self._compiled = Compiled(words, detectors, has_leet=bool(self.leet.words))
        self.glances: dict[int, Glances] = {bit_of(side, stance): Remembered() for side in Side for stance in Stance}
        make_ready(shelf)

    def finders(self, side: Side) -> tuple[Finder, ...]:
        """Return the detectors at work on one side, in the order of the policy's rules."""
        return self._finders[side]

    def personal_in(self, text: str, side: Side) -> Iterable[FoldedHit]:
        """Return what the detectors find in folded text."""
        finders = self._finders[side]
        if self._compiled:
            return self._compiled.personal_in(text, finders)
        return found_in(text, with_needs(text, finders))

    def is_free_of_personal(self, text: str, side: Side) -> bool:
        """Whether nothing in folded text could be what a detector finds, whatever stands before it."""
        if self._compiled:
            return not self._compiled.may_hold_personal(text)
        return not with_needs(text, self._finders[side])

    def reads(self, rule: str, side: Side) -> bool:
        """Whether a rule reads texts that travel one way."""
        return side in self._sides[rule]

    def words_in(self, reading: Reading, classes: bytes, side: Side) -> list[WordHit]:
        """Return the words in folded text, by the reference; one may come more than once."""
        hits = plain_words(self.plain, reading)
        if may_hold_spelled(reading, classes):
            hits += spelled_words(self.spelled, reading, classes)
        elif reading.waits:
            wait_for_letter(self.spelled, reading, classes)
        if may_hold_leet(reading):
            hits += leet_words(self.leet, reading)
        return [hit for hit in hits if side in self._sides[hit.rule]] if hits else hits

    def scan(self, text: str, side: Side, *, as_json: bool = False) -> list[RawHit]:
        """Return everything found in a whole text, overlaps included, in order of begin, rule and detector.

        Args:
            text: The original text.
            side: Which way it travels.
            as_json: The text is JSON source: escapes are read as what they stand for.
        """
        return self._scan(read(text, as_json=as_json), side)

    def finds_nothing(self, text: str, side: Side) -> bool:
        """Whether nothing is found in a whole text, in as few steps as can say so: what most texts are asked."""
        if self._compiled is None or "&" in text or "%" in text or "\\" in text:
            return not self.scan(text, side)
        return self._compiled.is_quiet(text, side) or not self.scan(text, side)

    def _scan(self, source: Source, side: Side) -> list[RawHit]:
        hits, has_base64 = self._hits(source, side)
        if side is Side.INPUT:
            for hidden in texts_within(source, has_base64=has_base64):
                hits += self._hits(hidden, side)[0]
        return sorted(dict.fromkeys(hits), key=lambda hit: hit.start) if hits else hits

    def _look(self, whole: Whole, side: Side) -> Look:
        finders = self._finders[side]
        if self._compiled:
            return self._compiled.look(whole, side, finders)
        words = self.words_in(Reading(whole.text), whole.classes, side)
        return Look(words, self.personal_in(whole.text, side), True)

    def _hits(self, source: Source, side: Side) -> tuple[list[RawHit], bool]:
        """Return what is in one reading of a text, carried back to the original; and whether it may hold base64."""
        words, personal, has_base64 = self._look(source.folded, side)
        hits = [
            RawHit(word.rule, KEYWORD, *source.span(word.start, word.end))
            for word in words
            if side in self._sides[word.rule]
        ]
        hits += [original(hit, source) for hit in personal]
        return hits, has_base64


def original(hit: FoldedHit, source: Source) -> RawHit:
    """Carry a finding back to the original text, its tail included."""
    end = hit.detector.end_of_tail(source.folded.text, hit.end) if hit.detector else hit.end
    return RawHit(hit.rule, hit.detector.name if hit.detector else KEYWORD, *source.span(hit.start, end))


@cache
def _always_masked() -> tuple[Finder, ...]:
    return tuple(Finder("", detector) for detector in DETECTORS.values() if detector.is_masked_in_records)


@cache
def _pointer_of_masked() -> Pointer:
    return Pointer(finder.detector for finder in _always_masked())


def _personal(whole: Whole) -> Iterator[FoldedHit]:
    if patterns.AVAILABLE:
        return _pointer_of_masked().found_in(whole.text, whole.data, _always_masked())
    return found_in(whole.text, with_needs(whole.text, _always_masked()))


def mask_all(text: str, *, as_json: bool = False) -> str:
    """Mask all personal data and secrets, whatever any policy says: what records keep of a text."""
    source = read(text, as_json=as_json)
    found = [original(hit, source) for hit in _personal(source.folded)]
    if not found:
        return text
    return mask(text, found, as_json=as_json)
