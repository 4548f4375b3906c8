"""What grows too old: texts are blanked in place, whole segments taken off the disk; what is proven stays proven.

What a file system or a backup keeps elsewhere is beyond this, as it is beyond `erase`.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from safebelt.kernel.errors import Problem
from safebelt.kernel.merkle import Frontier, leaf_hash
from safebelt.rooms.belt.records.disk import path_of, raw_lines, segments, sync_folder
from safebelt.rooms.belt.records.limits import MAX_LINE_BYTES
from safebelt.rooms.belt.records.line import NO_CONTENT, Line, link, parse
from safebelt.rooms.belt.records.reader import Reader

TORN = "*seg-*.log.torn"
"""What recovery cut off and kept."""

SystemOf = Callable[[str], str]
"""Record id → system, for an outcome whose intent is no longer there; empty where nobody knows."""


class Whole(NamedTuple):
    """A segment read from its first line to its last.

    Attributes:
        records: How many lines.
        root: Over all of them, hex.
        last: Link of the last.
        until: When that was written.
    """

    records: int
    root: str
    last: str
    until: datetime


class Aged(NamedTuple):
    """Contents of one file that are older than their systems keep them.

    Attributes:
        places: Offsets of their lines.
        counts: System → how many.
    """

    places: list[int]
    counts: Counter[str]


class _Facts(msgspec.Struct):
    system_id: str = ""


def begins(path: Path) -> datetime | None:
    """Return when a segment's first record was written; None where that cannot be read."""
    with path.open("rb") as file:
        line = parse(file.readline(MAX_LINE_BYTES))
    return None if line is None else _at(line)


def read_whole(folder: Path, segment: str) -> Whole | None:
    """Read a segment again; None where a line of it is no record.

    Raises:
        OSError: It cannot be read.
    """
    tree, count, newest = Frontier(), 0, None
    with path_of(folder, segment).open("rb") as file:
        for _, raw in raw_lines(file):
            newest = parse(raw)
            if newest is None:
                return None
            tree.append(leaf_hash(newest.core_bytes))
            count += 1
    until = None if newest is None else _at(newest)
    if newest is None or until is None:
        return None
    return Whole(count, tree.root().hex(), link(newest.core_bytes), until)


def take_away(folder: Path, segment: str) -> None:
    """Take a segment off the disk; gone for good on return.  One that is not there is no error.

    Raises:
        OSError: The disk refuses.
    """
    path_of(folder, segment).unlink(missing_ok=True)
    sync_folder(folder)


def within(folder: Path, log: str, since: datetime, until: datetime) -> Iterator[str]:
    """Yield the segments of a log that hold records of a span, oldest first."""
    names = segments(folder, log)
    starts = [begins(path_of(folder, name)) for name in names]
    for at, name in enumerate(names):
        start, end = starts[at], starts[at + 1] if at + 1 < len(names) else None
        if (start is None or start < until) and (end is None or end >= since):
            yield name


def aged(folder: Path, path: Path, before: Mapping[str, datetime], otherwise: SystemOf) -> Aged:
    """Find the contents of a file that are older than their systems keep them.

    Args:
        folder: Of the records.
        path: A segment, or what recovery cut off one.
        before: System → moment; a system that is not named keeps its texts.
        otherwise: Asked where a line does not lead to its system.
    """
    found, reader, newest = Aged([], Counter()), Reader(folder), max(before.values())
    with path.open("rb") as file:
        for offset, raw in raw_lines(file):
            line = parse(raw if raw.endswith(b"\n") else raw + b"\n")
            at = None if line is None or line.core.content == NO_CONTENT or line.is_erased else _at(line)
            if line is None or at is None or at >= newest:
                continue
            system = _system_of(line, reader, otherwise)
            if system in before and at < before[system]:
                found.places.append(offset)
                found.counts[system] += 1
    return found


def blank(path: Path, places: list[int]) -> None:
    """Overwrite the contents of lines with spaces, all durable on return.  Idempotent.

    Raises:
        OSError: The disk refuses; doing it again goes on.
    """
    with path.open("r+b") as file:
        for offset in places:
            file.seek(offset)
            core, tab, content = file.readline(MAX_LINE_BYTES).partition(b"\t")
            file.seek(offset + len(core) + len(tab))
            file.write(b" " * len(content.removesuffix(b"\n")))
        file.flush()
        os.fsync(file.fileno())


def torn(folder: Path) -> list[Path]:
    """Return what recovery cut off and kept."""
    return sorted(folder.glob(TORN)) if folder.is_dir() else []


def _system_of(line: Line, reader: Reader, otherwise: SystemOf) -> str:
    core = line.core
    if core.type == "outcome" and core.intent is not None:
        try:
            core = reader.line(*core.intent).core
        except Problem:
            return otherwise(line.core.id)
    try:
        return msgspec.json.decode(core.facts, type=_Facts).system_id or otherwise(core.id)
    except msgspec.MsgspecError:
        return otherwise(core.id)


def _at(line: Line) -> datetime | None:
    try:
        at = datetime.fromisoformat(line.core.at)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
