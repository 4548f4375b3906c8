"""Work that must happen: enqueued in the deed's own transaction, done at least once, late or dead in plain sight.

Life of a job: *waiting* → *running* (claimed under a lease) → *done*; an error sends it back with a growing delay, and
after `max_attempts` it is *dead*: kept, visible, revived by a person.  A killed worker's lease runs out, and another
takes its job over: a handler may be called twice for one job and makes its effect idempotent by `job.id`.

    with sql.begin() as tx:
        jobs.enqueue(tx, "registry.remind", {"system": "sys_1"}, run_at=monday, deadline=friday)
    Worker(jobs, {"registry.remind": remind}).start()
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from safebelt.engines.clock import Clock
from safebelt.engines.loop import Loop, meanwhile
from safebelt.engines.sql import Sql, UtcDateTime, changed_once, metadata, skip_locked
from safebelt.kernel.ids import NewId

LEASE_SECONDS = 30.0
"""How long a silent worker keeps its job.  A living one renews at a third of it."""
MAX_ATTEMPTS = 8
"""With the delays below that is two minutes of trying: long enough for a restart, short enough to be noticed."""
_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 1.0, 3600.0
_KEEP_DONE = timedelta(days=7)
"""Done jobs are kept a week for whoever asks; what they did is on the ledger."""
_ERROR_CHARS = 500

_log = structlog.get_logger(__name__)


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


_job = sa.Table(
    "engine_job",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(120), nullable=False),
    sa.Column("key", sa.String(200)),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("run_at", UtcDateTime, nullable=False),
    sa.Column("deadline", UtcDateTime),
    sa.Column("every_seconds", sa.Float),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("claimed_by", sa.String(80)),
    sa.Column("claimed_until", UtcDateTime),
    sa.Column("last_error", sa.String(_ERROR_CHARS)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
)
sa.Index("ix_engine_job_claim", _job.c.state, _job.c.run_at)
_IS_WAITING = sa.text("state = 'waiting'")  # literal: PostgreSQL infers a partial index from constants only
sa.Index("uq_engine_job_key", _job.c.key, unique=True, sqlite_where=_IS_WAITING, postgresql_where=_IS_WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work.

    Attributes:
        id: `job_…`; handlers make their effect idempotent by it.
        kind: `<room>.<verb>`: which handler does it.
        payload: JSON-ready values the handler needs.
        key: At most one job with this key is waiting; None for no such limit.
        run_at, deadline: Not before; to be done by.  A missed deadline is still worked on, and shown as late.
        every_seconds: Period of a schedule, else None.
        attempts, max_attempts: How often it was begun; after how many it is dead.
        state, last_error: Where it stands; what went wrong last.
        claimed_by, claimed_until: The worker at it and the end of its lease.
        created_at, finished_at: When it was enqueued; when it was done or given up.
    """

    id: str
    kind: str
    payload: Mapping[str, Any]
    key: str | None = None
    run_at: datetime
    deadline: datetime | None = None
    every_seconds: float | None = None
    attempts: int = 0
    max_attempts: int = MAX_ATTEMPTS
    state: State = State.WAITING
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    last_error: str | None = None
    created_at: datetime
    finished_at: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether the deadline was missed, by a job done too late or not yet done."""
        ended = self.finished_at if self.state is State.DONE and self.finished_at else now
        return self.deadline is not None and ended > self.deadline


Handler = Callable[[Job], None]


def retry_delay_seconds(attempts: int) -> float:
    """Return how long to wait after that many failed attempts: 1, 2, 4, … seconds, one hour at most."""
    return float(min(_FIRST_DELAY_SECONDS * 2.0 ** min(attempts - 1, 30), _LONGEST_DELAY_SECONDS))


class Jobs:
    """The queue, as deeds and consoles see it."""

    def __init__(self, sql: Sql, *, clock: Clock, new_id: NewId) -> None:
        self.sql, self.clock, self._new_id = sql, clock, new_id

    def enqueue(
        self,
        tx: sa.Connection,
        kind: str,
        payload: Mapping[str, Any],
        *,
        run_at: datetime | None = None,
        deadline: datetime | None = None,
        key: str | None = None,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> str | None:
        """Ask for work, inside the deed's transaction: no deed, no job; no job lost.

        Args:
            tx: The deed's transaction.
            kind: Which handler does it.
            payload: JSON-ready values for it.
            run_at: Not before; now where None.
            deadline: To be done by.
            key: At most one job with this key waits.  One that is already *running* does not count: it may have
                read its world before this deed changed it.
            max_attempts: After so many it is dead.

        Returns:
            The id of the job, or None where one with this key is waiting already.
        """
        new = {"run_at": run_at or self.clock(), "deadline": deadline, "key": key, "max_attempts": max_attempts}
        return self._insert(tx, kind, payload, **new)

    def schedule(self, tx: sa.Connection, kind: str, *, every_seconds: float) -> None:
        """See that a periodic job exists, with the period given; safe to call at every start."""
        alive = _job.c.state.in_(["waiting", "running"])
        change = sa.update(_job).where(_job.c.kind == kind, _job.c.every_seconds.is_not(None), alive)
        if tx.execute(change.values(every_seconds=every_seconds)).rowcount == 0:
            self._insert(tx, kind, {}, run_at=self.clock(), key=kind, every_seconds=every_seconds)

    def schedule_next(self, tx: sa.Connection, job: Job) -> None:
        """Enqueue a schedule's next run in the transaction that ends one.  Missed turns are not made up."""
        now = self.clock()
        period = tx.execute(sa.select(_job.c.every_seconds).where(_job.c.id == job.id)).scalar_one()
        step = timedelta(seconds=period)
        run_at = job.run_at + step if job.run_at + step > now else now + step
        self._insert(tx, job.kind, job.payload, run_at=run_at, key=job.kind, every_seconds=period)
        tx.execute(sa.delete(_job).where(_job.c.state == "done", _job.c.finished_at < now - _KEEP_DONE))

    def _insert(self, tx: sa.Connection, kind: str, payload: Mapping[str, Any], **values: Any) -> str | None:
        new = {"id": self._new_id("job"), "kind": kind, "payload": dict(payload), "attempts": 0}
        new |= {"max_attempts": MAX_ATTEMPTS, "state": State.WAITING.value, "created_at": self.clock(), **values}
        dialect: Any = sqlite if tx.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(_job).values(**new).returning(_job.c.id)
        inserted = tx.execute(insert.on_conflict_do_nothing(index_elements=["key"], index_where=_IS_WAITING))
        job_id: str | None = inserted.scalar_one_or_none()
        return job_id

    def find(self, job_id: str) -> Job | None:
        """Return one job, or None."""
        return next(iter(self._list(_job.c.id == job_id, limit=1)), None)

    def in_state(self, state: State, *, limit: int = 100) -> list[Job]:
        """Return jobs in a state, the oldest first: `DEAD` is the dead-letter list."""
        return self._list(_job.c.state == state.value, limit=limit)

    def late(self, *, limit: int = 100) -> list[Job]:
        """Return jobs whose deadline has passed undone, the oldest first."""
        return self._list(_job.c.deadline < self.clock(), _job.c.state != State.DONE.value, limit=limit)

    def _list(self, *where: sa.ColumnElement[bool], limit: int) -> list[Job]:
        with self.sql.read() as tx:
            rows = tx.execute(sa.select(_job).where(*where).order_by(_job.c.run_at, _job.c.id).limit(limit))
            return [_to_job(row) for row in rows]

    def revive(self, tx: sa.Connection, job_id: str) -> None:
        """Give a dead job another full set of attempts.

        Raises:
            Conflict: It is not dead (any more).
        """
        fresh = {"state": State.WAITING.value, "key": None, "attempts": 0, "run_at": self.clock()}
        dead = sa.update(_job).where(_job.c.id == job_id, _job.c.state == State.DEAD.value)
        changed_once(tx.execute(dead.values(**fresh)), job_id)


