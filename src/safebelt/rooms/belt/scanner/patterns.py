"""One compiled Hyperscan database for many words and patterns, safe to use from several threads.

Hyperscan (BSD) reads bytes and knows only where a match ends; that is enough, as words have a known length and what a
pattern points at is confirmed by the detector itself.  Where its wheel is missing, `AVAILABLE` is false, and the plain
Python reference finds the same, slower.
"""

import ctypes
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from types import MappingProxyType
from typing import NamedTuple

import structlog

from safebelt.rooms.belt.scanner.shelf import Shelf

try:
    import hyperscan

    AVAILABLE = True
except ImportError:  # no wheel for this machine
    AVAILABLE = False

_log = structlog.get_logger("safebelt.belt")

Matches = list[tuple[int, int]]
_MANY = 1_000
"""From so many words on, compiling takes longer than reading from a disk."""


class _Recipe(NamedTuple):
    """What a database is compiled from."""

    expressions: list[bytes]
    numbers: list[int]
    flags: list[int]

    def compiled(self) -> "hyperscan.Database":
        """Compile it."""
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        if not self.expressions:
            return database
        try:
            database.compile(
                expressions=self.expressions, ids=self.numbers, elements=len(self.expressions), flags=self.flags
            )
        except hyperscan.HyperscanError as error:
            raise ValueError(f"cannot be compiled: {error}") from error
        if len(self.expressions) >= _MANY:
            _give_back()
        return database

    def kept(self, shelf: Shelf) -> "hyperscan.Database":
        """Take it from a shelf; compile it and put it there where it is not, or was made on another kind of machine."""
        if data := shelf.take(self.origin()):
            try:
                return hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
            except hyperscan.HyperscanError:
                _log.info("belt.compiled_words_of_another_machine")
        database = self.compiled()
        shelf.put(self.origin(), hyperscan.dumpb(database))
        return database

    def origin(self) -> str:
        """Return the digest of everything it is compiled from, and by."""
        lines = [version("hyperscan").encode()]
        lines += [b"%d %d %b" % one for one in zip(self.numbers, self.flags, self.expressions, strict=True)]
        return sha256(b"\n".join(b"%d %b" % (len(line), line) for line in lines)).hexdigest()


def _give_back() -> None:
    """Return to the system what compiling took: it leaves five to ten times the size of the database behind."""
    with suppress(OSError, AttributeError):  # only the GNU library has it
        ctypes.CDLL(None).malloc_trim(0)


class Database:
    """Words and patterns that are looked for in one pass.

    Args:
        words: Number → word; found at every place where they stand.
        patterns: Number → regular expression over UTF-8 bytes.
        is_once: Whether each pattern is reported only where it first ends in a text.
        shelf: Where a compiled database of many words is kept from one start to the next.

    Raises:
        ValueError: A pattern cannot be compiled.
    """

    def __init__(
        self,
        words: Mapping[int, str],
        patterns: Mapping[int, str] = MappingProxyType({}),
        *,
        is_once: bool = True,
        shelf: Shelf | None = None,
    ) -> None:
        flags = [0] * len(words) + [hyperscan.HS_FLAG_SINGLEMATCH if is_once else 0] * len(patterns)
        expressions = [re.escape(word).encode() for word in words.values()]
        expressions += [pattern.encode() for pattern in patterns.values()]
        self._threads = threading.local()
        self._is_empty = not expressions
        made = _Recipe(expressions, [*words, *patterns], flags)
        self._database = made.kept(shelf) if shelf and len(words) >= _MANY else made.compiled()

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

    def are_in(self, data: bytes) -> bool:
        """Whether there is any match: as `scan`, in as few steps as can say so."""
        if self._is_empty or not data:
            return False
        scratch = getattr(self._threads, "scratch", None) or self._scratch()
        try:
            self._database.scan(data, match_event_handler=_stop, scratch=scratch)
        except hyperscan.ScanTerminated:
            return True
        return False


def _stop(*_: object) -> bool:
    return True


def counter(data: bytes) -> Callable[[int], int]:
    """Return what says how many characters the first bytes of a text in UTF-8 are, to be asked place after place."""
    if data.isascii():
        return int
    place = count = 0

    def chars(size: int) -> int:
        nonlocal place, count
        if size < place:
            place = count = 0
        count += len(data[place:size].decode())
        place = size
        return count

    return chars
