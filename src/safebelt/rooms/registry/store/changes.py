"""Tables of changes, of who answers for what, and of what the house looks at by itself."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.changes import (
    Cause,
    Change,
    ChangeKind,
    Difference,
    Mark,
    MovedDate,
    Redo,
    Regraded,
    Sweep,
    Trigger,
    Weight,
)
from safebelt.rooms.registry.model.register import Status
from safebelt.rooms.registry.model.responsibility import Assignment, Part
from safebelt.rooms.registry.store import lifecycle, register

SHOWN = 200
"""Changes and terms that are read of one system, latest first."""

change = sa.Table(
    "registry_change",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False),
    sa.Column("trigger", sa.String(20), nullable=False),
    sa.Column("mark", sa.String(120), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("on", sa.Date, nullable=False),
    sa.Column("before_version", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.UniqueConstraint("system_id", "mark"),
)

assignment = sa.Table(
    "registry_assignment",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("scope", sa.String(200), nullable=False),
    sa.Column("part", sa.String(20), nullable=False),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("registry_person.id"), nullable=False, index=True),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date),
)

sweep = sa.Table(
    "registry_sweep",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("since", sa.JSON, nullable=False),
    sa.Column("until", sa.JSON, nullable=False),
    sa.Column("after", sa.String(40), nullable=False),
    sa.Column("is_done", sa.Boolean, nullable=False),
    sa.Column("counts", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

TABLES: tuple[sa.Table, ...] = (change, assignment, sweep)


# ---- changes


def add(tx: sa.Connection, word: Change, mark: str) -> None:
    """Insert a change; `mark` says what it was about, so that nothing is put on record twice."""
    tx.execute(
        sa.insert(change).values(
            id=word.id,
            system_id=word.system_id,
            trigger=word.trigger.value,
            mark=mark,
            at=word.at,
            on=word.on,
            before_version=word.before_version,
            version=word.version,
            by=word.by,
            body=_body(word.difference),
        )
    )


def is_marked(tx: sa.Connection, system_id: str, mark: str) -> bool:
    """Whether a change of that mark is on record."""
    wanted = sa.select(change.c.id).where(change.c.system_id == system_id, change.c.mark == mark)
    return tx.execute(wanted).first() is not None


def of_system(tx: sa.Connection, system_id: str) -> tuple[Change, ...]:
    """Return a system's changes, latest first, at most 200."""
    wanted = sa.select(change).where(change.c.system_id == system_id).order_by(change.c.id.desc()).limit(SHOWN)
    return tuple(_change(row) for row in tx.execute(wanted))


def by_id(tx: sa.Connection, change_id: str) -> Change | None:
    """Return one change, or None."""
    row = tx.execute(sa.select(change).where(change.c.id == change_id.replace("\0", ""))).one_or_none()
    return None if row is None else _change(row)


def _body(word: Difference) -> dict[str, Any]:
    return {
        "facts": list(word.facts),
        "kinds": [one.value for one in word.kinds],
        "gained": list(word.gained),
        "lost": list(word.lost),
        "informs": list(word.informs),
        "regraded": [[one.instrument, one.before, one.after] for one in word.regraded],
        "moved": [[one.norm, _text(one.before), _text(one.after)] for one in word.moved],
        "redos": [_redo_body(one) for one in word.redos],
        "reason": word.reason.as_data(),
    }


def _redo_body(word: Redo) -> dict[str, Any]:
    return {
        "evidence": word.evidence,
        "cause": word.cause.value,
        "weight": word.weight.value,
        "norms": list(word.norms),
        "kinds": [one.value for one in word.kinds],
        "due": _text(word.due),
        "basis": word.basis,
        "gate": word.gate,
        "seen": list(word.seen),
    }


def _change(row: sa.Row[Any]) -> Change:
    body = row.body
    return Change(
        id=row.id,
        system_id=row.system_id,
        trigger=Trigger(row.trigger),
        at=row.at,
        on=row.on,
        before_version=row.before_version,
        version=row.version,
        by=row.by,
        difference=Difference(
            facts=tuple(body["facts"]),
            kinds=tuple(ChangeKind(one) for one in body["kinds"]),
            gained=tuple(body["gained"]),
            lost=tuple(body["lost"]),
            informs=tuple(body["informs"]),
            regraded=tuple(Regraded(instrument=name, before=old, after=new) for name, old, new in body["regraded"]),
            moved=tuple(MovedDate(norm=name, before=_day(old), after=_day(new)) for name, old, new in body["moved"]),
            redos=tuple(_redo(one) for one in body["redos"]),
            reason=_reason(body["reason"]),
        ),
    )


