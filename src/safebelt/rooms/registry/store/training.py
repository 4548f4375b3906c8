"""Tables of jobs that train, tune, update or promote, and the two-way street between rows and words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata
from safebelt.rooms.registry.model.training import (
    Decision,
    Job,
    JobKind,
    JobState,
    Limits,
    Plan,
    Progress,
    Report,
    Stop,
)

job = sa.Table(
    "registry_job",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False),
    sa.Column("model_id", sa.String(200), nullable=False),
    sa.Column("version_id", sa.String(200), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("plan", sa.JSON, nullable=False),
    sa.Column("asked_by", sa.String(200), nullable=False),
    sa.Column("runner", sa.String(200), nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("facts_version", sa.Integer, nullable=False),
    sa.Column("decision", sa.JSON),
    sa.Column("limits", sa.JSON),
    sa.Column("started_at", UtcDateTime),
    sa.Column("heard_at", UtcDateTime),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("stop", sa.JSON),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("artefact", sa.String(80), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("ix_registry_job_place", "place", "id"),
    sa.Index("ix_registry_job_system", "system_id", "place", "id"),
    sa.Index("ix_registry_job_runner", "runner", "place", "id"),
)
"""`place`: 0 waits for a person, 1 granted or running, 2 ended: the order in which people look."""

report = sa.Table(
    "registry_job_report",
    metadata,
    sa.Column("job_id", sa.String(40), sa.ForeignKey("registry_job.id"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("flop", sa.Double, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
)

_PLACES = {JobState.ASKED: 0, JobState.GRANTED: 1, JobState.RUNNING: 1}
_ENDED = 2
_NESTED = ("plan", "decision", "limits", "progress", "stop")


def add_job(tx: sa.Connection, word: Job) -> None:
    """Insert a job."""
    tx.execute(sa.insert(job).values(**_columns(word)))


def save_job(tx: sa.Connection, word: Job) -> None:
    """Update a job that was read at the version before this one.

    Raises:
        Conflict: Somebody else changed it since.
    """
    fresh = sa.update(job).where(job.c.id == word.id, job.c.version == word.version - 1)
    changed_once(tx.execute(fresh.values(**_columns(word))), word.id)


def job_by_id(tx: sa.Connection, job_id: str) -> Job | None:
    """Return one job, or None."""
    row = tx.execute(sa.select(job).where(job.c.id == _clean(job_id))).one_or_none()
    return None if row is None else _job(row)


def jobs(
    tx: sa.Connection,
    *,
    system_id: str = "",
    state: JobState | None = None,
    runner: str = "",
    page: int = 1,
    size: int = 20,
) -> tuple[tuple[Job, ...], int]:
    """Return one page of jobs, what waits for a person first, and how many there are."""
    wanted: list[sa.ColumnElement[bool]] = []
    if system_id:
        wanted.append(job.c.system_id == _clean(system_id))
    if state is not None:
        wanted += [job.c.place == _PLACES.get(state, _ENDED), job.c.state == state.value]
    if runner:
        wanted.append(sa.or_(job.c.runner == runner, job.c.asked_by == runner))
    total = tx.execute(sa.select(sa.func.count()).select_from(job).where(*wanted)).scalar_one()
    chosen = sa.select(job).where(*wanted).order_by(job.c.place, job.c.id.desc()).limit(size).offset((page - 1) * size)
    return tuple(_job(row) for row in tx.execute(chosen)), total


def count_waiting(tx: sa.Connection) -> int:
    """Return how many jobs wait for a person."""
    return tx.execute(sa.select(sa.func.count()).select_from(job).where(job.c.place == 0)).scalar_one()


def open_ids(tx: sa.Connection, after: str, limit: int) -> Sequence[str]:
    """Return ids of jobs that something may follow, in the order of their ids."""
    wanted = sa.select(job.c.id).where(job.c.place < _ENDED, job.c.id > after).order_by(job.c.id).limit(limit)
    return tx.execute(wanted).scalars().all()


def granted_since(tx: sa.Connection, system_id: str, since: datetime) -> tuple[Job, ...]:
    """Return a system's jobs that were granted at or after a moment, whatever came of them."""
    found = tx.execute(sa.select(job).where(job.c.system_id == system_id, job.c.limits.is_not(sa.null())))
    every = (_job(row) for row in found)
    return tuple(one for one in every if one.decision is not None and one.decision.at >= since)


def add_report(tx: sa.Connection, job_id: str, word: Report) -> None:
    """Keep a report for the picture."""
    tx.execute(
        sa.insert(report).values(
            job_id=job_id,
            number=word.number,
            at=word.at,
            step=word.step,
            flop=word.flop,
            metrics=dict(word.metrics),
        )
    )


def thin_reports(tx: sa.Connection, job_id: str, every: int) -> None:
    """Keep only the first report and each `every`-th."""
    rest = (report.c.job_id == job_id, report.c.number % every != 0, report.c.number != 1)
    tx.execute(sa.delete(report).where(*rest))


def reports(tx: sa.Connection, job_id: str) -> tuple[Report, ...]:
    """Return the reports kept of a job, oldest first."""
    rows = tx.execute(sa.select(report).where(report.c.job_id == _clean(job_id)).order_by(report.c.number))
    return tuple(
        Report(number=row.number, at=row.at, step=row.step, flop=row.flop, metrics=dict(row.metrics)) for row in rows
    )


def _clean(text: str) -> str:
    """Leave out NUL, which PostgreSQL cannot even compare; nothing stored holds one."""
    return text.replace("\0", "")


def _columns(word: Job) -> dict[str, Any]:
    values = {column.name: getattr(word, column.name) for column in job.columns if column.name != "place"}
    values |= {name: None if values[name] is None else msgspec.to_builtins(values[name]) for name in _NESTED}
    values |= {name: sa.null() for name in _NESTED if values[name] is None}
    return values | {"kind": word.kind.value, "state": word.state.value, "place": _PLACES.get(word.state, _ENDED)}


def _job(row: sa.Row[Any]) -> Job:
    values = {column.name: getattr(row, column.name) for column in job.columns if column.name != "place"}
    return Job(
        **values
        | {
            "kind": JobKind(row.kind),
            "state": JobState(row.state),
            "plan": msgspec.convert(row.plan, Plan),
            "decision": msgspec.convert(row.decision, Decision | None),
            "limits": msgspec.convert(row.limits, Limits | None),
            "progress": msgspec.convert(row.progress, Progress),
            "stop": msgspec.convert(row.stop, Stop | None),
        }
    )


TABLES: tuple[sa.Table, ...] = (job, report)
