"""The index of exchanges: following the segments, searching, counting.  It can be thrown away and rebuilt."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from safebelt.engines.sql import upsert
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Exchange
from safebelt.rooms.belt.records.disk import FIRST, logs
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.following import START
from safebelt.rooms.belt.records.index import Indexer
from safebelt.rooms.belt.service.base import Chapter, pages_of
from safebelt.rooms.belt.service.words import Found, Minute, Search, Traffic

MAX_COUNTED = 10_000
"""Counting stops here: nobody pages further, and a search narrows; a full count of millions would take seconds."""
MAX_TIMED = 10_000
"""Times are taken from the newest so many exchanges: enough for a steady 95th percentile, read in some 10 ms."""
MAX_LIVE = 200
"""Rows a live page is given at once; whoever watches sees the newest."""
MAX_MINUTES = 24 * 60
OPEN = "open"
"""Searches for exchanges under way."""
_RECORDS = "records"


class _Cursor(NamedTuple):
    """How far each worker's log was read, and how many changes that came to."""

    places: dict[str, Place]
    changed: int


class _OvertakenError(Exception):
    """Another process indexed the same lines first."""


class Exchanges(Chapter):
    """Finds exchanges."""

    # ------------------------------------------------------------------ following

    def index(self) -> int:
        """Bring the index up to what is on disk; return how many rows are new or changed.

        Called every moment by a job, and before a list on the command line.  Two at once do no harm.
        """
        try:
            return sum(self._index_log(log) for log in logs(self._t.records))
        except _OvertakenError:
            return 0

    def _index_log(self, log: str) -> int:
        """Follow one worker's log; the number of the change is counted over all of them."""
        at = [self._cursor().places.get(log, START)]

        def take(rows: Sequence[Exchange], end: Place) -> None:
            with self._t.sql.begin() as tx:
                self._t.sql.exclusive(tx, "belt_cursor")
                now = self._read_cursor(tx)
                if now.places.get(log, START) != at[0]:
                    raise _OvertakenError
                store.put_exchanges(tx, rows, now.changed + 1)
                self._write_cursor(tx, _Cursor({**now.places, log: end}, now.changed + 1))
            at[0] = end

        return Indexer(self._t.records, take, cursor=at[0], log=log).step()

    def reindex(self) -> int:
        """Throw the index away and build it again from the segments."""
        with self._t.sql.begin() as tx:
            changed = self._read_cursor(tx).changed
            tx.execute(sa.delete(store.hit))
            tx.execute(sa.delete(store.exchange))
            self._write_cursor(tx, _Cursor({}, changed))
        return self.index()

    def _cursor(self) -> _Cursor:
        with self._t.sql.read() as tx:
            return self._read_cursor(tx)

    @staticmethod
    def _read_cursor(tx: sa.Connection) -> _Cursor:
        value = tx.execute(sa.select(store.cursor.c.value).where(store.cursor.c.name == _RECORDS)).scalar()
        if value is None:
            return _Cursor({}, 0)
        kept = json.loads(value)
        others = {log: (place[0], place[1]) for log, place in kept.get("others", {}).items()}
        return _Cursor({FIRST: (kept["segment"], kept["offset"]), **others}, kept["changed"])

    @staticmethod
    def _write_cursor(tx: sa.Connection, cursor: _Cursor) -> None:
        segment, offset = cursor.places.get(FIRST, START)
        kept = {"segment": segment, "offset": offset, "changed": cursor.changed}
        if others := {log: place for log, place in cursor.places.items() if log != FIRST}:
            kept["others"] = others
        upsert(tx, store.cursor, {"name": _RECORDS, "value": json.dumps(kept)}, ["name"])

    # ------------------------------------------------------------------ finding

    def exchanges(self, search: Search | None = None, page: int = 1, per_page: int = 50) -> Found:
        """Return one page of exchanges, newest first."""
        where = sa.and_(*_where(search or Search()))
        table = store.exchange
        query = sa.select(table).where(where).order_by(table.c.at.desc(), table.c.id.desc())
        some = sa.select(table.c.id).where(where).limit(MAX_COUNTED + 1).subquery()
        with self._t.sql.read() as tx:
            count = tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
            rows = tx.execute(query.limit(per_page).offset((page - 1) * per_page)).mappings().all()
            kept_from = _kept_from(tx)
        counted = min(count, MAX_COUNTED)
        return Found(
            items=tuple(store.to_exchange(row) for row in rows),
            count=counted,
            is_more=count > MAX_COUNTED,
            page=page,
            pages=pages_of(counted, per_page),
            kept_from=kept_from,
        )

    def newer(self, cursor: int, search: Search | None = None) -> tuple[int, tuple[Exchange, ...]]:
        """Return what is new or changed since a cursor, oldest first, and the new cursor (0 for the very beginning)."""
        table = store.exchange
        where = sa.and_(table.c.changed > cursor, *_where(search or Search()))
        query = sa.select(table).where(where).order_by(table.c.changed.desc(), table.c.at.desc(), table.c.id.desc())
        with self._t.sql.read() as tx:
            newest = self._read_cursor(tx).changed
            rows = tx.execute(query.limit(MAX_LIVE)).mappings().all()
        return newest, tuple(store.to_exchange(row) for row in reversed(rows))

    def cursor(self) -> int:
        """Return where a live page that has just been rendered goes on from."""
        return self._cursor().changed

    # ------------------------------------------------------------------ counting

    def traffic(self, system: str = "", minutes: int = 60) -> Traffic:
        """Count the last minutes, this one included.

        Args:
            system: System id; empty for all.
            minutes: How far back, at most a day.
        """
        table, minutes = store.exchange, max(1, min(minutes, MAX_MINUTES))
        last = store.minute_of(self._t.clock())
        where = sa.and_(table.c.minute > last - minutes, table.c.minute <= last, *_where(Search(system=system)))
        shown = store.shown().label("shown")
        grouped = sa.select(table.c.minute, shown, table.c.would, sa.func.count()).where(where)
        rules = sa.select(store.hit.c.rule, sa.func.count()).join(table, table.c.id == store.hit.c.exchange_id)
        timed = sa.select(table.c.added_ms, table.c.total_ms).where(where, table.c.finish.not_in(["", "lost"]))
        with self._t.sql.read() as tx:
            cells = tx.execute(grouped.group_by(table.c.minute, shown, table.c.would)).all()
            hits = tx.execute(rules.where(where).group_by(store.hit.c.rule)).all()
            times = tx.execute(timed.order_by(table.c.at.desc()).limit(MAX_TIMED + 1)).all()
        by_minute: dict[int, Counter[str]] = {last - back: Counter() for back in reversed(range(minutes))}
        for minute, done, _would, count in cells:
            by_minute[minute][done] += count
        added, total = sorted(t[0] for t in times[:MAX_TIMED]), sorted(t[1] for t in times[:MAX_TIMED])
        return Traffic(
            minutes=tuple(
                Minute(at=datetime.fromtimestamp(minute * 60, UTC), by_done=dict(counts))
                for minute, counts in by_minute.items()
            ),
            total=sum(cell[3] for cell in cells),
            by_done=_summed(cells, 1),
            by_would=_summed(cells, 2),
            by_rule=tuple(sorted(((rule, count) for rule, count in hits), key=lambda pair: (-pair[1], pair[0]))),
            added_p50_ms=percentile(added, 0.50),
            added_p95_ms=percentile(added, 0.95),
            total_p50_ms=percentile(total, 0.50),
            is_sampled=len(times) > MAX_TIMED,
        )


