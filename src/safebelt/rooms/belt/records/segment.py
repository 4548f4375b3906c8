"""The segment being written: lines are chained, appended as one group, and only then counted."""

import errno
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from safebelt.engines.clock import Chance
from safebelt.kernel.merkle import Frontier, leaf_hash
from safebelt.rooms.belt.records.disk import AppendFile, path_of
from safebelt.rooms.belt.records.line import SALT_BYTES, VERSION, Core, core_bytes, digest_of, link, salted

Place = tuple[str, int]
"""Segment and offset of a line."""

Kind = Literal["intent", "outcome", "note"]


class Draft(NamedTuple):
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
    """

    def __init__(self, folder: Path, name: str, *, last: str, intents: dict[str, Place], chance: Chance) -> None:
        """Create the segment's file, its name made durable.

        Raises:
            OSError: The disk refuses, or the file holds something already.
        """
        self._file = AppendFile(path_of(folder, name))
        if self._file.durable:
            self._file.close()
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        self._tree = Frontier()
        self._chance = chance
        self.name, self.last, self.intents = name, last, intents
        self.size = 0

    @property
    def end(self) -> int:
        """Offset behind the last durable record."""
        return self._file.durable

    @property
    def root(self) -> bytes:
        """Root over all durable records."""
        return self._tree.root()

    def append(self, drafts: Sequence[Draft], *, at: datetime, heads: int) -> None:
        """Write records as one group with one sync.  After an error nothing counts as written.

        Raises:
            OSError: The disk refuses; call `repair` before the next append.
        """
        stamp = at.astimezone(UTC).isoformat(timespec="microseconds")
        lines, leaves, intents = [], [], self.intents.copy()
        last, offset = self.last, self._file.durable
        for seq, draft in enumerate(drafts, start=self.size):
            content = b"" if draft.data is None else salted(draft.data, self._chance(SALT_BYTES))
            core = core_bytes(
                Core(
                    at=stamp,
                    content=digest_of(content),
                    facts=msgspec.Raw(draft.facts),
                    heads=heads,
                    id=draft.id,
                    intent=intents.pop(draft.id, None) if draft.type == "outcome" else None,
                    prev=last,
                    seq=seq,
                    type=draft.type,
                    v=VERSION,
                )
            )
            if draft.type == "intent":
                intents[draft.id] = (self.name, offset)
            line = b"%b\t%b\n" % (core, content)
            lines.append(line)
            leaves.append(leaf_hash(core))
            last, offset = link(core), offset + len(line)
        self._file.append(b"".join(lines))
        for leaf in leaves:
            self._tree.append(leaf)
        self.last, self.intents, self.size = last, intents, self.size + len(leaves)

    def repair(self) -> None:
        """Cut off what a failed append left.

        Raises:
            OSError: The disk still refuses.
        """
        self._file.repair()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
