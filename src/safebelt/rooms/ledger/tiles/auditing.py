"""The audit's hands: stretches of the log read and examined, by as many processes as there are cores where it is long.

Hashing small things holds the interpreter's lock, so threads would gain nothing.
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from safebelt.engines.canonical import canonical
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import Row
from safebelt.rooms.ledger.tiles.static import Missing, Tiles

STRETCH = 16 * 256
"""Entries examined at once where rows come along: a few MB."""

LONG_STRETCH = 256 * 256
"""Entries examined at once where bundles are read: a tile of level 1."""

_LONG = 50_000  # entries: below it, starting processes takes longer than the work
_ROW = tuple(each.name for each in fields(Row))

Job = Callable[[], decide.Stretch]


@dataclass(frozen=True, slots=True)
class Folders:
    """The log's files as the audit reads them: whole or not at all, and never by a map, which others may shorten.

    Attributes:
        log: The public folder.
        tree: The private one.
    """

    log: Path
    tree: Path

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Return the first hashes of a tile."""
        try:
            data, holds = Tiles(self.log).wide(level, index, width)
        except Missing:
            return None
        return data[: 32 * width] if len(data) == 32 * holds else None

    def bundle(self, index: int, width: int) -> Sequence[bytes] | None:
        """Return the first entries of a bundle."""
        try:
            return Tiles(self.log).bodies(index, width)
        except (Missing, ValueError):
            return None

    def height(self, level: int, start: int, end: int) -> bytes | None:
        """Return hashes of the tree's file for a height."""
        if start == end:
            return b""
        try:
            with (self.tree / f"{level:02d}").open("rb") as file:
                data = os.pread(file.fileno(), 32 * (end - start), 32 * start)
        except FileNotFoundError:
            return None
        return data if len(data) == 32 * (end - start) else None


@dataclass(frozen=True, slots=True)
class RowsJob:
    """Examine rows with a place in `[start, end)`, each as the values of a `Row` in its order."""

    folders: Folders
    start: int
    end: int
    stops: Sequence[int]
    rows: Sequence[Sequence[Any]]

    def __call__(self) -> decide.Stretch:
        """Do it."""
        rows = [Row(**dict(zip(_ROW, values, strict=True))) for values in self.rows]
        stretch = decide.Stretch(start=self.start, end=self.end)
        return decide.examine_rows(stretch, rows, self.stops, canonical=canonical, files=self.folders)


@dataclass(frozen=True, slots=True)
class BundlesJob:
    """Examine the bundles that hold entries `[start, end)`, without the rows."""

    folders: Folders
    start: int
    end: int
    stops: Sequence[int]

    def __call__(self) -> decide.Stretch:
        """Do it."""
        stretch = decide.Stretch(start=self.start, end=self.end)
        return decide.examine_bundles(stretch, self.stops, files=self.folders)


def examined(jobs: Iterable[Job], size: int) -> Iterator[decide.Stretch]:
    """Yield what jobs come to, in their order.

    Args:
        jobs: Taken one by one, a few ahead of the workers, so that memory stays bounded.
        size: How many entries they are about: says whether processes are worth starting.
    """
    cores = os.cpu_count() or 1
    if size < _LONG or cores == 1:
        yield from (job() for job in jobs)
        return
    # Spawned, because this process may have threads, whose locks a fork would copy as they are.
    with ProcessPoolExecutor(cores, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = deque[Future[decide.Stretch]]()
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
