"""Tables of complaints: what happened to each, and apart from it everything that was said, which can be erased."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata
from safebelt.rooms.portal.model.complaints import (
    OWED_STAGES,
    Attached,
    Channel,
    Complaint,
    ComplaintCounts,
    ErasedBecause,
    Said,
    SaidKind,
    Speaker,
    Stage,
    Suspicion,
)

complaint = sa.Table(
    "portal_complaint",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("code_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("system_id", sa.String(40), nullable=False, index=True),
    sa.Column("party_id", sa.String(40), nullable=False),
    sa.Column("office_id", sa.String(40), nullable=False, index=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("channel", sa.String(20), nullable=False),
    sa.Column("lang", sa.String(2), nullable=False),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("due_on", sa.Date, index=True),
    sa.Column("overdue_on", sa.Date),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime, index=True),
    sa.Column("is_passed_on", sa.Boolean, nullable=False),
    sa.Column("is_apart", sa.Boolean, nullable=False),
    sa.Column("apart_because", sa.String(20)),
    sa.Column("erased_at", UtcDateTime),
    sa.Column("erased_because", sa.String(20)),
    sa.Column("entered_by", sa.String(80), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

said = sa.Table(
    "portal_complaint_said",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("case_id", sa.String(40), sa.ForeignKey("portal_complaint.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("speaker", sa.String(20), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("salt", sa.String(32), nullable=False),
    sa.Column("commitment", sa.String(64), nullable=False),
    sa.Column("office_id", sa.String(40), nullable=False),
    sa.Column("written_by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("files", sa.JSON, nullable=False),
    sa.Column("more", sa.JSON, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("case_id", "number"),
)

TABLES: tuple[sa.Table, ...] = (complaint, said)

_OWED = [stage.value for stage in OWED_STAGES]
_FORMS: dict[str, Any] = {
    "channel": Channel,
    "stage": Stage,
    "apart_because": Suspicion | None,
    "erased_because": ErasedBecause | None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which complaints are looked for.

    Attributes:
        office_id: Those at an authority's desk; empty for all.
        system_id: Of one system.
        search: A case number or a system's id.
        is_apart: Those set apart, or those that are not; None for both.
        overdue_before: Those owed whose last day is before this one; None for all.
    """

    office_id: str = ""
    system_id: str = ""
    search: str = ""
    stage: Stage | None = None
    is_apart: bool | None = None
    overdue_before: date | None = None


def add(tx: sa.Connection, word: Complaint, code_hash: str) -> None:
    """Insert a complaint."""
    tx.execute(sa.insert(complaint).values(**_plain(word), code_hash=code_hash))


def save(tx: sa.Connection, word: Complaint) -> None:
    """Update a complaint that was read at the version before this one.

    Raises:
        Conflict: Somebody else changed it since.
    """
    fresh = sa.update(complaint).where(complaint.c.id == word.id, complaint.c.version == word.version - 1)
    changed_once(tx.execute(fresh.values(**_plain(word))), word.id)


def by_id(tx: sa.Connection, case_id: str) -> Complaint | None:
    """Return one complaint, or None."""
    return _one(tx, complaint.c.id == case_id.replace("\0", ""))


def by_code(tx: sa.Connection, code_hash: str) -> Complaint | None:
    """Return the complaint that a code follows, or None."""
    return _one(tx, complaint.c.code_hash == code_hash)


def page(tx: sa.Connection, wanted: Wanted, *, number: int, size: int) -> tuple[tuple[Complaint, ...], int]:
    """Return a page of complaints and how many match: what is owed soonest first, ended ones last."""
    which = _where(wanted)
    total = tx.execute(sa.select(sa.func.count()).select_from(complaint).where(*which)).scalar_one()
    is_over = sa.case((complaint.c.ended_at.is_not(None), 1), else_=0)
    no_day = sa.case((complaint.c.due_on.is_(None), 1), else_=0)
    chosen = sa.select(complaint).where(*which).order_by(is_over, no_day, complaint.c.due_on, complaint.c.id.desc())
    rows = tx.execute(chosen.limit(size).offset((number - 1) * size))
    return tuple(_complaint(row) for row in rows), total


