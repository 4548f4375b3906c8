"""The segment being written: lines are chained, appended as one group, and only then counted."""

import errno
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from safebelt.engines.clock import Chance
from safebelt.kernel.merkle import Frontier, leaf_hashes
from safebelt.rooms.belt.records.disk import AppendFile, path_of
from safebelt.rooms.belt.records.line import SALT_BYTES, VERSION, Core, core_bytes, digest_of, link, salted

Place = tuple[str, int]
"""Segment and offset of a line."""

Kind = Literal["intent", "outcome", "note"]


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A record before it has a place: facts and content already are JSON."""

    type: Kind
    id: str
    facts: bytes
    data: bytes | None

    @property
    def weight(self) -> int:
        """About how many bytes its line takes."""
        return len(self.facts) + len(self.data or b"") + 420  # a core without facts, salt and key names


def carried(id_: str, intents: dict[str, Place]) -> Draft:
    """Return the note that takes exchanges still under way into a new segment, so that recovery reads one segment."""
    facts = {"what": "carried", "open": {name: list(place) for name, place in intents.items()}}
    return Draft("note", id_, msgspec.json.encode(facts, order="sorted"), None)


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
        self._tree = Frontier()
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
        return self._tree.root()

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
        stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
        lines, cores, opened, ended = list[bytes](), list[bytes](), dict[str, Place](), set[str]()
        last, offset = self.last, self.file.written
        for seq, draft in enumerate(drafts, start=self.size):
            content = b"" if draft.data is None else salted(draft.data, self._chance(SALT_BYTES))
            began = None
            if draft.type == "outcome":
                began = opened.pop(draft.id, None) or (None if draft.id in ended else self.intents.get(draft.id))
                ended.add(draft.id)
            elif draft.type == "intent":
                opened[draft.id] = (self.name, offset)
            core = core_bytes(
                Core(
                    at=stamp,
                    content=digest_of(content),
                    facts=msgspec.Raw(draft.facts),
                    heads=heads,
                    id=draft.id,
                    intent=began,
                    prev=last,
                    seq=seq,
                    type=draft.type,
                    v=VERSION,
                )
            )
            lines += (core, b"\t", content, b"\n")
            cores.append(core)
            last, offset = link(core), offset + len(core) + len(content) + 2
        put(b"".join(lines))
        for leaf in leaf_hashes(cores):
            self._tree.append(leaf)
        for id_ in ended:
            self.intents.pop(id_, None)
        self.intents |= opened
        self.last, self.size = last, self.size + len(cores)

    def repair(self) -> None:
        """Cut off what a failed append left, and write anew what no sync has confirmed.

        Raises:
            OSError: The disk still refuses.
        """
        self.file.repair()

    def close(self) -> None:
        """Close the file."""
        self.file.close()
