"""The records themselves: reading one in full, sealing, verifying, proving, erasing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
import structlog

from safebelt.kernel.actors import MACHINE, Actor
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import NotFound, Unavailable
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Exchange, Record, RecordErased, SegmentRemoved, SegmentSealed
from safebelt.rooms.belt.records.digests import Fit, fits
from safebelt.rooms.belt.records.erase import erase
from safebelt.rooms.belt.records.index import fold
from safebelt.rooms.belt.records.reader import Exchanged, Reader
from safebelt.rooms.belt.records.verify import Removed, Verification, verify
from safebelt.rooms.belt.scanner.engine import mask_all
from safebelt.rooms.belt.service.base import REASON, Chapter, given, missing
from safebelt.rooms.belt.service.words import Full, Proof, Sealed

Place = tuple[str, int]

_log = structlog.get_logger("safebelt.belt")


class Evidence(Chapter):
    """What the records prove."""

    def exchange(self, record_id: str) -> Full:
        """Return one exchange with its records and why.

        Raises:
            NotFound: There is no such record.
            Unavailable: A content on disk is not what its record says.
        """
        row = self._row(record_id)
        places = self._places(record_id)
        reader = Reader(self._t.records)
        if row is None:
            both = self._joined(reader, places)
            row = fold(both.intent, both.outcome, places[-1])
        else:
            both = self._joined(reader, [(row.segment, row.offset)])
        sealed = self.sealed_segments().get(row.segment)
        return Full(
            exchange=row,
            intent=both.intent,
            outcome=both.outcome,
            reasons=tuple(_reasons(both)),
            sealed_entry=sealed.entry_id if sealed else "",
        )

    def _row(self, record_id: str) -> Exchange | None:
        with self._t.sql.read() as tx:
            row = tx.execute(sa.select(store.exchange).where(store.exchange.c.id == record_id)).mappings().first()
        return None if row is None else store.to_exchange(row)

    def _places(self, record_id: str) -> list[Place]:
        """Return where a record's lines are: from the index, else by searching the files.

        Raises:
            NotFound: Nowhere.
        """
        row = self._row(record_id)
        places = [(row.segment, row.offset)] if row else Reader(self._t.records).find(store.clean(record_id))
        if not places:
            raise missing(
                Text(zh="记录", en="record"),
                record_id,
                Text(
                    zh="请在安全带页面中搜索。",
                    en="Search for it on the belt's page or with `safebelt belt exchanges list`.",
                ),
            )
        return places

    @staticmethod
    def _joined(reader: Reader, places: list[Place]) -> Exchanged:
        both = [reader.exchange(*place) for place in places]
        intent = next((each.intent for each in both if each.intent), None)
        return Exchanged(intent, next((each.outcome for each in both if each.outcome), None))

    # ------------------------------------------------------------------ sealing

    def sealed(self, segment: str, records: int, root: str) -> str:
        """Put a finished segment's root on the ledger, once; return the entry's id.

        A second root for the same segment is never written over the first: `verify` names the difference.
        """
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_segment")
            row = tx.execute(sa.select(store.segment).where(store.segment.c.segment == segment)).mappings().first()
            if row is not None:
                if (row["records"], row["root"]) != (records, root):
                    _log.error("belt.segment_sealed_twice", segment=segment, kept=row["root"], offered=root)
                return str(row["entry_id"])
            event = SegmentSealed(subject=segment, segment=segment, records=records, root=root)
            entry_id = self._t.ledger.append(tx, event, by=MACHINE)
            values = {"records": records, "root": root, "sealed_at": self._t.clock(), "entry_id": entry_id}
            tx.execute(sa.insert(store.segment).values(segment=segment, **values))
        return entry_id

    def sealed_segments(self) -> dict[str, Sealed]:
        """Return every segment whose root the ledger has, by name, oldest first."""
        with self._t.sql.read() as tx:
            rows = tx.execute(sa.select(store.segment).order_by(store.segment.c.segment)).mappings().all()
        return {row["segment"]: Sealed(**row) for row in rows}

    # ------------------------------------------------------------------ verifying and proving

    def verify(self) -> Verification:
        """Read every record again and hold it against signed heads and ledger.

        Raises:
            Unavailable: The records cannot be read.
        """
        sealed = {name: (each.records, each.root) for name, each in self.sealed_segments().items()}
        try:
            return verify(
                self._t.records,
                open_note=self._t.open_note,
                sealed=sealed,
                log_origin=self._t.log_origin,
                removed=self._removed(),
            )
        except OSError as error:
            raise Unavailable(
                what=Text(zh=f"无法读取记录：{error.strerror}。", en=f"The records cannot be read: {error.strerror}."),
                hint=Text(
                    zh="请检查磁盘与文件权限，然后重试。", en="Check the disk and file permissions, then try again."
                ),
            ) from error

    def _removed(self) -> dict[str, Removed]:
        """Return the segments that were removed by rule: a row alone proves nothing, so each entry is read."""
        found = {}
        for name, row in self.sealed_segments().items():
            try:
                entry = self._t.ledger.entry(row.removed_entry) if row.removed_entry else None
            except NotFound:
                continue
            if entry is None or (entry.kind, entry.subject) != (SegmentRemoved.kind, name):
                continue
            if (entry.data["records"], entry.data["root"]) == (row.records, row.root):
                found[name] = Removed(on=entry.at.date().isoformat(), last=str(entry.data["last"]))
        return found

    def prove(self, record_id: str) -> Proof:
        """Return a self-contained proof (C2SP tlog-proof) that a record stands in a signed head.

        Raises:
            NotFound: There is no such record.
            Unavailable: No head covers it yet (at most a second), or the segment does not match its head.
        """
        segment, offset = self._places(record_id)[-1]
        sealed = self.sealed_segments().get(segment)
        return Proof(
            record_id=record_id,
            text=Reader(self._t.records).prove(segment, offset),
            segment=segment,
            sealed_entry=sealed.entry_id if sealed else "",
        )

    def check_text(self, record_id: str, text: str) -> list[Fit]:
        """Hold a text against every text that a record keeps, or of which it keeps a digest.

        The text is masked first, as records mask; a line break at its end, as editors leave it, does not count.

        Raises:
            NotFound: There is no such record.
            Unavailable: A content on disk is not what its record says.
        """
        both = self._joined(Reader(self._t.records), self._places(record_id))
        readings = {text, text.removesuffix("\n").removesuffix("\r")}
        shown = frozenset(
            reading for each in readings for reading in (each, mask_all(each), mask_all(each, as_json=True))
        )
        halves = [half.content for half in (both.intent, both.outcome) if half and half.content]
        return [fit for content in halves for fit in fits(content, shown)]

    def erase(self, record_id: str, reason: str, by: Actor) -> int:
        """Erase a record's content for good; its core and every proof stand.

        The contents go first, so that a crash between can only leave them erased and the ledger without the entry:
        doing it again writes the entry.

        Returns:
            How many contents were blanked; 0 where none was left.

        Raises:
            Invalid: No reason is given.
            NotFound: There is no such record.
            Unavailable: The disk refuses.
        """
        reason = given(reason, field="reason", what=REASON)
        try:
            count = erase(self._t.records, store.clean(record_id))
        except OSError as error:
            raise Unavailable(
                what=Text(
                    zh=f"无法抹除内容：{error.strerror}。", en=f"The content cannot be erased: {error.strerror}."
                ),
                hint=Text(zh="请检查磁盘，然后再次抹除。", en="Check the disk, then erase again."),
            ) from error
        if not count:
            self._places(record_id)
        with self._t.sql.begin() as tx:
            store.blank_calls(tx, record_id)
            self._t.ledger.append(tx, RecordErased(subject=record_id, contents=count, reason=reason), by=by)
        return count


def _reasons(both: Exchanged) -> Iterator[Reason]:
    """Yield every reason the records carry, input before output."""
    for record in (both.intent, both.outcome):
        if record is not None:
            for part in (record.core, record.content or {}):
                yield from _reasons_in(part)


def _reasons_in(part: Mapping[str, Any]) -> Iterator[Reason]:
    for name in ("reason", "reasons"):
        value = part.get(name)
        for each in value if isinstance(value, list) else [value]:
            if (reason := reason_of(each)) is not None:
                yield reason


def reason_of(data: Any) -> Reason | None:
    """Read back what `Reason.as_data` wrote; None where it is something else: a changed record must not stop a page."""
    try:
        says, because = data["says"], data.get("because", ())
        return Reason(
            says=Text(zh=str(says["zh"]), en=str(says["en"])),
            holds=Truth(data["holds"]),
            cites=tuple(str(cite) for cite in data.get("cites", ())),
            because=tuple(reason for each in because if (reason := reason_of(each)) is not None),
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def texts_of(record: Record | None) -> list[tuple[str, str]]:
    """Return the masked texts of a record with where each stood (`messages[0].content`), in order.

    A record's keys are sorted as letters are, the tenth message before the second: numbers are put in order here.
    """
    texts = (record.content or {}).get("texts") if record is not None else None
    found = [(str(path), str(text)) for path, text in texts.items()] if isinstance(texts, Mapping) else []
    return sorted(found, key=lambda each: _in_order(each[0]))


def _in_order(path: str) -> list[Any]:
    """Return what sorts a path by its numbers; as text, however many digits somebody gives one."""
    return [(len(part), part) if odd % 2 else part for odd, part in enumerate(_NUMBERS.split(path))]


_NUMBERS = re.compile("([0-9]+)")