def counts(tx: sa.Connection, system_id: str, today: date) -> ComplaintCounts:
    """Count the complaints about a system."""
    is_open, is_late = complaint.c.ended_at.is_(None), _is_late(today)
    total, open_, late = tx.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((is_open, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((is_late, 1), else_=0)), 0),
        ).where(complaint.c.system_id == system_id)
    ).one()
    return ComplaintCounts(total=total, open=open_, overdue=late)


def newly_overdue(tx: sa.Connection, today: date, limit: int) -> tuple[Complaint, ...]:
    """Return complaints whose last day is past and that nobody noticed yet, oldest first."""
    found = sa.select(complaint).where(_is_late(today), complaint.c.overdue_on.is_(None))
    return tuple(_complaint(row) for row in tx.execute(found.order_by(complaint.c.due_on, complaint.c.id).limit(limit)))


def kept_too_long(tx: sa.Connection, before: datetime, limit: int) -> tuple[Complaint, ...]:
    """Return complaints that ended before a moment and whose texts are still there."""
    found = sa.select(complaint).where(complaint.c.ended_at < before, complaint.c.erased_at.is_(None))
    return tuple(_complaint(row) for row in tx.execute(found.order_by(complaint.c.ended_at).limit(limit)))


# ---- what was said


def say(tx: sa.Connection, word: Said) -> None:
    """Insert something that was said."""
    values = {f.name: getattr(word, f.name) for f in fields(word)}
    values |= {"kind": word.kind.value, "speaker": word.speaker.value}
    values |= {"files": [asdict(one) for one in word.files], "more": dict(word.more)}
    tx.execute(sa.insert(said).values(**values))


def said_in(tx: sa.Connection, case_id: str) -> tuple[Said, ...]:
    """Return everything that was said in a complaint, in order."""
    rows = tx.execute(sa.select(said).where(said.c.case_id == case_id).order_by(said.c.number))
    return tuple(_said(row) for row in rows)


def erase_said(tx: sa.Connection, case_id: str) -> None:
    """Overwrite everything that was said in a complaint with nothing, salts and files' names included."""
    gone = {"text": "", "salt": "", "files": [], "more": {}}
    tx.execute(sa.update(said).where(said.c.case_id == case_id).values(**gone))


# ---- rows and words


def _one(tx: sa.Connection, where: sa.ColumnElement[bool]) -> Complaint | None:
    row = tx.execute(sa.select(complaint).where(where)).one_or_none()
    return None if row is None else _complaint(row)


def _is_late(today: date) -> sa.ColumnElement[bool]:
    return sa.and_(complaint.c.stage.in_(_OWED), complaint.c.due_on < today)


def _where(wanted: Wanted) -> Collection[sa.ColumnElement[bool]]:
    c = complaint.c
    search = wanted.search.strip().replace("\0", "")
    which = [c.office_id == wanted.office_id] if wanted.office_id else []
    which += [c.system_id == wanted.system_id] if wanted.system_id else []
    which += [sa.or_(c.id == search, c.system_id == search)] if search else []
    which += [c.stage == wanted.stage.value] if wanted.stage else []
    which += [c.is_apart == sa.literal(wanted.is_apart)] if wanted.is_apart is not None else []
    which += [_is_late(wanted.overdue_before)] if wanted.overdue_before else []
    return which


def _plain(word: Complaint) -> dict[str, Any]:
    values = {f.name: getattr(word, f.name) for f in fields(word)}
    return {name: value.value if name in _FORMS and value is not None else value for name, value in values.items()}


def _complaint(row: sa.Row[Any]) -> Complaint:
    values = {f.name: getattr(row, f.name) for f in fields(Complaint)}
    return Complaint(**{name: msgspec.convert(value, _FORMS[name]) if name in _FORMS else value
                        for name, value in values.items()})  # fmt: skip


def _said(row: sa.Row[Any]) -> Said:
    values = {f.name: getattr(row, f.name) for f in fields(Said)}
    values |= {"kind": SaidKind(row.kind), "speaker": Speaker(row.speaker)}
    return Said(**{**values, "files": tuple(Attached(**one) for one in row.files)})
