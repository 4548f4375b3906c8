"""One compiled Hyperscan database for many words and patterns, safe to use from several threads.

Hyperscan (BSD) reads bytes and knows only where a match ends; that is enough, as words have a known length and what a
pattern points at is confirmed by the detector itself.  Where its wheel is missing, `AVAILABLE` is false, and the plain
Python reference finds the same, slower.
"""

import re
import threading
from collections.abc import Iterable, Sequence

try:
    import hyperscan

    AVAILABLE = True
except ImportError:  # no wheel for this machine
    AVAILABLE = False

Matches = list[tuple[int, int]]


class Database:
    """Words and patterns that are looked for in one pass.

    Args:
        words: Found at every place where they stand.
        patterns: Regular expressions over UTF-8 bytes; reported once a text.

    Raises:
        ValueError: A pattern cannot be compiled.
    """

    def __init__(self, words: Sequence[str], patterns: Sequence[str] = ()) -> None:
        flags = [0] * len(words) + [hyperscan.HS_FLAG_SINGLEMATCH] * len(patterns)
        expressions = [*(re.escape(word).encode() for word in words), *(pattern.encode() for pattern in patterns)]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._threads = threading.local()
        if expressions:
            self._compile(expressions, flags)
        self._is_empty = not expressions

    def _compile(self, expressions: list[bytes], flags: list[int]) -> None:
        try:
            self._database.compile(
                expressions=expressions, ids=range(len(expressions)), elements=len(expressions), flags=flags
            )
        except hyperscan.HyperscanError as error:
            raise ValueError(f"cannot be compiled: {error}") from error

    def scan(self, data: bytes) -> Matches:
        """Return all matches as (number, end in bytes): words first in the numbering, then patterns."""
        found: Matches = []
        if self._is_empty or not data:
            return found
        scratch = getattr(self._threads, "scratch", None)
        if scratch is None:
            scratch = self._threads.scratch = hyperscan.Scratch(self._database)

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((number, end))

        self._database.scan(data, match_event_handler=note, scratch=scratch)
        return found


def any_of(literals: Iterable[str]) -> str:
    """Return a pattern for any of some strings."""
    return "(?:" + "|".join(re.escape(literal) for literal in literals) + ")"