class Worker:
    """Claims due jobs and hands them to their handlers, one at a time; run several for more.

    Args:
        jobs: The queue; its database and clock are the worker's.
        handlers: `{kind: handler}`.  Jobs of other kinds are left for workers that know them.
        name: Who claims; unique among living workers.
        lease_seconds, idle_seconds: See `LEASE_SECONDS`; how long to rest when nothing is due.
    """

    def __init__(
        self,
        jobs: Jobs,
        handlers: Mapping[str, Handler],
        *,
        name: str = "worker",
        lease_seconds: float = LEASE_SECONDS,
        idle_seconds: float = 1.0,
    ) -> None:
        self._sql, self._jobs, self._handlers, self.name = jobs.sql, jobs, dict(handlers), name
        self._lease = timedelta(seconds=lease_seconds)
        self._loop = Loop(f"jobs-{name}", self.run_once, idle_seconds=idle_seconds)
        self.start, self.stop, self.wake = self._loop.start, self._loop.stop, self._loop.wake

    def run_once(self) -> bool:
        """Do one due job; return whether there was one, however it ended."""
        job = self._claim()
        if job is None:
            return False
        if job.attempts > job.max_attempts:
            self._end(job, error=f"taken over {job.max_attempts} times from workers that vanished while doing it")
            return True
        try:
            with meanwhile(partial(self._renew, job), every_seconds=self._lease.total_seconds() / 3):
                self._handlers[job.kind](job)
        except Exception as error:  # noqa: BLE001  whatever the handler raises is the job's outcome
            _log.warning("job.failed", job=job.id, kind=job.kind, attempt=job.attempts, error=str(error))
            self._end(job, error=f"{type(error).__name__}: {error}")
        else:
            self._end(job, error=None)
        return True

    def _claim(self) -> Job | None:
        now = self._jobs.clock()
        due = sa.and_(_job.c.state == "waiting", _job.c.run_at <= now)
        abandoned = sa.and_(_job.c.state == State.RUNNING.value, _job.c.claimed_until < now)
        known = sa.select(_job).where(_job.c.kind.in_(self._handlers))
        ready = known.where(sa.or_(due, abandoned)).order_by(_job.c.run_at, _job.c.id).limit(1)
        with self._sql.read() as tx:  # an idle worker must not take SQLite's write lock each second
            if tx.execute(ready).first() is None:
                return None
        with self._sql.begin() as tx:
            row = tx.execute(skip_locked(ready)).one_or_none()
            if row is None:  # another worker was faster
                return None
            mine = {"state": "running", "claimed_by": self.name, "claimed_until": now + self._lease}
            claim = sa.update(_job).where(_job.c.id == row.id).values(attempts=row.attempts + 1, **mine)
            return _to_job(tx.execute(claim.returning(_job)).one())

    def _end(self, job: Job, *, error: str | None) -> None:
        """Write the outcome, unless the lease was lost: then the job is another worker's."""
        now = self._jobs.clock()
        is_over = error is None or job.attempts >= job.max_attempts
        state = State.WAITING if not is_over else State.DONE if error is None else State.DEAD
        outcome: dict[str, Any] = {"state": state.value, "last_error": error and error[:_ERROR_CHARS]}
        delay = timedelta(seconds=retry_delay_seconds(job.attempts))
        outcome |= {"finished_at": now} if is_over else {"run_at": now + delay}
        with self._sql.begin() as tx:
            try:
                with tx.begin_nested():
                    is_mine = tx.execute(_held(job).values(**outcome)).rowcount == 1
            except sa.exc.IntegrityError:  # a younger job with the same key waits; this one goes on without the key
                is_mine = tx.execute(_held(job).values(**outcome, key=None)).rowcount == 1
            if is_mine and is_over and job.every_seconds is not None:
                self._jobs.schedule_next(tx, job)
        said = "job.lease_lost" if not is_mine else "job.dead" if state is State.DEAD else "job.late"
        if said != "job.late" or job.is_late(now):
            _log.warning(said, job=job.id, kind=job.kind, worker=self.name, error=error, deadline=str(job.deadline))

    def _renew(self, job: Job) -> None:
        with self._sql.begin() as tx:
            tx.execute(_held(job).values(claimed_until=self._jobs.clock() + self._lease))


def _held(job: Job) -> sa.Update:
    """An update that meets the job only while this very claim of it stands (a fencing token)."""
    mine = (_job.c.claimed_by == job.claimed_by, _job.c.attempts == job.attempts)
    return sa.update(_job).where(_job.c.id == job.id, _job.c.state == State.RUNNING.value, *mine)


def _to_job(row: sa.Row[Any]) -> Job:
    return Job(**{**row._mapping, "state": State(row.state)})
