"""How the model's side stands: what every worker says of its upstreams, and the times that records have."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt import store
from safebelt.rooms.belt.control.upstreams import told
from safebelt.rooms.belt.decide.timing import Took, grouped, known_ms, split
from safebelt.rooms.belt.model.upstreams import UpstreamNow, UpstreamSeen, UpstreamsNow
from safebelt.rooms.belt.records.reader import Reader
from safebelt.rooms.belt.service.exchanges import MAX_MINUTES
from safebelt.rooms.belt.service.stops import StopOrders

MAX_TIMED = 2_000
"""Exchanges whose records are read for their times, the newest: enough for a steady 95th percentile, in some 0.2 s."""
UPSTREAM_ERROR = "upstream_error"


class UpstreamHealth(StopOrders):
    """How upstreams are, and where the time goes."""

    def upstreams(self, minutes: int = 60) -> UpstreamsNow:
        """Return how every upstream stands, over all workers of this machine, and the times of the last minutes.

        Args:
            minutes: How far back, at most a day.
        """
        seen, workers, heard = self.upstreams_seen()
        minutes = max(1, min(minutes, MAX_MINUTES))
        rows, is_capped = self._timed_rows(minutes)
        times, unanswered, unread = self._times(rows)
        return UpstreamsNow(
            at=self._t.clock(),
            workers=workers,
            told=heard,
            upstreams=self._added_up(seen),
            minutes=minutes,
            read=len(rows) - unread,
            unread=unread,
            is_capped=is_capped,
            unanswered=unanswered,
            times=grouped(times),
        )

    def upstreams_seen(self) -> tuple[list[UpstreamSeen], int, int]:
        """Return what workers say of their upstreams, how many workers there are, and how many have said something."""
        workers = [worker for worker in self.state().workers if worker.is_alive]
        said = [told(self._t.box.folder, worker.number, worker.pid) for worker in workers]
        heard = [one for one in said if one is not None]
        return [each for one in heard for each in one], len(workers), len(heard)

    def _added_up(self, seen: Iterable[UpstreamSeen]) -> tuple[UpstreamNow, ...]:
        by_name: dict[tuple[str, str], list[UpstreamSeen]] = {}
        for one in seen:
            by_name.setdefault((one.version, one.upstream), []).append(one)
        return tuple(self._sum(version, upstream, some) for (version, upstream), some in by_name.items())

    def _sum(self, version: str, upstream: str, some: Sequence[UpstreamSeen]) -> UpstreamNow:
        now = self._t.clock()
        failed = [(one.failed_at, one.failed_how) for one in some if one.failed_at]
        last = max(failed, default=(None, ""))
        return UpstreamNow(
            upstream=upstream,
            version=version,
            circuits=Counter(one.circuit(now) for one in some),
            failures=sum(one.failures for one in some),
            rests=sum(one.rests for one in some),
            taken_over=sum(one.taken_over for one in some),
            asked_again=sum(one.asked_again for one in some),
            none_left=sum(one.none_left for one in some),
            failed_at=last[0],
            failed_how=last[1],
            until=min((one.until for one in some if one.until), default=None),
            seen=tuple(some),
        )

    def _timed_rows(self, minutes: int) -> tuple[Sequence[Any], bool]:
        table, last = store.exchange, store.minute_of(self._t.clock())
        columns = (table.c.model, table.c.is_stream, table.c.finish, table.c.segment, table.c.offset)
        ended = table.c.finish.not_in(["", "lost"])
        where = sa.and_(table.c.minute > last - minutes, table.c.minute <= last, ended)
        query = sa.select(*columns).where(where).order_by(table.c.at.desc()).limit(MAX_TIMED + 1)
        with self._t.sql.read() as tx:
            rows = tx.execute(query).all()
        return rows[:MAX_TIMED], len(rows) > MAX_TIMED

    def _times(self, rows: Sequence[Any]) -> tuple[list[Took], dict[str, int], int]:
        """Return the times of what was answered, what nobody answered by its end, and how many records are unread."""
        reader, times, unanswered, unread = Reader(self._t.records), list[Took](), Counter[str](), 0
        for row in sorted(rows, key=lambda row: (row.segment, row.offset)):
            facts = _facts(reader, row.segment, row.offset)
            if facts is None:
                unread += 1
            elif not (upstream := facts.get("upstream")) or not isinstance(upstream, str):
                unanswered[row.finish] += 1
            else:
                times.append(_took(upstream, row, facts))
        return times, dict(unanswered), unread


def _took(upstream: str, row: Any, facts: Mapping[str, Any]) -> Took:
    total, added, first = (max(0.0, known_ms(facts.get(name))) for name in ("total_ms", "added_ms", "first_byte_ms"))
    return Took(
        upstream=upstream[:200],
        model=row.model,
        is_stream=row.is_stream,
        is_broken=row.finish == UPSTREAM_ERROR,
        parts=dict(split(facts)),
        total=total,
        added=added,
        first_byte=first,
    )


def _facts(reader: Reader, segment: str, offset: int) -> Mapping[str, Any] | None:
    try:
        found = msgspec.json.decode(reader.line(segment, offset).core.facts)
    except (Problem, OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