def _kept_from(tx: sa.Connection) -> datetime | None:
    """Return when the oldest record that is left was written; None where none was removed by rule."""
    removed = sa.select(store.segment.c.segment).where(store.segment.c.removed_at.is_not(None)).limit(1)
    if tx.execute(removed).first() is None:
        return None
    return tx.execute(sa.select(store.exchange.c.at).order_by(store.exchange.c.at).limit(1)).scalar()


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of sorted values; None where there are none.

    Source: NIST/SEMATECH e-Handbook of Statistical Methods, section 7.2.6.2 (nearest rank).
    """
    if not ordered:
        return None
    rank = -(-share * len(ordered) // 1)
    return ordered[max(0, int(rank) - 1)]


def _summed(cells: Sequence[Any], column: int) -> dict[str, int]:
    total: Counter[str] = Counter()
    for cell in cells:
        total[cell[column]] += cell[3]
    return dict(total)


def _where(search: Search) -> list[sa.ColumnElement[bool]]:
    """Return a search as conditions; always at least one."""
    table = store.exchange
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    exact = {"system_id": search.system, "would": search.would}
    found += [table.c[name] == store.clean(value) for name, value in exact.items() if value]
    if search.done:
        found.append(store.shown() == store.clean(search.done))
    if search.finish:
        found.append(table.c.finish == ("" if search.finish == OPEN else store.clean(search.finish)))
    if search.since:
        found.append(table.c.at >= search.since)
    if search.until:
        found.append(table.c.at < search.until)
    if text := store.clean(search.text).strip():
        in_rules = sa.select(store.hit.c.exchange_id).where(store.hit.c.rule.icontains(text, autoescape=True))
        columns = (table.c.id, table.c.key_id, table.c.model)
        found.append(sa.or_(*(c.icontains(text, autoescape=True) for c in columns), table.c.id.in_(in_rules)))
    return found


def day_range(since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """Read two dates (`2026-11-21`, UTC) as a half-open range that includes the whole last day.

    Raises:
        ValueError: One is no date.
    """
    first = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None
    last = datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None
    if last is not None:
        last = min(last, datetime.max.replace(tzinfo=UTC) - timedelta(days=1)) + timedelta(days=1)
    return first, last
