"""The segment being written: lines are chained, appended as one group, and only then counted."""

import errno
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from safebelt.engines.clock import Chance
from safebelt.kernel.merkle import Edge, Frontier
from safebelt.rooms.belt.records.disk import AppendFile, path_of
from safebelt.rooms.belt.records.draft import Draft, Place
from safebelt.rooms.belt.records.line import SALT_BYTES
from safebelt.rooms.belt.records.lines import made


class Segment:
    """An open segment.

    Attributes:
        name: `seg-…`.
        size: How many records are durable.
        last: Link of the last durable record.
        intents: Where intents without an outcome stand, over all segments.
        file: Where its lines go.
    """

    def __init__(self, folder: Path, name: str, *, last: str, intents: dict[str, Place], chance: Chance) -> None:
        """Create the segment's file, its name made durable.

        Raises:
            OSError: The disk refuses, or the file holds something already.
        """
        self.file = AppendFile(path_of(folder, name))
        if self.file.durable:
            self.file.close()
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        self._edge: Edge = []
        self._chance = chance
        self.name, self.last, self.intents = name, last, intents
        self.size = 0

    @property
    def end(self) -> int:
        """Offset behind the last durable record."""
        return self.file.durable

    @property
    def waiting(self) -> int:
        """Bytes that were written and no sync has confirmed."""
        return self.file.written - self.file.durable

    @property
    def root(self) -> bytes:
        """Root over all records."""
        return Frontier.of(self._edge).root()

    def append(self, drafts: Sequence[Draft], *, at: datetime, heads: int) -> None:
        """Write records as one group with one sync.  After an error nothing counts as written.

        Raises:
            OSError: The disk refuses; call `repair` before the next append.
        """
        self._add(drafts, at, heads, self.file.append)

    def write(self, drafts: Sequence[Draft], *, at: datetime, heads: int) -> None:
        """Write records without a sync: they count, and `sync` or the next `append` makes them durable.

        Raises:
            OSError: As `append`.
        """
        self._add(drafts, at, heads, self.file.write)

    def mark(self) -> tuple[int, int]:
        """Return what the next `sync` confirms.  Not while another thread writes."""
        return self.file.mark()

    def sync(self, mark: tuple[int, int]) -> None:
        """Make durable what was written up to a mark; another thread may go on writing.

        Raises:
            OSError: The disk refuses; call `repair`.
        """
        self.file.sync(mark)

    def _add(self, drafts: Sequence[Draft], at: datetime, heads: int, put: Callable[[bytes], None]) -> None:
        stamp = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(timespec="microseconds")
        salts = self._chance(SALT_BYTES * len(drafts))
        data, last, edge, opened, ended = made(
            drafts, salts, self.name, self.size, self.file.written, self.last, stamp, heads, self.intents, self._edge
        )
        put(data)
        for id_ in ended:
            self.intents.pop(id_, None)
        self.intents |= opened
        self._edge, self.last, self.size = edge, last, self.size + len(drafts)

    def repair(self) -> None:
        """Cut off what a failed append left, and write anew what no sync has confirmed.

        Raises:
            OSError: The disk still refuses.
        """
        self.file.repair()

    def close(self) -> None:
        """Close the file."""
        self.file.close()
