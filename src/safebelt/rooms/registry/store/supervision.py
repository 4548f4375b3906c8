"""Tables of an authority's cases.  A draft is a step without a number: it can be erased, a served one cannot."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata, upsert
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import folded
from safebelt.rooms.registry.model.supervision import (
    Attachment,
    Case,
    CaseKind,
    Competence,
    Confidentiality,
    Deadline,
    Office,
    Outcome,
    Receipt,
    Service,
    Stage,
    Step,
    StepKind,
    WaitsOn,
)
from safebelt.rooms.registry.store.register import party, system

office = sa.Table(
    "registry_office",
    metadata,
    sa.Column("party_id", sa.String(40), sa.ForeignKey("registry_party.id"), primary_key=True),
    sa.Column("jurisdiction", sa.String(20), nullable=False),
    sa.Column("instruments", sa.JSON, nullable=False),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("declared_at", UtcDateTime, nullable=False),
)

officer = sa.Table(
    "registry_officer",
    metadata,
    sa.Column("actor_id", sa.String(60), primary_key=True),
    sa.Column("office_id", sa.String(40), sa.ForeignKey("registry_office.party_id"), nullable=False, index=True),
    sa.Column("since", UtcDateTime, nullable=False),
)

case = sa.Table(
    "registry_case",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("party_id", sa.String(40), sa.ForeignKey("registry_party.id"), nullable=False),
    sa.Column("office_id", sa.String(40), sa.ForeignKey("registry_office.party_id"), nullable=False, index=True),
    sa.Column("jurisdiction", sa.String(20), nullable=False),
    sa.Column("instruments", sa.JSON, nullable=False),
    sa.Column("zone", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("confidentiality", sa.String(20), nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("basis", sa.JSON, nullable=False),
    sa.Column("other_basis", sa.Text, nullable=False),
    sa.Column("prepared_at", UtcDateTime, nullable=False),
    sa.Column("opened_by", sa.String(60), nullable=False),
    sa.Column("opened_at", UtcDateTime),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("waits_on", sa.String(20), nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("referred_to", sa.String(40), nullable=False),
    sa.Column("appeal_to", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
)

step = sa.Table(
    "registry_case_step",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("case_id", sa.String(40), sa.ForeignKey("registry_case.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("office_id", sa.String(40), nullable=False),
    sa.Column("written_by", sa.String(60), nullable=False),
    sa.Column("written_at", UtcDateTime, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Index(
        "uq_registry_case_step_served",
        "case_id",
        "number",
        unique=True,
        postgresql_where=sa.text("number > 0"),
        sqlite_where=sa.text("number > 0"),
    ),
)

publication = sa.Table(
    "registry_case_publication",
    metadata,
    sa.Column("step_id", sa.String(40), sa.ForeignKey("registry_case_step.id"), primary_key=True),
    sa.Column("case_id", sa.String(40), sa.ForeignKey("registry_case.id"), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("summary_zh", sa.Text, nullable=False),
    sa.Column("summary_en", sa.Text, nullable=False),
    sa.Column("published_at", UtcDateTime, nullable=False),
)

TABLES: tuple[sa.Table, ...] = (office, officer, case, step, publication)

_BESIDE = frozenset({"id", "case_id", "number", "kind", "office_id", "written_by", "written_at"})
"""Fields of a step that have a column of their own; the rest is its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cases are looked for.

    Attributes:
        office: Those an authority has, is asked to take, or decides the appeal of; empty for all that were opened.
        search: Words that must all occur.
        system: Of one system.
    """

    office: str = ""
    search: str = ""
    system: str = ""
    stage: Stage | None = None
    waits_on: WaitsOn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the public reads of one decision."""

    case_id: str
    step_id: str
    summary: Text
    published_at: datetime


# ---- offices


def save_office(tx: sa.Connection, word: Office) -> None:
    """Insert an office, or replace what it states."""
    competence = {"jurisdiction": word.competence.jurisdiction, "instruments": list(word.competence.instruments)}
    values = {"party_id": word.party_id, **competence, "zone": word.zone, "declared_at": word.declared_at}
    upsert(tx, office, values, ("party_id",))


def admit(tx: sa.Connection, actor_id: str, office_id: str, at: datetime) -> None:
    """Let somebody work at an office; whoever worked at another leaves it."""
    upsert(tx, officer, {"actor_id": actor_id, "office_id": office_id, "since": at}, ("actor_id",))


def office_of(tx: sa.Connection, actor_id: str) -> str:
    """Return the id of the office somebody works at; empty where none."""
    found = tx.execute(sa.select(officer.c.office_id).where(officer.c.actor_id == actor_id)).scalar_one_or_none()
    return found or ""


