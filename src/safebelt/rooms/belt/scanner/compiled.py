"""A policy's words and hints: one pass over a text says what can be in it at all.

Most texts hold nothing, so everything else waits until that pass gives cause for it: detectors read only near the
places that a compiled database of their hints points at.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from safebelt.rooms.belt.model import Side
from safebelt.rooms.belt.scanner import native
from safebelt.rooms.belt.scanner.detectors import Detector
from safebelt.rooms.belt.scanner.finders import Finder, FoldedHit, Pointer
from safebelt.rooms.belt.scanner.fold import Whole
from safebelt.rooms.belt.scanner.patterns import Database
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.source import BASE64_LONG, BASE64_SHORT, FLAG_LETTERS
from safebelt.rooms.belt.scanner.terms import LEET_HINT
from safebelt.rooms.belt.scanner.views import WordHit
from safebelt.rooms.belt.scanner.words import Words

_LEET, _BASE64, _PERSONAL = 1, 2, 4


class Look(NamedTuple):
    """What a first look at a folded text gives.

    Attributes:
        words: The words in it; one may come more than once.
        personal: What the detectors find in it.
        has_base64: Whether it may hold base64, or letters of flags.
    """

    words: Iterable[WordHit]
    personal: Iterable[FoldedHit]
    has_base64: bool


class Finding(Protocol):
    """What finds the words of a policy."""

    @property
    def glance(self) -> Callable[[str], bytes | None]:
        """What folds a whole text, every blank a space, and gives None where there is cause to look closer.

        That is where it shows or may spell a word, or a character of it may stand in another place than its own.
        """
        ...

    def found_in(self, whole: Whole, data: bytes, /) -> list[WordHit]:
        """Return the words that a folded text shows, or spells; `data` is it with every blank a space."""
        ...

    def leet_in(self, whole: Whole, /) -> Iterable[WordHit]:
        """Return the words written with signs for letters."""
        ...


def finding(
    plain: Words[str], spelled: Words[str], leet: Words[tuple[str, str]], shelf: Shelf | None = None
) -> Finding:
    """Return what finds words here: the trees in C, or Hyperscan where there is no compiler."""
    if native.AVAILABLE:
        from safebelt.rooms.belt.scanner.by_tree import ByTree  # noqa: PLC0415  only what is used

        return ByTree(plain, spelled, leet)
    from safebelt.rooms.belt.scanner.by_hyperscan import ByHyperscan  # noqa: PLC0415  takes NumPy, and its memory

    return ByHyperscan(plain, spelled, leet, shelf)


class Compiled:
    """A policy's words, and hints at everything else, ready to be looked for.

    Args:
        words: What finds the words.
        has_leet: Whether any of them may be written with signs for letters.
        detectors: All that may be at work.
    """

    def __init__(self, words: Finding, detectors: Iterable[Detector], *, has_leet: bool) -> None:
        self._words, self._glance, detectors = words, words.glance, tuple(detectors)
        hints = {LEET_HINT: _LEET} if has_leet else {}
        hints |= dict.fromkeys((detector.probe for detector in detectors), _PERSONAL)
        asked = hints | dict.fromkeys((BASE64_SHORT, BASE64_LONG, FLAG_LETTERS), _BASE64)
        self._bits = list(asked.values())
        self._hints = Database({}, dict(enumerate(hints)))
        self._asked = Database({}, dict(enumerate(asked)))
        self._pointer = Pointer(detectors)

    def is_quiet(self, text: str, side: Side) -> bool:
        """Whether there is no cause to look closer at a whole text: most have none, and are asked no more."""
        data = self._glance(text)
        hints = self._asked if side is Side.INPUT else self._hints
        return data is not None and not hints.are_in(data)

    def look(self, whole: Whole, side: Side, finders: tuple[Finder, ...]) -> Look:
        """Look at a whole text once, and closer where there is cause."""
        data = _with_spaces(whole.data)
        hints = 0
        for number, _ in (self._asked if side is Side.INPUT else self._hints).scan(data):
            hints |= self._bits[number]
        hits = self._words.found_in(whole, data)
        if hints & _LEET:
            hits += self._words.leet_in(whole)
        personal = self._pointer.found_in(whole.text, data, finders) if hints & _PERSONAL and finders else ()
        return Look(hits, personal, bool(hints & _BASE64))

    def personal_in(self, text: str, finders: tuple[Finder, ...]) -> Iterable[FoldedHit]:
        """Return what detectors find in folded text."""
        return self._pointer.found_in(text, text.encode(), finders)

    def may_hold_personal(self, text: str) -> bool:
        """Whether there is a hint at anything a detector finds."""
        return self._pointer.sees(text.encode())


def _with_spaces(data: bytes) -> bytes:
    return data.replace(b"\n", b" ").replace(b"\t", b" ")
