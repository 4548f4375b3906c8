"""Finding many words at once, in plain Python: the reference for faster engines, and what a stream waits by.

Words are kept sorted; those that begin with the same two characters are a span, narrowed by bisection.  So nothing is
built that a list of fifty thousand words would make large, and what is still possible at the end of a text is known.

Chinese has no word boundaries, so none are asked for; where a term begins or ends with an ASCII letter or digit, the
neighbour must not be one, so "ass" is not found in "class".
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Generic, TypeVar

WORD_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_NARROW = 16  # a span this short is compared word by word
_LAST = "\U0010ffff"

Name = TypeVar("Name")


class Words(Generic[Name]):
    """Words with what they stand for.

    Args:
        words: Word → names.
        wait: Bits that say who must wait for a word of these names; see `at`.

    Attributes:
        words: Sorted.
        names: Of each word.
        waits: Of each word.
    """

    def __init__(self, words: Mapping[str, tuple[Name, ...]], wait: Callable[[Name], int]) -> None:
        self.words = sorted(words)
        same: dict[tuple[Name, ...], tuple[Name, ...]] = {}
        self.names = [same.setdefault(words[word], words[word]) for word in self.words]
        waits = {names: _together(map(wait, names)) for names in same}
        self.waits = [waits[names] for names in self.names]
        # For each kind of wait, of which there are few, how many of the words before a place have it.
        self._counts = {
            kind: array("I", [0, *accumulate(one == kind for one in self.waits)]) for kind in set(waits.values())
        }
        self._single = {word: place for place, word in enumerate(self.words) if len(word) == 1}
        self._first: dict[str, int] = {}
        self._pairs: dict[str, tuple[int, int]] = {}
        for place, word in enumerate(self.words):
            if len(word) > 1:
                self._first[word[0]] = self._first.get(word[0], 0) | self.waits[place]
                begin, _ = self._pairs.get(word[:2], (place, 0))
                self._pairs[word[:2]] = begin, place + 1

    def begins(self, text: str) -> list[int]:
        """Return the places at which a word may begin, by its first two characters; what follows is not looked at."""
        pairs, single = self._pairs, self._single
        places = [at for at in range(len(text) - 1) if text[at : at + 2] in pairs or text[at] in single]
        if text and (text[-1] in self._first or text[-1] in single):
            places.append(len(text) - 1)
        return places

    def waits_for(self, char: str) -> int:
        """Return who must wait where a text ends with a character."""
        return self._first.get(char, 0)

    def at(self, text: str, place: int) -> tuple[list[int], int]:
        """Return the words that stand at a place, and who must wait because the text ends within one.

        Returns:
            Places in `words`, shortest first; and the bits of `wait` of the words that the text may still become.
        """
        pair = text[place : place + 2]
        single = self._single.get(pair[:1])
        found = [] if single is None else [single]
        if len(pair) < 2:
            return found, self._first.get(pair, 0)
        span = self._pairs.get(pair)
        return (found, 0) if span is None else self._within(text, place, span, found)

    def _within(self, text: str, place: int, span: tuple[int, int], found: list[int]) -> tuple[list[int], int]:
        words, (low, high), known, rest = self.words, span, 2, len(text) - place
        while high - low > _NARROW and known < rest:
            if len(words[low]) == known:
                found.append(low)
                low += 1
            known += 1
            begin = text[place : place + known]
            low = bisect_left(words, begin, low, high)
            high = bisect_left(words, begin + _LAST, low, high)
        if low < high and len(words[low]) == known:
            found.append(low)
            low += 1
        if known == rest:
            return found, self._waiting(low, high)
        return found, self._one_by_one(text, place, range(low, high), found)

    def _one_by_one(self, text: str, place: int, span: range, found: list[int]) -> int:
        """Add the words of a span that stand at a place; return who waits for those that reach past the end."""
        wait, end = 0, len(text) - place
        for i in span:
            if len(self.words[i]) <= end:
                if text.startswith(self.words[i], place):
                    found.append(i)
            elif self.words[i].startswith(text[place:]):
                wait |= self.waits[i]
        return wait

    def _waiting(self, low: int, high: int) -> int:
        return _together(kind for kind, counts in self._counts.items() if counts[high] > counts[low])


def _together(bits: Iterable[int]) -> int:
    both = 0
    for one in bits:
        both |= one
    return both


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a span of folded text keeps to word boundaries where it begins or ends with a word character."""
    left = text[start - 1] if start else ""
    right = text[end] if end < len(text) else ""
    cuts_left = text[start] in WORD_CHARS and left in WORD_CHARS
    return not cuts_left and not (text[end - 1] in WORD_CHARS and right in WORD_CHARS)
