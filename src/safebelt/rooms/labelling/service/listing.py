"""Marking what a person sends, and what was marked so far: for the console and for programs."""

import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import incomplete, owed
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind
from safebelt.rooms.labelling.model import Mark, Marked
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.service.marking import MarkFile, Marking
from safebelt.rooms.labelling.service.owing import OwedFor, Owing

_BLOCK, _MAX_NAME = 1 << 20, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSent:
    """What to put on a content that is sent.

    Attributes:
        system_id: What made it.
        marks: Which marks; None for those the law asks of the system.
        regimes: Judge as if it went to these places; empty for the places on record.
        lang: Language of a notice; empty for the content's own.
    """

    system_id: str
    marks: frozenset[Mark] | None = None
    regimes: Collection[str] = ()
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedSent:
    """A content that came back marked.

    Attributes:
        marked: What was put on it, and what was left out.
        owed: Which marks are owed on it.
        name: What the marked file is called.
        media_type: As HTTP names it.
        data: The marked file.
        sidecar: The label's own file, where the format has no place for one.
    """

    marked: Marked
    owed: OwedFor
    name: str
    media_type: str
    data: bytes
    sidecar: bytes = b""

    @property
    def incomplete(self) -> Text | None:
        """What its label lacks, and what to do; None where it lacks nothing."""
        return incomplete(self.marked.lacking) if self.marked.lacking else None

    @property
    def missing(self) -> tuple[Mark, ...]:
        """The marks that are owed and are not on it."""
        return owed.missing(self.owed.marks, self.marked.put)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkPage:
    """Some marks, the latest first.

    Attributes:
        items: The marks.
        names: What their systems are called, by id.
        before: Where the older ones go on; empty where there are none.
    """

    items: tuple[Remembered, ...]
    names: dict[str, Text]
    before: str


class Listing(Marking, Owing):
    """Marks what is sent, and lists what was marked."""

    def mark_sent(self, sent: IO[bytes], name: str, cmd: MarkSent, *, by: Actor) -> MarkedSent:
        """Mark a content that somebody sent; neither it nor the marked one is kept.

        Args:
            sent: The bytes.
            name: What the sender calls it; folders in it are passed over.
            cmd: What to put on it.
            by: Who has it marked.

        Raises:
            Problem: As `mark` and `owed`.
        """
        plain = Path(name.replace("\\", "/")).name[-_MAX_NAME:] or "content"
        with tempfile.TemporaryDirectory(prefix="safebelt-mark-") as folder:
            source, out = Path(folder) / "sent" / plain, Path(folder) / "made" / plain
            source.parent.mkdir()
            out.parent.mkdir()
            with source.open("wb") as file:
                shutil.copyfileobj(sent, file, _BLOCK)
            due = self.owed(source, cmd.system_id, regimes=cmd.regimes)
            marks = owed.wished(due.marks, is_narrowed=bool(cmd.regimes)) if cmd.marks is None else cmd.marks
            wish = MarkFile(system_id=cmd.system_id, marks=marks, lang=cmd.lang)
            marked, beside = self.mark(source, out, wish, by=by), out.with_name(out.name + SIDECAR)
            return MarkedSent(
                marked=marked,
                owed=due,
                name=f"{Path(plain).stem}.marked{Path(plain).suffix}",
                media_type=MEDIA_TYPES[Kind(marked.kind)],
                data=out.read_bytes(),
                sidecar=beside.read_bytes() if beside.exists() else b"",
            )

    def marks(self, *, system_id: str = "", find: str = "", before: str = "", size: int = 20) -> MarkPage:
        """Return what was marked, the latest first.

        Args:
            system_id: Only what this system made; empty for all.
            find: A mark's id, or a file's SHA-256; empty for all.
            before: Where an earlier page ended.
            size: How many.
        """
        with self.desk.sql.read() as tx:
            found = store.marks(tx, system_id=system_id, find=find.strip(), before=before, limit=size + 1)
        items = tuple(found[:size])
        names = {one.system_id: self._name(one.system_id) for one in items}
        return MarkPage(items=items, names=names, before=items[-1].id if len(found) > size else "")

    def _name(self, system_id: str) -> Text:
        try:
            return self.desk.registry.system(system_id).name
        except Problem:
            return Text(zh=system_id or "未指明系统", en=system_id or "no system named")