def _redo(body: Mapping[str, Any]) -> Redo:
    return Redo(
        evidence=body["evidence"],
        cause=Cause(body["cause"]),
        weight=Weight(body["weight"]),
        norms=tuple(body["norms"]),
        kinds=tuple(ChangeKind(one) for one in body["kinds"]),
        due=_day(body["due"]),
        basis=body["basis"],
        gate=body["gate"],
        seen=tuple(body["seen"]),
    )


def _reason(data: Mapping[str, Any]) -> Reason:
    return Reason(
        says=Text(**data["says"]),
        holds=Truth(data["holds"]),
        cites=tuple(data["cites"]),
        because=tuple(_reason(one) for one in data["because"]),
    )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


# ---- who answers


def add_assignment(tx: sa.Connection, word: Assignment) -> None:
    """Insert a term."""
    tx.execute(
        sa.insert(assignment).values(
            id=word.id,
            system_id=word.system_id,
            scope=word.scope,
            part=word.part.value,
            person_id=word.person_id,
            since=word.since,
            until=word.until,
        )
    )


def end_assignment(tx: sa.Connection, assignment_id: str, until: date) -> None:
    """End a term on a day."""
    tx.execute(sa.update(assignment).where(assignment.c.id == assignment_id).values(until=until))


def assignments(tx: sa.Connection, system_id: str) -> tuple[Assignment, ...]:
    """Return every term of a system, ended ones among them, in the order in which they were put on record."""
    wanted = sa.select(assignment).where(assignment.c.system_id == system_id).order_by(assignment.c.id)
    return tuple(
        Assignment(
            id=row.id,
            system_id=row.system_id,
            scope=row.scope,
            part=Part(row.part),
            person_id=row.person_id,
            since=row.since,
            until=row.until,
        )
        for row in tx.execute(wanted)
    )


# ---- what the house looks at by itself


def last_sweep(tx: sa.Connection, name: str) -> Sweep | None:
    """Return how far a way through the register has come; None before the first."""
    row = tx.execute(sa.select(sweep).where(sweep.c.name == name)).one_or_none()
    if row is None:
        return None
    return Sweep(
        since=_mark(row.since), until=_mark(row.until), after=row.after, is_done=row.is_done, counts=row.counts
    )


def save_sweep(tx: sa.Connection, name: str, word: Sweep, at: datetime) -> None:
    """Keep how far it has come."""
    row = {
        "name": name,
        "since": _mark_body(word.since),
        "until": _mark_body(word.until),
        "after": word.after,
        "is_done": word.is_done,
        "counts": dict(word.counts),
        "at": at,
    }
    upsert(tx, sweep, row, ["name"])


def _mark_body(word: Mark) -> dict[str, Any]:
    return {"day": _text(word.day), "law": word.law, "adopted": [list(one) for one in word.adopted]}


def _mark(body: Mapping[str, Any]) -> Mark:
    adopted = tuple((str(name), str(digest)) for name, digest in body["adopted"])
    return Mark(day=_day(body["day"]), law=body["law"], adopted=adopted)


def next_systems(
    tx: sa.Connection, after: str, statuses: Sequence[Status], limit: int
) -> tuple[tuple[str, str, Status], ...]:
    """Return id, provider and stage of the systems after one, by id, that are at one of some stages."""
    table = register.system
    wanted = sa.select(table.c.id, table.c.provider_id, table.c.status).where(
        table.c.id > after, table.c.status.in_([one.value for one in statuses])
    )
    return tuple(
        (row.id, row.provider_id, Status(row.status)) for row in tx.execute(wanted.order_by(table.c.id).limit(limit))
    )


def ended_evidence(tx: sa.Connection, stretch: tuple[str, str], since: date, until: date) -> dict[str, tuple[str, ...]]:
    """Return kinds of evidence whose last day lies in a span of days, by system, for the systems between two ids.

    Args:
        tx: The transaction.
        stretch: The ids; the first is left out.
        since: The first such last day.
        until: The day after the latest one.
    """
    table = lifecycle.evidence
    wanted = (
        sa.select(table.c.system_id, table.c.kind)
        .where(table.c.system_id > stretch[0], table.c.system_id <= stretch[1])
        .where(table.c.expires_on >= since, table.c.expires_on < until, table.c.withdrawn_at.is_(None))
        .distinct()
        .order_by(table.c.system_id, table.c.kind)
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.execute(wanted):
        found[row.system_id] = (*found.get(row.system_id, ()), row.kind)
    return found