def offices(tx: sa.Connection, ids: Collection[str] | None = None) -> tuple[Office, ...]:
    """Return offices by name, all or those of the ids given."""
    wanted = sa.select(office, party.c.name).join(party, party.c.id == office.c.party_id).order_by(party.c.name)
    if ids is not None:
        wanted = wanted.where(office.c.party_id.in_(list(ids)))
    return tuple(
        Office(
            party_id=row.party_id,
            name=row.name,
            competence=Competence(jurisdiction=row.jurisdiction, instruments=tuple(row.instruments)),
            zone=row.zone,
            declared_at=row.declared_at,
        )
        for row in tx.execute(wanted)
    )


# ---- cases


def add_case(tx: sa.Connection, word: Case, search: str) -> None:
    """Insert a case; `search` is what it is found by beside its id."""
    tx.execute(sa.insert(case).values(id=word.id, search=folded(f"{word.id}\n{search}"), **_columns(word)))


def save_case(tx: sa.Connection, word: Case) -> None:
    """Update a case that was read at the version before this one.

    Raises:
        Conflict: Somebody else changed it since.
    """
    fresh = sa.update(case).where(case.c.id == word.id, case.c.version == word.version - 1)
    changed_once(tx.execute(fresh.values(**_columns(word))), word.id)


def erase_case(tx: sa.Connection, case_id: str) -> None:
    """Delete a case with its drafts; only one of which nothing was served."""
    tx.execute(sa.delete(step).where(step.c.case_id == case_id, step.c.number == 0))
    tx.execute(sa.delete(case).where(case.c.id == case_id, case.c.opened_at.is_(None)))


def case_by_id(tx: sa.Connection, case_id: str) -> Case | None:
    """Return one case, or None."""
    row = tx.execute(sa.select(case).where(case.c.id == case_id.replace("\0", ""))).one_or_none()
    return None if row is None else _case(row)


def cases(tx: sa.Connection, wanted: Wanted, *, page: int, size: int) -> tuple[tuple[Case, ...], int]:
    """Return a page of cases and how many match: what is due soonest first, closed ones last."""
    which = [case.c.search.contains(word, autoescape=True) for word in folded(wanted.search.replace("\0", "")).split()]
    mine = (case.c.office_id, case.c.referred_to, case.c.appeal_to)
    which.append(
        sa.or_(*(column == wanted.office for column in mine)) if wanted.office else case.c.opened_at.is_not(None)
    )
    which += [case.c.system_id == wanted.system] if wanted.system else []
    which += [case.c.stage == wanted.stage.value] if wanted.stage else []
    which += [case.c.waits_on == wanted.waits_on.value] if wanted.waits_on else []
    total = tx.execute(sa.select(sa.func.count()).select_from(case).where(*which)).scalar_one()
    last = sa.case((case.c.stage == Stage.CLOSED.value, 1), else_=0)
    no_day = sa.case((case.c.due_on.is_(None), 1), else_=0)
    chosen = sa.select(case).where(*which).order_by(last, no_day, case.c.due_on, case.c.id.desc())
    rows = tx.execute(chosen.limit(size).offset((page - 1) * size))
    return tuple(_case(row) for row in rows), total


def names_of(tx: sa.Connection, found: Collection[Case]) -> tuple[dict[str, Text], dict[str, str]]:
    """Return the names of the systems and of the parties and authorities of cases, by id."""
    systems = sa.select(system.c.id, system.c.name_zh, system.c.name_en)
    systems = systems.where(system.c.id.in_([one.system_id for one in found]))
    parties = [each for one in found for each in (one.party_id, one.office_id, one.referred_to, one.appeal_to) if each]
    return (
        {row.id: Text(zh=row.name_zh, en=row.name_en) for row in tx.execute(systems)},
        party_names(tx, parties),
    )


