"""Group commit: one sync makes all records durable that came while the last sync ran.

    >>> writer = Writer(folder, sign=sign, log_origin="example.org/log", clock=wall_clock, chance=real_chance,
    ...                 new_id=real_ids(), on_sealed=tell_ledger, sealed=known)   # doctest: +SKIP
    >>> writer.put(record, when_durable)   # returns at once; when_durable(None) once it is on disk  # doctest: +SKIP

There is no fixed wait: while a sync runs (about 5 ms) the next group gathers by itself, so that a lone record is
durable after one sync and a crowd shares one.

Whoever need not wait for the disk (record mode *prompt*) puts records without a callback and then calls `hand_over`,
which writes all that waits from the calling thread: from then on killing the process loses none of it, and the writing
thread syncs it within `SYNC_AFTER_SECONDS`.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, cast, get_args

import structlog

from safebelt.engines.clock import Chance, Clock
from safebelt.kernel.errors import Problem
from safebelt.kernel.ids import NewId
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records import problems
from safebelt.rooms.belt.records.acks import Deliver, WhenDurable, inline
from safebelt.rooms.belt.records.book import NEVER, Book
from safebelt.rooms.belt.records.disk import FIRST, FolderLock
from safebelt.rooms.belt.records.draft import Draft, Kind, Place
from safebelt.rooms.belt.records.head import Sign
from safebelt.rooms.belt.records.headlog import HeadLog
from safebelt.rooms.belt.records.health import Health, State
from safebelt.rooms.belt.records.limits import MAX_ID, MAX_LINE_BYTES, SYNC_AFTER_SECONDS, Limits
from safebelt.rooms.belt.records.line import encode, encode_facts
from safebelt.rooms.belt.records.recover import recover
from safebelt.rooms.belt.records.seals import OnSealed, Seals

_PATIENCE_SECONDS = 0.002
"""How long `hand_over` waits for a thread that holds the pen and is about to let it go: it syncs nothing meanwhile."""


class _Waiting(NamedTuple):
    draft: Draft | None  # None: somebody waits for all that was put before
    tell: WhenDurable
    is_written: bool = False  # told once it is written; else once it is durable


_Queue = deque[Draft | _Waiting]
"""What waits: a draft as it is where nobody waits for it."""


def _draft_of(one: Draft | _Waiting) -> Draft | None:
    return one if isinstance(one, Draft) else one.draft


def _drafts(group: _Queue) -> list[Draft]:
    return [draft for one in group if (draft := _draft_of(one)) is not None]


def _told(group: Iterable[Draft | _Waiting]) -> list[_Waiting]:
    return [one for one in group if isinstance(one, _Waiting)]


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
    """Writes records, signs heads, seals segments; one thread, one log of a folder.

    Attributes:
        log: Which log of the folder it writes; empty for the first worker's.
        failures: How often the records failed; what was put before the last failure may be missing.
    """

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
        log: str = FIRST,
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
            log: Which log of the folder: each worker has its own chain, heads and seals.
        """
        self._folder, self.log = folder, log
        self._clock, self._new_id, self._ticks = clock, new_id, ticks
        self._sealed, self._deliver, self._limits = sealed, deliver, limits or Limits()
        self._seals = Seals(on_sealed, retry_seconds=self._limits.probe_seconds)
        self._lock_of_queue = threading.RLock()
        self._changed = threading.Condition(self._lock_of_queue)
        self._queue: _Queue = deque()
        self._queued_bytes = self._awaited = 0
        self.failures = 0
        self._problem: Problem | None = None
        self._is_open, self._is_idle = False, False
        self._busy_since: float | None = None
        self._sync_due_at = NEVER
        self._lock: FolderLock | None = None
        self._heads = HeadLog(folder, log_origin=log_origin, sign=sign, log=log)
        self._book = Book(
            folder,
            heads=self._heads,
            seals=self._seals,
            clock=clock,
            ticks=ticks,
            chance=chance,
            new_id=new_id,
            limits=self._limits,
            log=log,
        )
        self._writing = threading.Thread(target=self._run, name="belt-records", daemon=True)

    def start(self) -> None:
        """Recover what a crash left, then begin to write.

        Raises:
            Unavailable: The folder cannot be written, or another process writes it.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = FolderLock(self._folder, self.log)
            found = recover(self._folder, sealed=self._sealed, new_id=self._new_id, log=self.log)
            self._heads.count = found.head_count
            for segment, size, root in found.unsigned:
                self._heads.append(segment, size, root)
        except (OSError, Problem) as error:
            self._let_go()
            raise problems.refused_by_disk(error) if isinstance(error, OSError) else error from error
        self._book.go_on(found)
        self._is_open = True
        self._seals.start()
        self._writing.start()

    def put(self, record: Record, when_durable: WhenDurable | None) -> None:
        """Queue a record.  Returns at once; never blocks on the disk; may be called from any thread.

        Args:
            record: What to write.
            when_durable: Called once it is durable; None where nobody waits for the disk.

        Raises:
            Invalid: The record cannot be written as a line.
            Unavailable: The records have failed, lag too far behind, or are closed: the belt must refuse traffic.
        """
        self.put_draft(_draft(record), when_durable)

    def put_draft(self, draft: Draft, when_durable: WhenDurable | None) -> None:
        """Queue a record whose facts and content are JSON already; otherwise as `put`."""
        if when_durable is not None:
            self._queue_up(_Waiting(draft, when_durable), draft.weight)
            return
        weight = draft.weight
        with self._lock_of_queue:
            self._admit(weight)
            self._queue.append(draft)
            self._queued_bytes += weight
            if self._sync_due_at == NEVER:
                self._sync_due_at = self._ticks() + SYNC_AFTER_SECONDS
                self._wake()

    def when_written(self, callback: WhenDurable) -> None:
        """Have something called once all that was put so far is with the system; raises as `put`."""
        self._queue_up(_Waiting(None, callback, is_written=True), 0)

    def _queue_up(self, waiting: _Waiting, weight: int) -> None:
        with self._lock_of_queue:
            self._admit(weight)
            self._queue.append(waiting)
            self._queued_bytes += weight
            if waiting.is_written:
                self._sync_due_at = 0.0
            else:
                self._awaited += 1
            self._wake()

    def _wake(self) -> None:
        if self._is_idle:
            self._changed.notify()

    def hand_over(self) -> bool:
        """Write what waits without a sync; never blocks on one.  May be called from any thread.

        Returns:
            Whether all that was put so far is with the system; else only the writing thread can do it now: use
            `when_written`.

        Raises:
            Unavailable: The records have failed.
        """
        book = self._book
        if book.is_slow or not book.pen.acquire(timeout=_PATIENCE_SECONDS):
            return False
        try:
            with self._lock_of_queue:
                if self._problem is not None:
                    raise self._problem
                if self._awaited:
                    return False
                if not self._queue:
                    return True
                now = book.takes(len(self._queue))
                if now is None:
                    return False
                group, self._queue, self._queued_bytes = self._queue, deque(), 0
            self._write_at_once(group, now)
            return True
        finally:
            book.pen.release()

    def _write_at_once(self, group: _Queue, now: datetime) -> None:
        try:
            self._book.write(_drafts(group), now)
        except Exception as error:
            raise self._has_failed(error, group) from error
        self._answer(_told(group), None)

    def _admit(self, weight: int) -> None:
        """Refuse what cannot be made durable soon.  The lock is held."""
        if self._problem is not None:
            raise self._problem
        if not self._is_open:
            raise problems.closed()
        limits, waits, held = self._limits, len(self._queue), self._queued_bytes + self._book.waiting
        if waits >= limits.queue_records or (held > 0 and held + weight > limits.queue_bytes) or self._is_stuck():
            raise problems.lagging(waits)

    def _is_stuck(self) -> bool:
        return self._busy_since is not None and self._ticks() - self._busy_since > self._limits.lag_seconds

    def state(self) -> State:
        """Return how the records are, for the console."""
        with self._lock_of_queue:
            is_lagging = self._is_stuck() or len(self._queue) > self._limits.queue_records // 4
            health = Health.LAGGING if is_lagging else Health.OK
            if self._problem is not None:
                health = Health.FAILED
            elif not self._is_open:
                health = Health.CLOSED
            segment = self._book.segment
            return State(
                health=health,
                problem=self._problem,
                queued=len(self._queue),
                last_sync_ms=self._book.last_sync_ms,
                segment=segment.name if segment else "",
                size=segment.size if segment else 0,
                heads=self._heads.count,
                seals_waiting=self._seals.waiting,
            )

    def durable(self) -> Place | None:
        """Return segment and offset behind the last durable record; None before `start`."""
        return self._book.durable

    def close(self) -> None:
        """Write what waits, sign and seal the open segment, tell the ledger, stop."""
        with self._lock_of_queue:
            if not self._is_open:
                return
            self._is_open = False
            self._changed.notify()
        self._writing.join()
        self._seals.close()
        self._let_go()

    def _let_go(self) -> None:
        self._heads.close()
        if self._lock is not None:
            self._lock.close()

    # ------------------------------------------------------------------ the writing thread

    def _run(self) -> None:
        book = self._book
        while True:
            group, is_last = self._gather()
            problem = self._problem
            try:
                with book.writing():
                    if problem is not None:
                        book.repair()
                    self._write(group)
                book.sync()
                book.sign_if_due(is_forced=is_last)
                with book.writing():
                    book.seal_if_due(is_forced=is_last)
                self._has_recovered(problem)
            except Exception as error:  # noqa: BLE001  whatever went wrong, waiting callers must hear of it
                self._has_failed(error, group)
            if is_last:
                return

    def _gather(self) -> tuple[_Queue, bool]:
        """Wait for records, a sync, a head or a seal that is due, a probe, or the end; take all that waits."""
        with self._lock_of_queue:
            self._busy_since = None
            while self._is_open and not self._awaited and not (self._book.own and self._problem is None):
                pause = self._pause()
                if pause == 0.0:
                    break
                self._is_idle = True
                was_told = self._changed.wait(pause)
                self._is_idle = False
                if not was_told:
                    break
            group, self._queue, self._queued_bytes, self._awaited = self._queue, deque(), 0, 0
            self._sync_due_at = NEVER
            if group or self._book.waiting:
                self._busy_since = self._ticks()
            return group, not self._is_open

    def _pause(self) -> float | None:
        if self._problem is not None:
            return self._limits.probe_seconds
        due = min(self._book.due_at, self._sync_due_at)
        return None if due == NEVER else max(0.0, due - self._ticks())

    def _write(self, group: _Queue) -> None:
        """Write the writer's own notes and a group, over as many segments as it takes.

        What was written is taken out of the group; after an error the rest is what nobody has.
        """
        book, is_awaited = self._book, any(not one.is_written for one in _told(group))
        while book.own or group:
            count = book.write_some(_drafts(group), is_awaited=is_awaited)
            done = list[Draft | _Waiting]()
            while group and (count or _draft_of(group[0]) is None):
                done.append(group.popleft())
                count -= _draft_of(done[-1]) is not None
            self._answer(_told(done), None)
            book.seal_if_due()

    def _has_recovered(self, problem: Problem | None) -> None:
        with self._lock_of_queue:
            if problem is None or self._problem is not problem:
                return
            self._problem = None
        structlog.get_logger().info("belt.records_recovered")

    def _has_failed(self, error: Exception, group: _Queue) -> Problem:
        """Tell everybody who waits, refuse newcomers, and leave a note to be written when the disk is back."""
        problem = problems.refused_by_disk(error) if isinstance(error, OSError) else problems.unexpected(error)
        if self._problem is None:
            structlog.get_logger().error("belt.records_failed", error=repr(error))
            facts = {"what": "outage", "since": self._clock().isoformat(), "error": repr(error)[:500]}
            self._book.own.append(Draft("note", self._new_id("rec"), encode_facts(facts), None))
        with self._lock_of_queue:
            self._problem = problem
            self.failures += 1
            self._queue.extendleft(reversed(group))
            group, self._queue, self._queued_bytes, self._awaited = self._queue, deque(), 0, 0
            self._changed.notify()
        self._answer(_told(group), problem)
        return problem

    def _answer(self, waiting: Sequence[_Waiting], error: Exception | None) -> None:
        if not waiting:
            return
        try:
            self._deliver([(one.tell, error) for one in waiting])
        except Exception:  # noqa: BLE001  for example a loop that was closed: its records are durable all the same
            structlog.get_logger().exception("belt.record_delivery_failed")
