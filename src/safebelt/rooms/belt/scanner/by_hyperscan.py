"""Words found by Hyperscan and NumPy, for where there is no compiler: the plain form of `_words.c`, slower.

One pass of a compiled database says which words stand in a text; other views of it are made only near the places that
give cause for it.
"""

from bisect import bisect
from collections.abc import Iterator

from safebelt.rooms.belt.scanner.fold import Whole, fold_whole
from safebelt.rooms.belt.scanner.pairs import Pairs
from safebelt.rooms.belt.scanner.patterns import Database, Matches, counter
from safebelt.rooms.belt.scanner.shelf import Shelf
from safebelt.rooms.belt.scanner.terms import LEET_BYTES, LEET_HINT
from safebelt.rooms.belt.scanner.views import (
    MAX_GAP,
    Reading,
    WordHit,
    is_starred,
    leet_hits,
    runs_near,
    spelled_words,
    starred_view,
)
from safebelt.rooms.belt.scanner.words import WORD_CHARS, Words, stands_alone

_WORD_BYTES = frozenset("".join(WORD_CHARS).encode())
_MOST_SIGNS = 64
"""With more signs beside letters than this, a text is read whole for words written with them."""

_SIGN, _LETTER = r"[\x00-/:-`{-\x7f]", "[a-z0-9]"
_SPELLED_ASCII = rf"(?:^|{_SIGN}){_LETTER}{_SIGN}{{1,8}}{_LETTER}{_SIGN}{{1,8}}{_LETTER}(?:$|{_SIGN})"
"""Three letters that stand alone: what is there wherever a word of ASCII is spelled out."""
_SPELLED = r"(?:h|[^w]w)[spo]+[hw][spo]+(?:h|w[^w])|h[so]+h|[^h]h[spo]+h[^h]"
"""The same over classes: three letters that stand alone, two ideographs with a sign between them, or two that stand
alone."""


class ByHyperscan:
    """The words of a policy as compiled databases.

    Args:
        plain, spelled, leet: The words, by view.
        shelf: Where the databases are kept from one start to the next.
    """

    def __init__(
        self, plain: Words[str], spelled: Words[str], leet: Words[tuple[str, str]], shelf: Shelf | None = None
    ) -> None:
        self._plain, self._spelled, self._leet = plain, spelled, leet
        self._main = Database(dict(enumerate(plain.words)), shelf=shelf)
        self._leet_words = Database(dict(enumerate(leet.words)), shelf=shelf)
        self._leet_signs = Database({}, {0: LEET_HINT} if leet.words else {}, is_once=False)
        self._longest_leet = max(map(len, leet.words), default=0)
        self._spelled_pairs = Pairs((word[:2] for word in spelled.words), MAX_GAP)
        self._spelled_ascii = Database({}, {0: _SPELLED_ASCII}, is_once=False)
        self._spelled_classes = Database({}, {0: _SPELLED}, is_once=False)
        self._lengths = [len(word) for word in plain.words]
        self._sizes = [len(word.encode()) for word in plain.words]
        self._reach = max(self._sizes, default=0)

    def glance(self, text: str) -> bytes | None:
        """Return a whole text folded, every blank a space; None where there is cause to look closer."""
        whole = fold_whole(text)
        data = whole.data.replace(b"\n", b" ").replace(b"\t", b" ")
        return None if whole.is_moved or self.found_in(whole, data) else data

    def found_in(self, whole: Whole, data: bytes) -> list[WordHit]:
        """Return the words that a folded text shows, or spells; `data` is it with every blank a space."""
        hits = self._plain_hits(data)
        if b"*" in data or (b"  " in data and is_starred(whole.text)):
            hits += self._starred_hits(whole, data)
        if near := self._spelled_near(whole, data):
            classes = whole.classes
            hits += spelled_words(self._spelled, Reading(whole.text), classes, runs_near(classes, near))
        return hits

    def _whole_words(self, data: bytes) -> Matches:
        """Return the words that are no parts of longer ones, by the bytes beside them."""
        words: Matches = []
        sizes, size = self._sizes, len(data)
        for number, end in self._main.scan(data):
            begin = end - sizes[number]
            is_part = (end < size and data[end] in _WORD_BYTES and data[end - 1] in _WORD_BYTES) or (
                begin > 0 and data[begin - 1] in _WORD_BYTES and data[begin] in _WORD_BYTES
            )
            if not is_part:
                words.append((number, end))
        return words

    def _plain_hits(self, data: bytes) -> list[WordHit]:
        chars, lengths, names = counter(data), self._lengths, self._plain.names
        return [
            WordHit(rule, end - lengths[number], end)
            for number, end in [(number, chars(end)) for number, end in self._whole_words(data)]
            for rule in names[number]
        ]

    def _starred_hits(self, whole: Whole, data: bytes) -> Iterator[WordHit]:
        """Yield the words of the plain view that the text as it stands does not show."""
        view, begins, shifts = starred_view(whole.data, data, self._reach)
        matches = self._main.scan(view)
        text, chars = whole.text, None
        for number, end in matches:
            first, last = bisect(begins, end - self._sizes[number]), bisect(begins, end - 1)
            if first != last:
                chars = chars or counter(whole.data)
                start = chars(end - self._sizes[number] + shifts[first - 1])
                stop = chars(end + shifts[last - 1])
                if stands_alone(text, start, stop):
                    for rule in self._plain.names[number]:
                        yield WordHit(rule, start, stop)

    def _spelled_near(self, whole: Whole, data: bytes) -> list[int]:
        """Return the places just behind which, or up to a sign before, letters that stand alone may spell a word."""
        if not self._spelled.words:
            return []
        hints = self._spelled_ascii if whole.is_ascii else self._spelled_classes
        shown, before = (data, 0) if whole.is_ascii else (b"p%bp" % whole.classes, 1)
        if not hints.scan(shown, most=1) or not self._spelled_pairs.are_in(whole):
            return []
        return [end - before for _, end in hints.scan(shown)]

    def leet_in(self, whole: Whole) -> Iterator[WordHit]:
        """Yield the words written with signs for letters."""
        words, data = self._leet, whole.data
        ends = [end for _, end in self._leet_signs.scan(data, most=_MOST_SIGNS)]
        is_short = len(ends) < _MOST_SIGNS
        for begin, stop in _around(ends, self._longest_leet) if is_short else ((0, len(data)),):
            matches = self._leet_words.scan(data[begin:stop].translate(LEET_BYTES))
            chars = counter(data)
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
