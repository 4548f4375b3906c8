"""Read durable lines from a place on, and join the two halves of exchanges that ended."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.records.disk import FIRST, path_of, raw_lines, segment_number, segments
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.line import Core, Line, parse
from safebelt.rooms.belt.records.reader import Reader

START: Place = ("", 0)
"""The very beginning of a log."""
MOST_RECENT = 8192
"""Intents kept at hand for their outcomes, so that whoever follows reads each line once; others are read again."""
_LOOKS_EVERY = 64
"""Lines between two looks at the clock."""


class Ended(NamedTuple):
    """An exchange whose outcome was read: facts only, no content."""

    id: str
    at: str
    intent: Mapping[str, Any]
    outcome: Mapping[str, Any]


class Part(NamedTuple):
    """What was read at once: exchanges, and the place behind the last line that was looked at."""

    exchanges: list[Ended]
    end: Place


class Follower:
    """Follows one log and hands out exchanges that ended.

    Attributes:
        cursor: Behind the last line that counts as taken; whoever took a part moves it there.
    """

    def __init__(self, folder: Path, *, log: str = FIRST, cursor: Place = START) -> None:
        self._folder, self._log, self.cursor = folder, log, cursor
        self._reader = Reader(folder)
        self._recent: dict[str, Mapping[str, Any]] = {}

    def read(self, most: int, seconds: float) -> Part:
        """Read on behind the cursor: at most so many exchanges, and about so long.  Moves nothing."""
        found, end, until = list[Ended](), self.cursor, time.monotonic() + seconds
        for count, (_, behind, line) in enumerate(lines_after(self._folder, self._log, self.cursor), 1):
            end = behind
            ended = None if line is None else self._ended(line)
            if ended is not None:
                found.append(ended)
            if len(found) >= most or (count % _LOOKS_EVERY == 0 and time.monotonic() > until):
                break
        return Part(found, end)

    def behind_bytes(self) -> int:
        """Return how much has been written behind the cursor."""
        number, sizes = _number_of(self.cursor[0]), 0
        for name in segments(self._folder, self._log):
            if _number_of(name) >= number:
                size = path_of(self._folder, name).stat().st_size
                sizes += max(0, size - (self.cursor[1] if name == self.cursor[0] else 0))
        return sizes

    def _ended(self, line: Line) -> Ended | None:
        core = line.core
        if core.type == "note":
            return None
        facts = _facts(core)
        if core.type == "outcome":
            return Ended(core.id, core.at, self._intent_of(core), facts)
        if len(self._recent) >= MOST_RECENT:
            self._recent.clear()
        self._recent[core.id] = facts
        return None

    def _intent_of(self, outcome: Core) -> Mapping[str, Any]:
        known = self._recent.get(outcome.id)
        if known is not None or outcome.intent is None:
            return known or {}
        try:
            return _facts(self._reader.line(*outcome.intent).core)
        except (Problem, ValueError):  # a changed record, or a place that is none
            return {}


def lines_after(
    folder: Path, log: str, cursor: Place, limit: Place | None = None
) -> Iterator[tuple[Place, Place, Line | None]]:
    """Yield place, end and line of everything durable behind a cursor, up to a limit where one is given."""
    names = [name for name in segments(folder, log) if _number_of(name) >= _number_of(cursor[0])]
    for name in names:
        if limit is not None and _number_of(name) > _number_of(limit[0]):
            return
        stop = limit[1] if limit is not None and name == limit[0] else None
        with path_of(folder, name).open("rb") as file:
            file.seek(cursor[1] if name == cursor[0] else 0)
            for offset, raw in raw_lines(file, stop):
                if raw.endswith(b"\n"):  # else it is still being written, or torn
                    yield (name, offset), (name, offset + len(raw)), parse(raw)


def end_of(folder: Path, log: str) -> Place:
    """Return the place behind all whole lines of a log; one that is still being written is not behind it."""
    names = segments(folder, log)
    if not names:
        return START
    path = path_of(folder, names[-1])
    size = path.stat().st_size
    with path.open("rb") as file:
        while size:
            file.seek(max(0, size - _BLOCK))
            block = file.read(min(size, _BLOCK))
            if (last := block.rfind(b"\n")) >= 0:
                return names[-1], size - len(block) + last + 1
            size -= len(block)
    return names[-1], 0


_BLOCK = 64 * 1024


def _facts(core: Core) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(core.facts)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number_of(segment: str) -> int:
    return segment_number(segment) if segment else 0
