"""Group commit: one sync makes all records durable that came while the last sync ran.

    >>> writer = Writer(folder, sign=sign, log_origin="example.org/log", clock=wall_clock, chance=real_chance,
    ...                 new_id=real_ids(), on_sealed=tell_ledger, sealed=known)   # doctest: +SKIP
    >>> writer.put(record, when_durable)   # returns at once; when_durable(None) once it is on disk  # doctest: +SKIP

There is no fixed wait: while a sync runs (about 5 ms) the next group gathers by itself, so that a lone record is
durable after one sync and a crowd shares one.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast, get_args

import structlog

from safebelt.engines.clock import Chance, Clock
from safebelt.kernel.errors import Problem
from safebelt.kernel.ids import NewId
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records import problems
from safebelt.rooms.belt.records.acks import Deliver, WhenDurable, inline
from safebelt.rooms.belt.records.disk import FolderLock, segment_name
from safebelt.rooms.belt.records.head import Sign
from safebelt.rooms.belt.records.headlog import HeadLog
from safebelt.rooms.belt.records.health import Health, State
from safebelt.rooms.belt.records.limits import HEAD_EVERY_SECONDS, MAX_ID, MAX_LINE_BYTES, Limits
from safebelt.rooms.belt.records.line import encode, encode_facts
from safebelt.rooms.belt.records.recover import Recovered, recover
from safebelt.rooms.belt.records.seals import OnSealed, Seal, Seals
from safebelt.rooms.belt.records.segment import Draft, Kind, Place, Segment, carried


class _Waiting(NamedTuple):
    draft: Draft
    when_durable: WhenDurable | None  # None: the writer's own note


def _draft(record: Record) -> Draft:
    if record.type not in get_args(Kind):
        raise problems.bad_type(record.type)
    if not (record.id.isascii() and record.id.isprintable() and 0 < len(record.id) <= MAX_ID):
        raise problems.bad_id(MAX_ID)
    data = None if record.content is None else encode(record.content)
    draft = Draft(cast("Kind", record.type), record.id, encode_facts(record.core), data)
    if draft.weight > MAX_LINE_BYTES:
        raise problems.too_large(draft.weight, MAX_LINE_BYTES)
    return draft


class Writer:
    """Writes records, signs heads, seals segments; one thread, one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        sign: Sign,
        log_origin: str,
        clock: Clock,
        chance: Chance,
        new_id: NewId,
        on_sealed: OnSealed,
        sealed: Container[str] = (),
        deliver: Deliver = inline,
        limits: Limits | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is touched before `start`.

        Args:
            folder: Where the records are, `<home>/belt/records`.
            sign: Note text → signed note.
            log_origin: Name of the log; heads are `<log origin>/belt/<segment>`.
            clock: The time in a record.
            chance: Salts.
            new_id: Ids of notes.
            on_sealed: Told of each finished segment, from a thread of its own, until it succeeds.
            sealed: Names of segments whose root the ledger already has.
            deliver: How callbacks are handed on; `on_loop(loop)` for asyncio.
            limits: Sizes and times.
            ticks: A clock that never jumps, in seconds.
        """
        self._folder = folder
        self._clock, self._chance, self._new_id, self._ticks = clock, chance, new_id, ticks
        self._sealed, self._deliver, self._limits = sealed, deliver, limits or Limits()
        self._seals = Seals(on_sealed, retry_seconds=self._limits.probe_seconds)
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._own: list[Draft] = []  # notes that must still be written, whatever fails meanwhile
        self._problem: Problem | None = None
        self._is_open, self._is_idle = False, False
        self._busy_since: float | None = None
        self._last_sync_ms = 0.0
        self._lock: FolderLock | None = None
        self._heads = HeadLog(folder, log_origin=log_origin, sign=sign)
        self._segment: Segment | None = None
        self._intents: dict[str, Place] = {}
        self._last, self._next_number = "", 1
        self._head_due_at, self._seal_due_at = float("inf"), float("inf")
        self._signed_size, self._unsigned_since = 0, datetime.max.replace(tzinfo=UTC)
        self._carried = False  # whether the open segment begins with a note of exchanges under way
        self._durable: Place | None = None
        self._thread = threading.Thread(target=self._run, name="belt-records", daemon=True)

    def start(self) -> None:
        """Recover what a crash left, then begin to write.

        Raises:
            Unavailable: The folder cannot be written, or another process writes it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = FolderLock(self._folder)
            found = recover(self._folder, sealed=self._sealed, new_id=self._new_id)
            self._heads.count = found.head_count
            for segment, size, root in found.unsigned:
                self._heads.append(segment, size, root)
        except (OSError, Problem) as error:
            self._let_go()
            raise problems.refused_by_disk(error) if isinstance(error, OSError) else error from error
        self._go_on(found)
        self._is_open = True
        self._seals.start()
        self._thread.start()

    def _go_on(self, found: Recovered) -> None:
        self._next_number, self._last, self._intents = found.next_number, found.last, found.intents
        self._own = found.drafts
        self._durable = (segment_name(found.next_number), 0)
        for seal in found.seals:
            self._seals.tell(seal)

    def put(self, record: Record, when_durable: WhenDurable) -> None:
        """Queue a record.  Returns at once; never blocks on the disk; may be called from any thread.

        Raises:
            Invalid: The record cannot be written as a line.
            Unavailable: The records have failed, lag too far behind, or are closed: the belt must refuse traffic.
        """
        draft = _draft(record)
        with self._changed:
            self._admit(draft.weight)
            self._queue.append(_Waiting(draft, when_durable))
            self._queued_bytes += draft.weight
            if self._is_idle:
                self._changed.notify()

    def _admit(self, weight: int) -> None:
        """Refuse what cannot be made durable soon.  The lock is held."""
        if self._problem is not None:
            raise self._problem
        if not self._is_open:
            raise problems.closed()
        limits, waits = self._limits, len(self._queue)
        is_full = waits >= limits.queue_records or (waits > 0 and self._queued_bytes + weight > limits.queue_bytes)
        is_stuck = self._busy_since is not None and self._ticks() - self._busy_since > limits.lag_seconds
        if is_full or is_stuck:
            raise problems.lagging(waits)

    def state(self) -> State:
        """Return how the records are, for the console."""
        with self._changed:
            stuck = self._busy_since is not None and self._ticks() - self._busy_since > self._limits.lag_seconds
            is_lagging = stuck or len(self._queue) > self._limits.queue_records // 4
            health = Health.LAGGING if is_lagging else Health.OK
            if self._problem is not None:
                health = Health.FAILED
            elif not self._is_open:
                health = Health.CLOSED
            segment = self._segment
            return State(
                health=health,
                problem=self._problem,
                queued=len(self._queue),
                last_sync_ms=self._last_sync_ms,
                segment=segment.name if segment else "",
                size=segment.size if segment else 0,
                heads=self._heads.count,
                seals_waiting=self._seals.waiting,
            )

    def durable(self) -> Place | None:
        """Return segment and offset behind the last durable record; None before `start`."""
        return self._durable

    def close(self) -> None:
        """Write what waits, sign and seal the open segment, tell the ledger, stop."""
        with self._changed:
            if not self._is_open:
                return
            self._is_open = False
            self._changed.notify()
        self._thread.join()
        self._seals.close()
        self._let_go()

    def _let_go(self) -> None:
        self._heads.close()
        if self._lock is not None:
            self._lock.close()

    # ------------------------------------------------------------------ the writing thread

    def _run(self) -> None:
        while True:
            group, is_last = self._gather()
            try:
                self._write(group)
                self._sign_if_due(is_forced=is_last)
                self._seal_if_due(is_forced=is_last)
                self._has_recovered()
            except Exception as error:  # noqa: BLE001  whatever went wrong, waiting callers must hear of it
                self._has_failed(error, group)
            if is_last:
                return

    def _gather(self) -> tuple[deque[_Waiting], bool]:
        """Wait for records, a head or a seal that is due, a probe, or the end; take all that waits."""
        with self._changed:
            self._busy_since = None
            if not self._queue and self._is_open and not (self._own and self._problem is None):
                self._is_idle = True
                self._changed.wait(self._pause())
                self._is_idle = False
            group, self._queue, self._queued_bytes = self._queue, deque(), 0
            if group:
                self._busy_since = self._ticks()
            return group, not self._is_open

    def _pause(self) -> float | None:
        if self._problem is not None:
            return self._limits.probe_seconds
        due = min(self._head_due_at, self._seal_due_at)
        return None if due == float("inf") else max(0.0, due - self._ticks())

    def _write(self, group: deque[_Waiting]) -> None:
        """Write the writer's own notes and a group, over as many segments as it takes.

        What was written is taken out of the group; after an error the rest is what nobody has.
        """
        if self._problem is not None:
            self._repair()
        while self._own or group:
            now = self._clock()
            if self._is_overdue(now):
                self._sign_head()
            segment = self._segment or self._open()
            room = max(1, self._limits.segment_records - segment.size)
            own = self._own[:room]
            batch = list(islice(group, room - len(own)))
            began = self._ticks()
            segment.append([*own, *(w.draft for w in batch)], at=now, heads=self._heads.count)
            self._last_sync_ms = (self._ticks() - began) * 1000
            del self._own[: len(own)]
            self._written(segment, now)
            for _ in batch:
                group.popleft()
            self._answer([w for w in batch if w.when_durable], None)
            self._seal_if_due()

    def _written(self, segment: Segment, now: datetime) -> None:
        self._last, self._intents = segment.last, segment.intents
        self._durable = (segment.name, segment.end)
        if self._head_due_at == float("inf"):
            self._head_due_at, self._unsigned_since = self._ticks() + HEAD_EVERY_SECONDS, now

    def _open(self) -> Segment:
        """Begin a segment; exchanges under way are carried into it by its first record."""
        name = segment_name(self._next_number)
        segment = Segment(self._folder, name, last=self._last, intents=self._intents, chance=self._chance)
        if self._intents:
            self._own.insert(0, carried(self._new_id("rec"), self._intents))
        self._segment, self._signed_size, self._carried = segment, 0, len(self._intents) > 0
        self._seal_due_at = self._ticks() + self._limits.segment_seconds
        return segment

    def _is_overdue(self, now: datetime) -> bool:
        """Whether a head must come before the next record, so that no unsigned stretch spans more than a second."""
        late = timedelta(seconds=HEAD_EVERY_SECONDS)
        return self._head_due_at != float("inf") and not timedelta(0) <= now - self._unsigned_since < late

    def _sign_if_due(self, *, is_forced: bool = False) -> None:
        if self._head_due_at != float("inf") and (is_forced or self._ticks() >= self._head_due_at):
            self._sign_head()

    def _sign_head(self) -> None:
        segment = self._segment
        if segment is not None and segment.size > self._signed_size:
            self._heads.append(segment.name, segment.size, segment.root)
            self._signed_size = segment.size
        self._head_due_at = float("inf")

    def _seal_if_due(self, *, is_forced: bool = False) -> None:
        segment, limits = self._segment, self._limits
        if segment is None or segment.size == 0:
            return
        is_full = segment.size >= limits.segment_records or segment.end >= limits.segment_bytes
        is_full = is_full and segment.size > self._carried  # else a large first note would beget the next for ever
        if not (is_forced or is_full or self._ticks() >= self._seal_due_at):
            return
        self._sign_head()
        segment.close()
        self._segment, self._next_number = None, self._next_number + 1
        self._seal_due_at = float("inf")
        self._seals.tell(Seal(segment.name, segment.size, segment.root.hex()))

    def _repair(self) -> None:
        """Cut off torn bytes; if the disk still refuses, this raises and the next probe tries again."""
        self._heads.repair()
        if self._segment is not None:
            self._segment.repair()

    def _has_recovered(self) -> None:
        if self._problem is not None:
            structlog.get_logger().info("belt.records_recovered")
            with self._changed:
                self._problem = None

    def _has_failed(self, error: Exception, group: deque[_Waiting]) -> None:
        """Tell everybody who waits, refuse newcomers, and leave a note to be written when the disk is back."""
        problem = problems.refused_by_disk(error) if isinstance(error, OSError) else problems.unexpected(error)
        if self._problem is None:
            structlog.get_logger().error("belt.records_failed", error=repr(error))
            facts = {"what": "outage", "since": self._clock().isoformat(), "error": repr(error)[:500]}
            self._own.append(Draft("note", self._new_id("rec"), encode_facts(facts), None))
        with self._changed:
            self._problem = problem
            self._queue.extendleft(reversed(group))
            group, self._queue, self._queued_bytes = self._queue, deque(), 0
        self._answer([w for w in group if w.when_durable], problem)

    def _answer(self, waiting: Sequence[_Waiting], error: Exception | None) -> None:
        if not waiting:
            return
        try:
            self._deliver([(w.when_durable, error) for w in waiting if w.when_durable])
        except Exception:  # noqa: BLE001  for example a loop that was closed: its records are durable all the same
            structlog.get_logger().exception("belt.record_delivery_failed")
