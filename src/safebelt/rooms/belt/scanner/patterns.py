"""One compiled Hyperscan database for many words and patterns, safe to use from several threads.

Hyperscan (BSD) reads bytes and knows only where a match ends; that is enough, as words have a known length and what a
pattern points at is confirmed by the detector itself.  Where its wheel is missing, `AVAILABLE` is false, and the plain
Python reference finds the same, slower.
"""

import re
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

try:
    import hyperscan

    AVAILABLE = True
except ImportError:  # no wheel for this machine
    AVAILABLE = False

Matches = list[tuple[int, int]]
_FEW = 16
"""Up to so many places in a text are worked out one by one."""


class Database:
    """Words and patterns that are looked for in one pass.

    Args:
        words: Number → word; found at every place where they stand.
        patterns: Number → regular expression over UTF-8 bytes.
        is_once: Whether each pattern is reported only where it first ends in a text.

    Raises:
        ValueError: A pattern cannot be compiled.
    """

    def __init__(
        self, words: Mapping[int, str], patterns: Mapping[int, str] = MappingProxyType({}), *, is_once: bool = True
    ) -> None:
        flags = [0] * len(words) + [hyperscan.HS_FLAG_SINGLEMATCH if is_once else 0] * len(patterns)
        expressions = [re.escape(word).encode() for word in words.values()]
        expressions += [pattern.encode() for pattern in patterns.values()]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._threads = threading.local()
        if expressions:
            self._compile(expressions, [*words, *patterns], flags)
        self._is_empty = not expressions

    def _compile(self, expressions: list[bytes], numbers: list[int], flags: list[int]) -> None:
        try:
            self._database.compile(expressions=expressions, ids=numbers, elements=len(expressions), flags=flags)
        except hyperscan.HyperscanError as error:
            raise ValueError(f"cannot be compiled: {error}") from error

    def _scratch(self) -> "hyperscan.Scratch":
        """Return what a scan writes in: one a thread."""
        scratch = self._threads.scratch = hyperscan.Scratch(self._database)
        return scratch

    def scan(self, data: bytes, most: int = 0) -> Matches:
        """Return all matches as (number, end in bytes), in order of end.

        Args:
            data: The text.
            most: Stop after so many; zero for all.
        """
        found: Matches = []
        if self._is_empty or not data:
            return found

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            found.append((number, end))
            return len(found) == most or None

        scratch = getattr(self._threads, "scratch", None) or self._scratch()
        try:
            self._database.scan(data, match_event_handler=note, scratch=scratch)
        except hyperscan.ScanTerminated:  # by `note`
            return found
        return found


def counter(data: bytes, times: int) -> Callable[[int], int]:
    """Return what says how many characters the first bytes of a text in UTF-8 are, to be asked some times."""
    if data.isascii():
        return int
    if times <= _FEW:
        return lambda size: len(data[:size].decode())
    counts = np.cumsum((np.frombuffer(data, np.uint8) & 0xC0) != 0x80)
    return lambda size: int(counts[size - 1])