def party_names(tx: sa.Connection, ids: Collection[str]) -> dict[str, str]:
    """Return names of parties by id."""
    rows = tx.execute(sa.select(party.c.id, party.c.name).where(party.c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}


# ---- steps


def add_step(tx: sa.Connection, word: Step) -> None:
    """Insert a step."""
    tx.execute(sa.insert(step).values(id=word.id, **_step_columns(word)))


def save_step(tx: sa.Connection, word: Step) -> None:
    """Update a step: served, or received."""
    tx.execute(sa.update(step).where(step.c.id == word.id).values(**_step_columns(word)))


def erase_draft(tx: sa.Connection, step_id: str) -> None:
    """Delete a draft."""
    tx.execute(sa.delete(step).where(step.c.id == step_id, step.c.number == 0))


def steps(tx: sa.Connection, case_id: str) -> tuple[Step, ...]:
    """Return the served steps of a case, in their order."""
    found = sa.select(step).where(step.c.case_id == case_id, step.c.number > 0).order_by(step.c.number)
    return tuple(_step(row) for row in tx.execute(found))


def drafts(tx: sa.Connection, case_id: str, office_id: str) -> tuple[Step, ...]:
    """Return the drafts one authority has in a case, oldest first."""
    mine = (step.c.case_id == case_id, step.c.number == 0, step.c.office_id == office_id)
    return tuple(_step(row) for row in tx.execute(sa.select(step).where(*mine).order_by(step.c.id)))


def measures(tx: sa.Connection, system_id: str) -> tuple[tuple[Step, ...], ...]:
    """Return the served steps of each case about a system in which something was decided."""
    decided = sa.select(step.c.case_id).join(case, case.c.id == step.c.case_id)
    decided = decided.where(case.c.system_id == system_id, step.c.kind == StepKind.DECISION.value, step.c.number > 0)
    return tuple(steps(tx, each) for each in tx.execute(decided.distinct().order_by(step.c.case_id)).scalars())


# ---- what the public reads


def save_publication(tx: sa.Connection, system_id: str, word: Published) -> None:
    """Insert or replace what the public reads of a decision."""
    said = {"summary_zh": word.summary.zh, "summary_en": word.summary.en, "published_at": word.published_at}
    values = {"step_id": word.step_id, "case_id": word.case_id, "system_id": system_id, **said}
    upsert(tx, publication, values, ("step_id",))


def take_down(tx: sa.Connection, step_id: str) -> None:
    """Delete what the public reads of a decision."""
    tx.execute(sa.delete(publication).where(publication.c.step_id == step_id))


def publications(tx: sa.Connection, *, system_id: str = "", case_id: str = "") -> tuple[Published, ...]:
    """Return what the public reads of the decisions about a system, or of one case, newest first."""
    which = publication.c.case_id == case_id if case_id else publication.c.system_id == system_id
    rows = tx.execute(sa.select(publication).where(which).order_by(publication.c.step_id.desc()))
    return tuple(
        Published(
            case_id=row.case_id,
            step_id=row.step_id,
            summary=Text(zh=row.summary_zh, en=row.summary_en),
            published_at=row.published_at,
        )
        for row in rows
    )


# ---- rows and words


def _columns(word: Case) -> dict[str, Any]:
    same = (
        "system_id",
        "party_id",
        "office_id",
        "zone",
        "about",
        "other_basis",
        "prepared_at",
        "opened_by",
        "opened_at",
    )
    more = ("due_on", "referred_to", "appeal_to", "version")
    return {
        **{name: getattr(word, name) for name in (*same, *more)},
        "jurisdiction": word.competence.jurisdiction,
        "instruments": list(word.competence.instruments),
        "kind": word.kind.value,
        "confidentiality": word.confidentiality.value,
        "basis": list(word.basis),
        "stage": word.stage.value,
        "waits_on": word.waits_on.value,
    }


def _case(row: sa.Row[Any]) -> Case:
    return Case(
        id=row.id,
        system_id=row.system_id,
        party_id=row.party_id,
        office_id=row.office_id,
        competence=Competence(jurisdiction=row.jurisdiction, instruments=tuple(row.instruments)),
        zone=row.zone,
        kind=CaseKind(row.kind),
        confidentiality=Confidentiality(row.confidentiality),
        about=row.about,
        basis=tuple(row.basis),
        other_basis=row.other_basis,
        prepared_at=row.prepared_at,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        stage=Stage(row.stage),
        waits_on=WaitsOn(row.waits_on),
        due_on=row.due_on,
        referred_to=row.referred_to,
        appeal_to=row.appeal_to,
        version=row.version,
    )


def _step_columns(word: Step) -> dict[str, Any]:
    content = {name: value for name, value in asdict(word).items() if name not in _BESIDE}
    beside = {name: getattr(word, name) for name in sorted(_BESIDE - {"id", "kind"})}
    return {**beside, "kind": word.kind.value, "content": msgspec.to_builtins(content)}


_FORMS: dict[str, Any] = {
    "basis": tuple[str, ...],
    "items": tuple[str, ...],
    "outcome": Outcome | None,
    "deadline": Deadline,
    "appeal": Deadline,
    "held_on": date | None,
    "due_on": date | None,
    "appeal_until": date | None,
    "files": tuple[Attachment, ...],
    "served": Service | None,
    "receipt": Receipt | None,
}
"""Fields of a step's content that are more than text."""


def _step(row: sa.Row[Any]) -> Step:
    content = {
        name: msgspec.convert(value, _FORMS[name]) if name in _FORMS else value for name, value in row.content.items()
    }
    return Step(
        id=row.id,
        case_id=row.case_id,
        kind=StepKind(row.kind),
        number=row.number,
        office_id=row.office_id,
        written_by=row.written_by,
        written_at=row.written_at,
        **content,
    )
