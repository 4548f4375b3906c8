"""What a detector is: a pattern over folded text, a check, and bounds that let a stream go on."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

REACH = 1024
"""No detector looks at more folded characters than this from the beginning of a finding to the decision about it."""
LOOK_BEHIND = 5
"""No detector looks at more folded characters than this before a finding."""

HINT_REACH = 80
"""A hint within a finding ends at most so many folded characters from where the finding begins."""
_CLOSE = 48
"""Most detectors look at no more folded characters than this from the beginning of a finding."""
SIX_DIGITS = r"[0-9](?:(?:[ ()./_-]|·|—){0,3}[0-9]){5}"
"""Six digits, signs between them: they are there wherever a number of a person is."""
AFTER_ESCAPE = r"(?<=\\[nrt])"
"""Behind `\\n`, `\\r` or `\\t`, the ends of lines in JSON within a text: their letter belongs to no word."""
BEGINS = rf"(?:(?<![0-9a-z])|{AFTER_ESCAPE})"
"""Where something may begin that no letter or digit stands before."""

DIGITS = frozenset("0123456789")

Span = tuple[int, int]


def _as_matched(match: re.Match[str]) -> int | None:
    return match.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """Finds one kind of thing in folded text.

    What it finds at a place depends on no more than `LOOK_BEHIND` characters before and `REACH` after, never on where
    the scan began: so a stream finds what the whole text holds.

    Attributes:
        name: As policies name it.
        hint: Pattern without looking around, for a fast engine over UTF-8: it is there wherever a finding is.
        probe: Pattern that is there wherever the hint is, cheap to look for in every text; many share one.
        longest: No finding is decided by more folded characters than this from where it begins.
        pattern: Where a finding may begin and how far it may go.  ASCII classes only, never a Unicode word boundary.
        needs: The text must have at least one of these characters; a cheap way to pass by.
        judge: Where the finding really ends, or None if it is none: check digits, dates, known prefixes.
        tail: Characters that belong to it beyond its end, however many: the rest of a long token.
        is_masked_in_records: Whether records always mask it, whatever the policy says.
    """

    name: str
    hint: str
    pattern: re.Pattern[str]
    probe: str = SIX_DIGITS
    longest: int = _CLOSE
    needs: frozenset[str] = DIGITS
    judge: Callable[[re.Match[str]], int | None] = _as_matched
    tail: frozenset[str] = frozenset()
    is_masked_in_records: bool = True

    def find(self, text: str) -> Iterator[Span]:
        """Yield the spans found, overlapping ones too, without their tails."""
        search, judge = self.pattern.search, self.judge
        match = search(text)
        while match:
            end = judge(match)
            if end is not None:
                yield match.start(), end
            match = search(text, match.start() + 1)

    def find_near(self, text: str, places: Sequence[int]) -> Iterator[Span]:
        """Yield what `find` does of a text where hints end at some places and nowhere else, these in order."""
        search, judge = self.pattern.search, self.judge
        for first, last in _windows(places):
            until = last + self.longest
            match = search(text, first, until)
            while match and match.start() < last:
                end = judge(match)
                if end is not None:
                    yield match.start(), end
                match = search(text, match.start() + 1, until)

    def end_of_tail(self, text: str, end: int) -> int:
        """Return where the finding that ends at `end` ends with its tail."""
        while end < len(text) and text[end] in self.tail:
            end += 1
        return end


def _windows(places: Sequence[int]) -> Iterator[Span]:
    """Yield where findings may begin: from the reach of a hint on to its end; what overlaps is one."""
    first = last = -1
    for place in places:
        if last >= 0 and place - HINT_REACH > last:
            yield first, last
            first = last = -1
        first = max(0, place - HINT_REACH) if first < 0 else first
        last = place
    if last >= 0:
        yield first, last


def if_true(check: Callable[[str], bool]) -> Callable[[re.Match[str]], int | None]:
    """Judge by the matched text alone."""
    return lambda match: match.end() if check(match.group()) else None
