"""What a detector is: a pattern over folded text, a check, and bounds that let a stream go on."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

REACH = 1024
"""No detector looks at more folded characters than this from the beginning of a finding to the decision about it."""
LOOK_BEHIND = 5
"""No detector looks at more folded characters than this before a finding."""

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
        pattern: Where a finding may begin and how far it may go.  ASCII classes only, never a Unicode word boundary.
        needs: The text must have at least one of these characters; a cheap way to pass by.
        judge: Where the finding really ends, or None if it is none: check digits, dates, known prefixes.
        tail: Characters that belong to it beyond its end, however many: the rest of a long token.
        is_masked_in_records: Whether records always mask it, whatever the policy says.
    """

    name: str
    hint: str
    pattern: re.Pattern[str]
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

    def end_of_tail(self, text: str, end: int) -> int:
        """Return where the finding that ends at `end` ends with its tail."""
        while end < len(text) and text[end] in self.tail:
            end += 1
        return end


def if_true(check: Callable[[str], bool]) -> Callable[[re.Match[str]], int | None]:
    """Judge by the matched text alone."""
    return lambda match: match.end() if check(match.group()) else None
