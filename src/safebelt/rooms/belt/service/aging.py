"""How long records are kept: texts as long as their system says, whole segments as long as the house says."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from safebelt.engines.sql import upsert
from safebelt.kernel.actors import MACHINE
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import ContentSwept, SegmentRemoved
from safebelt.rooms.belt.records.aging import aged, begins, blank, read_whole, take_away, torn, within
from safebelt.rooms.belt.records.disk import logs, path_of, segment_number, segments
from safebelt.rooms.belt.service.evidence import Evidence
from safebelt.rooms.belt.service.exchanges import Exchanges

SUBJECT = "records"
"""What a sweep is about, in the ledger."""
_SWEEP = "sweep"
_ROWS = 500
_LATE = timedelta(days=1)
"""Clocks are set back now and then: a span is read this much further than where the last one ended."""
_START = datetime.min.replace(tzinfo=UTC)

_log = structlog.get_logger("safebelt.belt")


class _OvertakenError(Exception):
    """Another process goes on with the sweep."""


class Aging(Evidence, Exchanges):
    """Lets go of what is too old."""

    # ------------------------------------------------------------------ texts

    def sweep(self) -> int:
        """Blank the texts that are older than their systems keep them; return how many contents.

        Days are UTC days, and the day that began `content_days` days ago goes whole: no text is kept longer.  What is
        about to be blanked in a file is counted and written down first, so that a sweep that was killed goes on and
        comes to the same entry.
        """
        state = {"turn": 0, "until": {}, "counts": {}, "at": {}, **self._swept()}
        before = self._still(state["before"]) if "before" in state else self._due(state["until"])
        if not before and "before" not in state:
            return 0
        state["before"] = before
        try:
            for log, path in self._files(state) if before else ():
                self._sweep_file(state, log, path)
            return self._end_sweep(state)
        except _OvertakenError:
            return 0

    def _end_sweep(self, state: Mapping[str, Any]) -> int:
        counts, before = {system: int(count) for system, count in state["counts"].items()}, state["before"]
        with self._t.sql.begin() as tx:
            self._hold_turn(tx, state)
            for system, moment in before.items():
                store.blank_calls_before(tx, datetime.fromisoformat(moment), system)
            done = {"turn": state["turn"] + 1, "until": {**state["until"], **before}}
            upsert(tx, store.cursor, {"name": _SWEEP, "value": json.dumps(done)}, ["name"])
            if counts:
                self._t.ledger.append(tx, ContentSwept(subject=SUBJECT, before=before, contents=counts), by=MACHINE)
        return sum(counts.values())

    def _due(self, until: Mapping[str, str]) -> dict[str, str]:
        """Return the systems of which texts may be too old now, with the moment before which they are."""
        rules = self._rules()
        return {id_: at.isoformat() for id_, at in rules.items() if at > _moment(until.get(id_))}

    def _still(self, before: Mapping[str, str]) -> dict[str, str]:
        """Return what of a sweep that was killed the systems still ask for: they may keep texts longer by now."""
        rules = self._rules()
        return {id_: text for id_, text in before.items() if id_ in rules and _moment(text) <= rules[id_]}

    def _rules(self) -> dict[str, datetime]:
        today = self._t.clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        table = store.harness.c
        with self._t.sql.read() as tx:
            rows = tx.execute(sa.select(table.system_id, table.content_days).where(table.content_days > 0)).all()
        return {row.system_id: today - timedelta(days=row.content_days - 1) for row in rows}

    def _files(self, state: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
        """Yield the files that may hold texts of the sweep's span and are not done yet, with their log."""
        folder, before = self._t.records, {name: _moment(text) for name, text in state["before"].items()}
        since = min(_moment(state["until"].get(system)) for system in before)
        since = since - _LATE if since > _START + _LATE else since
        for log in logs(folder):
            for name in within(folder, log, since, max(before.values())):
                if segment_number(name) > state["at"].get(log, 0):
                    yield log, path_of(folder, name)
        for path in torn(folder):
            yield "", path

    def _sweep_file(self, state: dict[str, Any], log: str, path: Path) -> None:
        before = {name: _moment(text) for name, text in state["before"].items()}
        found = aged(self._t.records, path, before, self._system_of)
        planned = state.get("now", {})
        if planned.get("file") != path.name:
            if not found.places:
                return
            state["now"] = planned = {"file": path.name, "counts": dict(found.counts)}
            self._keep_swept(state)
        blank(path, found.places)
        state["counts"] = dict(Counter(state["counts"]) + Counter(planned["counts"]))
        state["now"] = {}
        if path.suffix == ".log":
            state["at"] = {**state["at"], log: segment_number(path.stem)}
        self._keep_swept(state)

    def _system_of(self, record_id: str) -> str:
        with self._t.sql.read() as tx:
            table = store.exchange.c
            return tx.execute(sa.select(table.system_id).where(table.id == store.clean(record_id))).scalar() or ""

    def _swept(self) -> dict[str, Any]:
        with self._t.sql.read() as tx:
            kept = tx.execute(sa.select(store.cursor.c.value).where(store.cursor.c.name == _SWEEP)).scalar()
        return dict(json.loads(kept)) if kept else {}

    def _keep_swept(self, state: dict[str, Any]) -> None:
        with self._t.sql.begin() as tx:
            self._hold_turn(tx, state)
            state["turn"] += 1
            upsert(tx, store.cursor, {"name": _SWEEP, "value": json.dumps(state)}, ["name"])

    def _hold_turn(self, tx: sa.Connection, state: Mapping[str, Any]) -> None:
        """Hold that no other process has gone on with the sweep meanwhile."""
        self._t.sql.exclusive(tx, "belt_cursor")
        kept = tx.execute(sa.select(store.cursor.c.value).where(store.cursor.c.name == _SWEEP)).scalar()
        if (json.loads(kept)["turn"] if kept else 0) != state["turn"]:
            raise _OvertakenError

    # ------------------------------------------------------------------ whole segments

    def let_go(self) -> int:
        """Take segments off the disk that are older than the house keeps records; return how many.

        The ledger is told first, so that no segment is ever missing without an entry: a kill between leaves a file
        that the next call takes away.  The newest segment of a log stays, and one that is not what the ledger says it
        was: that is for `verify` to name, not to be tidied away.
        """
        count, rows = 0, self.sealed_segments()
        for log in logs(self._t.records):
            for name in segments(self._t.records, log)[:-1]:
                row = rows.get(name)
                if row is None or (row.removed_at is None and not self._remove(name, row.records, row.root, log)):
                    break
                take_away(self._t.records, name)
                count += 1
        return count

    def _remove(self, name: str, records: int, root: str, log: str) -> bool:
        """Write into the ledger that a segment is removed, where it is due; say whether it is."""
        days = self._t.records_days
        before = self._t.clock() - timedelta(days=days)
        start = begins(path_of(self._t.records, name)) if days else None
        if start is None or start >= before or not self._is_indexed(name, log):
            return False
        whole = read_whole(self._t.records, name)
        if whole is None or (whole.records, whole.root) != (records, root):
            _log.error("belt.segment_not_removed", segment=name, why="it is not what the ledger says it was")
            return False
        if whole.until >= before:
            return False
        self._forget_rows(name)
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_segment")
            gone = sa.select(store.segment.c.removed_at).where(store.segment.c.segment == name)
            if tx.execute(gone).scalar() is not None:  # another process was first
                return True
            store.blank_calls_before(tx, whole.until)
            event = SegmentRemoved(
                subject=name,
                segment=name,
                records=records,
                root=root,
                last=whole.last,
                until=whole.until.isoformat(),
                days=days,
            )
            entry = self._t.ledger.append(tx, event, by=MACHINE)
            where = store.segment.c.segment == name
            values = {"removed_at": self._t.clock(), "removed_entry": entry}
            tx.execute(sa.update(store.segment).where(where).values(**values))
        return True

    def _is_indexed(self, name: str, log: str) -> bool:
        """Whether the index has read beyond a segment: else its rows would come back."""
        place = self._cursor().places.get(log)
        return place is not None and bool(place[0]) and segment_number(place[0]) > segment_number(name)

    def _forget_rows(self, name: str) -> None:
        """Delete a segment's rows from the index, some at a time, so that nobody waits long for the database."""
        table = store.exchange
        while True:
            with self._t.sql.begin() as tx:
                some = tx.execute(sa.select(table.c.id).where(table.c.segment == name).limit(_ROWS)).scalars().all()
                if not some:
                    return
                tx.execute(sa.delete(store.hit).where(store.hit.c.exchange_id.in_(some)))
                tx.execute(sa.delete(table).where(table.c.id.in_(some)))


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else _START
